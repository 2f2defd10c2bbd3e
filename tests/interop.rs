//! Each language as producer with each as consumer, over one queue: 10,000 messages of 0 to 100,000
//! bytes, each compared with the expected one, and all of them with a checksum made here. One test
//! has the queue in another folder and under another prefix.
//!
//! The programs are built before (`make test` does that); `interop/c/interop.c` describes the
//! messages. A missing program is a failure, so that no pair is left out unnoticed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use polyproc::inspect;
use polyproc::{Queue, QueueOptions};
use sha2::{Digest, Sha256};

const COUNT: u64 = 10_000;
const LENGTHS: u64 = 100_001;
/// Generous: a pair takes a few seconds on an idle machine.
const DEADLINE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    /// The interpreter, on the path or below the crate; `None` if the program is executable.
    interpreter: Option<&'static str>,
    /// Below the crate; the variable `POLYPROC_INTEROP_<NAME>` names another.
    program: &'static str,
}

const LANGUAGES: [Language; 5] = [
    Language {
        name: "c",
        interpreter: None,
        program: "build/interop/c",
    },
    Language {
        name: "cpp",
        interpreter: None,
        program: "build/interop/cpp",
    },
    Language {
        name: "go",
        interpreter: None,
        program: "build/interop/go",
    },
    Language {
        name: "node",
        interpreter: Some("node"),
        program: "tests/interop/node/interop.js",
    },
    Language {
        name: PYTHON,
        interpreter: Some("build/python/venv/bin/python"),
        program: "tests/interop/python/interop.py",
    },
];
/// The language whose consumer prints a SHA-256 instead of the FNV.
const PYTHON: &str = "python";

fn below_the_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

impl Language {
    fn path(&self) -> PathBuf {
        let variable = format!("POLYPROC_INTEROP_{}", self.name.to_uppercase());
        std::env::var_os(variable).map_or_else(|| below_the_crate(self.program), PathBuf::from)
    }

    fn start(&self, role: &str, queue: &str, count: u64, seed: u64) -> Ended {
        let path = self.path();
        assert!(
            path.exists(),
            "{} is missing: `make interop` builds the programs of this test",
            path.display()
        );
        let mut command = match self.interpreter {
            Some(interpreter) => {
                let mut command = match interpreter.contains('/') {
                    true => Command::new(below_the_crate(interpreter)),
                    false => Command::new(interpreter),
                };
                command.arg(&path);
                command
            }
            None => Command::new(&path),
        };
        let child = command
            .args([role, queue, &count.to_string(), &seed.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", path.display()));
        Ended {
            child,
            what: format!("{} {role}", self.name),
        }
    }
}

/// A child that does not outlive the test.
struct Ended {
    child: Child,
    what: String,
}

impl Ended {
    /// Returns what it printed, once it has exited with 0.
    fn output(&mut self, deadline: Instant) -> String {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "{}: not done within {DEADLINE:?}",
                self.what
            );
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{}: {status}", self.what);
        let mut text = String::new();
        let stdout = self.child.stdout.as_mut().expect("piped");
        stdout.read_to_string(&mut text).expect("its output");
        text
    }

    fn has_failed(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(status)) if !status.success())
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // Both fail if it has already ended, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A queue's name, which is unlinked at the end of the test, however it ends.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        let unlinked = polyproc::unlink(&self.0);
        assert!(
            unlinked.is_ok() || thread::panicking(),
            "cannot unlink {}",
            self.0
        );
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Passes on the bytes of all messages of a seed, one after the other.
fn each_part(count: u64, seed: u64, mut part: impl FnMut(&[u8])) {
    for index in 0..count {
        let mut state = seed.wrapping_add(index);
        let mut left = (next(&mut state) % LENGTHS) as usize;
        let mut value = index;
        while left > 0 {
            let length = left.min(8);
            part(&value.to_le_bytes()[..length]);
            left -= length;
            value = next(&mut state);
        }
    }
}

/// Returns the checksum of all messages of a seed, as the consumer in that language prints it.
fn checksum(consumer: Language, count: u64, seed: u64) -> String {
    if consumer.name == PYTHON {
        let mut hash = Sha256::new();
        each_part(count, seed, |bytes| hash.update(bytes));
        return hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
    }
    let mut hash = 0xCBF2_9CE4_8422_2325;
    each_part(count, seed, |bytes| hash = fnv1a(hash, bytes));
    format!("{hash:016x}")
}

/// The file of a named queue.
fn file(name: &str) -> String {
    let value = |variable, default: &str| match std::env::var(variable) {
        Ok(value) if !value.is_empty() => value,
        _ => default.to_owned(),
    };
    let directory = value("POLYPROC_SHM_DIR", "/dev/shm");
    format!(
        "{directory}/{}{name}",
        value("POLYPROC_SHM_PREFIX", "polyproc.")
    )
}

fn pair(producer: Language, consumer: Language, count: u64, seed: u64) {
    let name = Name(format!(
        "polyproc-interop-{}-{}-{}",
        std::process::id(),
        producer.name,
        consumer.name
    ));
    let options = QueueOptions {
        max_items: 64,
        ..QueueOptions::default()
    };
    let queue = Queue::create(Some(&name.0), &options).expect("create the queue");
    assert!(Path::new(&file(&name.0)).exists(), "no {}", file(&name.0));
    let deadline = Instant::now() + DEADLINE;

    let mut consume = consumer.start("consume", &name.0, count, seed);
    let mut produce = producer.start("produce", &name.0, count, seed);
    let expected = format!("ok {count} {}\n", checksum(consumer, count, seed));

    // If one side fails, the other would wait for ever.
    while !consume.has_failed() && matches!(produce.child.try_wait(), Ok(None)) {
        assert!(
            Instant::now() < deadline,
            "{}: not done within {DEADLINE:?}",
            produce.what
        );
        thread::sleep(Duration::from_millis(5));
    }
    if consume.has_failed() {
        consume.output(deadline);
    }
    produce.output(deadline);
    assert_eq!(
        consume.output(deadline),
        expected,
        "{} -> {}",
        producer.name,
        consumer.name
    );
    assert!(queue.is_empty().expect("is_empty"), "messages nobody got");
}

fn pairs_from(producer: usize) {
    for (consumer, language) in LANGUAGES.iter().enumerate() {
        let seed = 1_000_000 * (1 + (producer * LANGUAGES.len() + consumer) as u64);
        let started = Instant::now();
        pair(LANGUAGES[producer], *language, COUNT, seed);
        println!(
            "{} -> {}: {:.1?}",
            LANGUAGES[producer].name,
            language.name,
            started.elapsed()
        );
    }
}

#[test]
fn from_c_to_each() {
    pairs_from(0);
}

#[test]
fn from_cpp_to_each() {
    pairs_from(1);
}

#[test]
fn from_go_to_each() {
    pairs_from(2);
}

#[test]
fn from_node_to_each() {
    pairs_from(3);
}

#[test]
fn from_python_to_each() {
    pairs_from(4);
}

/// How long a worker has had its message, looked at again and again from outside, is right from its
/// first message on: it is no longer than since the last look that did not see it.
fn workers_hold(language: Language, is_filled_first: bool) {
    const JOBS: u64 = 10;
    const JOB: Duration = Duration::from_millis(60);
    /// The kernel's ticks, by which the library measures.
    const TICK: Duration = Duration::from_millis(20);
    let name = Name(format!(
        "polyproc-interop-{}-{}-works-{is_filled_first}",
        std::process::id(),
        language.name
    ));
    let queue = Queue::create(Some(&name.0), &QueueOptions::default()).expect("create the queue");
    let fill = || queue.put_many(&[b"a job"; JOBS as usize]).expect("put");
    if is_filled_first {
        fill();
    }
    let mut worker = language.start("work", &name.0, JOBS, JOB.as_millis() as u64);
    let deadline = Instant::now() + DEADLINE;
    let goes_on = |worker: &mut Ended, what: &str| {
        assert!(!worker.has_failed(), "{}", worker.what);
        assert!(Instant::now() < deadline, "{}: no {what}", worker.what);
        thread::sleep(Duration::from_millis(1));
    };
    if !is_filled_first {
        let pid = worker.child.id();
        while !inspect::object(&name.0).is_ok_and(|object| {
            let mut all = object.participants.iter();
            all.any(|one| one.pid == pid)
        }) {
            goes_on(&mut worker, "participant");
        }
        // It has waited for some time before its first message.
        thread::sleep(2 * JOB);
        fill();
    }
    let (mut held, mut seen, mut not_yet) = (None, 0, Instant::now());
    while !worker.child.try_wait().is_ok_and(|ended| ended.is_some()) {
        let look = Instant::now();
        if let Ok(Some(lease)) = inspect::oldest_lease(&name.0) {
            if held != Some(lease.id) {
                let age = lease.at_most.expect("an age");
                let most = not_yet.elapsed() + TICK;
                assert!(
                    age <= most,
                    "{}, job {seen}: {age:?} of {most:?}",
                    language.name
                );
                (held, seen) = (Some(lease.id), seen + 1);
            }
        }
        not_yet = look;
        goes_on(&mut worker, "end");
    }
    worker.output(deadline);
    assert!(seen > 1, "{}: {seen} looks", language.name);
}

/// A healthy worker in one of these languages looked hung: each of them waits by tries, and after
/// two tries that found nothing the next 31 gets made no note of the time.
#[test]
fn workers_that_wait_by_tries_hold_their_messages_since_their_gets() {
    for language in &LANGUAGES[2..] {
        for is_filled_first in [false, true] {
            workers_hold(*language, is_filled_first);
        }
    }
}

/// A folder in memory, which is removed at the end of the test.
struct Folder(String);

impl Drop for Folder {
    fn drop(&mut self) {
        // Each queue was unlinked, unless the test has failed already.
        let removed = match thread::panicking() {
            true => std::fs::remove_dir_all(&self.0),
            false => std::fs::remove_dir(&self.0),
        };
        assert!(
            removed.is_ok() || thread::panicking(),
            "{}: {removed:?}",
            self.0
        );
    }
}

#[test]
fn each_meets_the_next_where_the_variables_say() {
    // The library reads the variables once: another process of this test has them from its start.
    const IS_THERE: &str = "POLYPROC_INTEROP_IS_THERE";
    if std::env::var_os(IS_THERE).is_some() {
        for (index, producer) in LANGUAGES.iter().enumerate() {
            let consumer = LANGUAGES[(index + 1) % LANGUAGES.len()];
            pair(*producer, consumer, 100, 1_000 * (1 + index as u64));
        }
        return;
    }
    let folder = Folder(format!("/dev/shm/polyproc-interop-{}", std::process::id()));
    std::fs::create_dir(&folder.0).expect("a folder in /dev/shm");
    let inner = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "each_meets_the_next_where_the_variables_say"])
        .env(IS_THERE, "1")
        .env("POLYPROC_SHM_DIR", &folder.0)
        .env("POLYPROC_SHM_PREFIX", "elsewhere.")
        .output()
        .expect("start this test again");
    let said = String::from_utf8_lossy(&inner.stdout);
    let wrong = String::from_utf8_lossy(&inner.stderr);
    assert!(
        inner.status.success() && said.contains("1 passed"),
        "{said}{wrong}"
    );
}
