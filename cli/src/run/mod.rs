//! `polyproc run FILE`

mod crew;
mod file;
mod log;
mod signals;
mod stragglers;

use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use clap::Args;
use polyproc::{inherited, CreateOptions, InheritHandle, Kind, Lock, Queue, Wait};
use rustix::process::{getpid, kill_process, Signal};

use crate::failure::{Failure, Outcome};
use crew::{Crew, Member, Shared};
use file::Pipeline;
use log::Prefix;
use signals::Stop;

/// Run a pipeline: processes, and the queues between them.
///
/// A process that is killed is started again. Each process gets the queues by inheritance, in any
/// language and in `polyproc put`, `get` and `take`. When all processes that put into a queue have
/// ended, the queue is shut down, a joinable one after its last message is done. The pipeline ends
/// with its last process, or with Ctrl-C, which ends all.
#[derive(Args)]
#[command(after_help = "Example:\n  polyproc run pipeline.toml")]
pub struct Run {
    file: PathBuf,
}

/// As a shell does for a program that a signal ended.
const SIGNAL_BASE: i32 = 128;

impl Run {
    pub fn run(self) -> Outcome {
        let pipeline = Pipeline::read(&self.file)?;
        let directory = self.file.parent().filter(|parent| *parent != Path::new(""));
        let queues = Queues::make(&pipeline)?;
        let life = Lock::create(None, CreateOptions::default())?;
        let _alive = life.lock()?;
        let stop = Stop::install()?;
        stragglers::adopt();
        let mut crew = Crew {
            members: members(&pipeline),
            shared: Shared {
                directory: directory.unwrap_or(Path::new(".")),
                path: path(),
                handles: [
                    queues.handles(),
                    vec![handle(LIFE, Kind::Lock, life.raw_fd())],
                ]
                .concat(),
            },
            copies: Vec::new(),
        };
        let result = work(&mut crew, &queues, &stop);
        crew.stop(&stop)?;
        stragglers::end();
        for copy in crew.copies.drain(..) {
            // A thread that panicked has said so.
            let _ = copy.join();
        }
        queues.remove();
        result?;
        let code = stop.signal().map_or(0, |signal| SIGNAL_BASE + signal);
        Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)))
    }
}

/// A lock that `run` holds while it lives, and that its processes inherit.
const LIFE: &str = "polyproc-run";

/// If this process belongs to a `polyproc run`, it ends with it, however that ends. The kernel ends
/// the processes that `run` has started, but not this process if a shell among them has started it.
pub fn end_with_it() {
    let Ok(life) = inherited(LIFE, Kind::Lock).and_then(Lock::from_fd) else {
        return;
    };
    std::thread::spawn(move || {
        if life.lock().is_ok() {
            let _ = kill_process(getpid(), Signal::KILL);
        }
    });
}

fn handle(name: &str, kind: Kind, fd: RawFd) -> InheritHandle {
    let name = name.to_owned();
    InheritHandle { name, kind, fd }
}

/// The PATH of the processes: this program's own directory comes last, so that a file can say
/// `polyproc put`, wherever it is installed.
fn path() -> Vec<u8> {
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(Path::parent);
    let mut path = b"PATH=".to_vec();
    path.extend_from_slice(std::env::var_os("PATH").unwrap_or_default().as_bytes());
    if let Some(own) = own {
        path.push(b':');
        path.extend_from_slice(own.as_os_str().as_bytes());
    }
    path
}

/// `walk`, or `worker-1` to `worker-4`.
fn members(pipeline: &Pipeline) -> Vec<Member<'_>> {
    let tables = pipeline.process.iter();
    let named = tables.flat_map(|(name, table)| {
        (1..=table.count).map(move |number| match table.count {
            1 => (name.clone(), table),
            _ => (format!("{name}-{number}"), table),
        })
    });
    let named: Vec<_> = named.collect();
    let width = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let member = |(place, (name, table)): (usize, (String, _))| {
        let prefix = Prefix::new(&name, width, place);
        Member::new(table, name, prefix)
    };
    named.into_iter().enumerate().map(member).collect()
}

/// Runs until all processes have ended, one failed for good, or a signal comes.
fn work(crew: &mut Crew<'_>, queues: &Queues, stop: &Arc<Stop>) -> Result<(), Failure> {
    let mut endings: BTreeMap<&str, JoinHandle<()>> = BTreeMap::new();
    loop {
        stop.reset();
        if stop.count() > 0 {
            return Ok(());
        }
        crew.attend()?;
        if crew.have_all_ended() {
            // Nobody is left who could take a message, so no ending is waited for.
            return Ok(());
        }
        for (name, queue) in &queues.0 {
            if !endings.contains_key(name.as_str()) && is_complete(crew, name) {
                endings.insert(name, queue.end());
            }
        }
        crew.wait(stop)?;
    }
}

/// Whether all processes that put into a queue have ended. Without such a process it stays open.
fn is_complete(crew: &Crew<'_>, queue: &String) -> bool {
    let mut putters = crew
        .members
        .iter()
        .filter(|member| member.table.puts.contains(queue))
        .peekable();
    putters.peek().is_some() && putters.all(Member::has_ended)
}

struct PipelineQueue {
    queue: Arc<Queue>,
    is_joinable: bool,
    /// The name that the object has.
    name: Option<String>,
}

impl PipelineQueue {
    /// Shuts the queue down, once what it has is done: a process that is started again after that
    /// would find the end of the stream, and the message of the killed one.
    fn end(&self) -> JoinHandle<()> {
        let (queue, is_joinable) = (Arc::clone(&self.queue), self.is_joinable);
        std::thread::spawn(move || {
            let done = match is_joinable {
                true => queue.join_timeout(Wait::FOREVER),
                false => Ok(()),
            };
            if let Err(status) = done.and_then(|()| queue.shutdown(false)) {
                Failure::from(status).report();
            }
        })
    }
}

struct Queues(BTreeMap<String, PipelineQueue>);

impl Queues {
    fn make(pipeline: &Pipeline) -> Result<Queues, Failure> {
        let mut queues = BTreeMap::new();
        for (key, table) in &pipeline.queue {
            let queue = Queue::create(table.name.as_deref(), &table.options()?)?;
            let queue = PipelineQueue {
                queue: Arc::new(queue),
                is_joinable: table.is_joinable(),
                name: table.name.clone(),
            };
            queues.insert(key.clone(), queue);
        }
        Ok(Queues(queues))
    }

    fn handles(&self) -> Vec<InheritHandle> {
        let queues = self.0.iter();
        queues
            .map(|(name, queue)| handle(name, Kind::Queue, queue.queue.raw_fd()))
            .collect()
    }

    fn remove(&self) {
        for name in self.0.values().filter_map(|queue| queue.name.as_deref()) {
            // Somebody may have removed it.
            let _ = polyproc::unlink(name);
        }
    }
}
