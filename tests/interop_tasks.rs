//! A joinable queue of MessagePack values with a worker in each language: C, Go, Node and Python,
//! each killed several times, whatever it is doing. Each task is done, and its value comes back as
//! it was.
//!
//! The programs are built before (`make test` does that); `interop/python/tasks.py` describes them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use polyproc::{Queue, QueueOptions, Status};
use rmp::{decode, encode};

/// How often the worker of each language is killed, and how many results it has put before.
const KILLS: usize = 3;
const RESULTS_OF_A_LIFE: usize = 25;
/// How many tasks are in the queue.
const AHEAD: u64 = 64;
/// Generous: the test takes a few seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// Returns each language's worker: its name and its command.
fn languages() -> [(&'static str, Vec<PathBuf>); 4] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of = |parts: [&str; 2]| parts.map(|part| root.join(part)).to_vec();
    [
        ("c", vec![root.join("build/interop/c-tasks")]),
        ("go", vec![root.join("build/interop/go-tasks")]),
        (
            "node",
            vec!["node".into(), root.join("tests/interop/node/tasks.js")],
        ),
        (
            "python",
            of([
                "build/python/venv/bin/python",
                "tests/interop/python/tasks.py",
            ]),
        ),
    ]
}

struct Worker {
    language: &'static str,
    command: Vec<PathBuf>,
    child: Child,
    kills: usize,
    results: usize,
}

impl Worker {
    fn start(command: &[PathBuf], tasks: &Name, results: &Name) -> Child {
        for program in command.iter().filter(|path| path.is_absolute()) {
            let path = program.display();
            assert!(
                program.exists(),
                "{path} is missing: `make interop` builds it"
            );
        }
        Command::new(&command[0])
            .args(&command[1..])
            .args([&tasks.0, &results.0])
            .stdin(Stdio::null())
            .spawn()
            .expect("start a worker")
    }

    fn has_finished(&self) -> bool {
        self.kills == KILLS && self.results >= RESULTS_OF_A_LIFE
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail if it has already ended, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A queue's name, which is unlinked at the end of the test, however it ends.
struct Name(String);

impl Name {
    fn new(what: &str) -> Name {
        Name(format!("polyproc-interop-{}-{what}", std::process::id()))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = polyproc::unlink(&self.0);
    }
}

/// A task: a list of values of several types that follow from its number.
fn write_task(number: u64, to: &mut Vec<u8>) {
    let written: Result<(), encode::ValueWriteError> = (|| {
        encode::write_array_len(to, 6)?;
        encode::write_uint(to, number)?;
        encode::write_str(to, &format!("包子 {number}"))?;
        encode::write_sint(to, -7_000_000_000 - number as i64)?;
        encode::write_f64(to, number as f64 + 0.5)?;
        encode::write_bin(to, &vec![number as u8; number as usize % 100])?;
        encode::write_map_len(to, 1)?;
        encode::write_str(to, "nothing")?;
        encode::write_nil(to).map_err(encode::ValueWriteError::InvalidMarkerWrite)?;
        Ok(())
    })();
    written.expect("a vector takes everything");
}

/// Reads a result: the language, and the task's number. Its other values are compared.
fn read_result(mut from: &[u8]) -> (String, u64) {
    let from = &mut from;
    let mut text = [0; 100];
    assert_eq!(decode::read_array_len(from).expect("a list"), 2);
    let language = decode::read_str(from, &mut text)
        .expect("a language")
        .to_owned();
    assert_eq!(decode::read_array_len(from).expect("a task"), 6);
    let number: u64 = decode::read_int(from).expect("a number");
    let wanted = format!("包子 {number}");
    assert_eq!(decode::read_str(from, &mut text).expect("a text"), wanted);
    let negative: i64 = decode::read_int(from).expect("a negative number");
    assert_eq!(negative, -7_000_000_000 - number as i64);
    let float = decode::read_f64(from).expect("a float");
    assert_eq!(float, number as f64 + 0.5);
    let length = decode::read_bin_len(from).expect("bytes") as usize;
    let (bytes, rest) = from.split_at(length);
    assert_eq!(bytes, vec![number as u8; number as usize % 100]);
    *from = rest;
    assert_eq!(decode::read_map_len(from).expect("a map"), 1);
    assert_eq!(decode::read_str(from, &mut text).expect("a key"), "nothing");
    decode::read_nil(from).expect("nil");
    assert!(from.is_empty(), "more than the result");
    (language, number)
}

#[test]
fn workers_in_each_language_share_a_joinable_queue_and_are_killed() {
    let (tasks_name, results_name) = (Name::new("tasks"), Name::new("results"));
    let mut options = QueueOptions {
        joinable: true,
        ..QueueOptions::default()
    };
    options.format[..7].copy_from_slice(b"msgpack");
    let tasks = Queue::create(Some(&tasks_name.0), &options).expect("create the tasks");
    options.joinable = false;
    let results = Queue::create(Some(&results_name.0), &options).expect("create the results");

    let mut workers = languages().map(|(language, command)| Worker {
        language,
        child: Worker::start(&command, &tasks_name, &results_name),
        command,
        kills: 0,
        results: 0,
    });
    let end = Instant::now() + DEADLINE;
    let (mut put, mut done) = (0, Vec::<usize>::new());
    let count = |done: &mut Vec<usize>, number: u64| {
        done.resize(done.len().max(number as usize + 1), 0);
        done[number as usize] += 1;
    };
    while !workers.iter().all(Worker::has_finished) {
        while tasks.len().expect("len") < AHEAD {
            let mut task = Vec::new();
            write_task(put, &mut task);
            tasks.put(&task).expect("put");
            put += 1;
        }
        let result = match results.get_timeout(Duration::from_millis(100)) {
            Ok(result) => result,
            Err(Status::E_EMPTY) => {
                assert!(Instant::now() < end, "not done within {DEADLINE:?}");
                for worker in &mut workers {
                    let ended = worker.child.try_wait().expect("wait");
                    assert!(ended.is_none(), "{}: {ended:?}", worker.language);
                }
                continue;
            }
            Err(status) => panic!("get: {status}"),
        };
        let (language, number) = read_result(&result);
        count(&mut done, number);
        let of_language = |worker: &&mut Worker| worker.language == language;
        let worker = workers.iter_mut().find(of_language).expect("a language");
        worker.results += 1;
        if worker.results == RESULTS_OF_A_LIFE && worker.kills < KILLS {
            worker.child.kill().expect("kill");
            worker.child.wait().expect("wait");
            worker.child = Worker::start(&worker.command, &tasks_name, &results_name);
            (worker.kills, worker.results) = (worker.kills + 1, 0);
        }
    }
    tasks.shutdown(false).expect("shutdown");
    tasks.join_timeout(DEADLINE).expect("join");
    for worker in &mut workers {
        let status = worker.child.wait().expect("wait");
        assert!(status.success(), "{}: {status}", worker.language);
    }
    while let Ok(result) = results.get_timeout(Duration::ZERO) {
        count(&mut done, read_result(&result).1);
    }

    // A worker that is killed between its result and the end of its task has that task done twice.
    let lost = (0..put as usize).filter(|&number| done.get(number).is_none_or(|&times| times == 0));
    assert_eq!(
        lost.collect::<Vec<_>>(),
        [] as [usize; 0],
        "tasks that nobody did"
    );
    let twice = done.iter().sum::<usize>() - put as usize;
    assert!(
        twice <= KILLS * workers.len(),
        "{twice} tasks were done twice"
    );
    println!(
        "{put} tasks, {} workers killed {KILLS} times each, {twice} tasks done twice",
        workers.len()
    );
}
