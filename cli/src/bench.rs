//! `polyproc bench`: how fast messages go through a queue on this machine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use polyproc::{
    inherited, Barrier, CreateOptions, InheritHandle, Kind, Process, ProcessOptions, Queue,
    QueueOptions, Status,
};
use serde_json::json;

use crate::failure::{Failure, Outcome, ERROR};
use crate::streams;

/// Measure how many messages a second go from producers to consumers, and how long a message takes
/// to another process and back.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc bench --quick
  polyproc bench --quick --size 1000 --pairs 2x2 --json")]
pub struct Bench {
    /// Bytes of a message
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=LONGEST))]
    size: u32,
    /// Producers and consumers
    #[arg(long, value_name = "PxC", default_value = "1x1")]
    pairs: Pairs,
    /// A short run, for a first look
    #[arg(long)]
    quick: bool,
    /// Print an object for each figure
    #[arg(long)]
    json: bool,
}

const LONGEST: i64 = 16 << 20;
/// Room for messages, so that neither side runs far ahead.
const MAX_ITEMS: u64 = 1024;
/// The longest time that a child takes beyond its work.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy)]
struct Pairs {
    producers: u32,
    consumers: u32,
}

impl std::str::FromStr for Pairs {
    type Err = String;

    fn from_str(text: &str) -> Result<Pairs, String> {
        let parts = text.split_once('x');
        let count = |text: &str| text.parse().ok().filter(|count| (1..=64).contains(count));
        let pairs = parts.and_then(|(producers, consumers)| {
            Some(Pairs {
                producers: count(producers)?,
                consumers: count(consumers)?,
            })
        });
        pairs.ok_or_else(|| "it is two numbers from 1 to 64, such as 2x4".into())
    }
}

impl Bench {
    pub fn run(self) -> Outcome {
        let (time, rounds) = match self.quick {
            true => (Duration::from_millis(200), 2_000),
            false => (Duration::from_secs(2), 50_000),
        };
        let Pairs {
            producers,
            consumers,
        } = self.pairs;
        let pairs = format!("{producers}x{consumers}");
        let rate = self.stream(time)?;
        let (median, slow) = self.round_trips(rounds)?;
        if self.json {
            let stream = json!({
                "figure": "stream",
                "size": self.size,
                "pairs": pairs,
                "messages_per_second": rate.round(),
                "bytes_per_second": (rate * f64::from(self.size)).round(),
            });
            let round_trip = json!({
                "figure": "round_trip",
                "size": self.size,
                "median_seconds": median.as_secs_f64(),
                "p99_seconds": slow.as_secs_f64(),
            });
            streams::print(format!("{stream}\n{round_trip}\n").as_bytes())?;
        } else {
            let size = self.size;
            let rate = human(rate);
            let text = format!(
                "{pairs}, {size} bytes: {rate} messages a second\n\
                 1x1, {size} bytes: there and back in {median:.1?}, p99 {slow:.1?}\n"
            );
            streams::print(text.as_bytes())?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Messages a second.
    fn stream(&self, time: Duration) -> Result<f64, Failure> {
        let Pairs {
            producers,
            consumers,
        } = self.pairs;
        let queue = queue()?;
        let start = Barrier::create(None, CreateOptions::default(), producers + consumers + 1)?;
        let handles = [
            handle("queue", Kind::Queue, queue.raw_fd()),
            handle("start", Kind::Barrier, start.raw_fd()),
        ];
        let (size, time) = (self.size.to_string(), time.as_millis().to_string());
        let crew = |count, words: &[&str]| -> Result<Vec<Process>, Failure> {
            (0..count).map(|_| spawn(words, &handles)).collect()
        };
        let getting = crew(consumers, &["consume", &size])?;
        let putting = crew(producers, &["produce", &size, &time])?;
        start.wait_timeout(PATIENCE)?;
        let began = Instant::now();
        putting.iter().try_for_each(finish)?;
        queue.shutdown(false)?;
        getting.iter().try_for_each(finish)?;
        let elapsed = began.elapsed().as_secs_f64();
        Ok(queue.info()?.gets as f64 / elapsed)
    }

    /// The median and the 99th percentile of the time to another process and back.
    fn round_trips(&self, rounds: usize) -> Result<(Duration, Duration), Failure> {
        let (there, back) = (queue()?, queue()?);
        let handles = [
            handle("there", Kind::Queue, there.raw_fd()),
            handle("back", Kind::Queue, back.raw_fd()),
        ];
        let echo = spawn(&["echo", &self.size.to_string()], &handles)?;
        let mut buffer = vec![0; self.size as usize];
        let mut round = || -> Result<Duration, Failure> {
            let began = Instant::now();
            there.put(&buffer)?;
            back.get_into_timeout(&mut buffer, PATIENCE)?;
            Ok(began.elapsed())
        };
        for _ in 0..rounds / 10 {
            round()?;
        }
        let mut times = (0..rounds)
            .map(|_| round())
            .collect::<Result<Vec<_>, _>>()?;
        there.shutdown(false)?;
        finish(&echo)?;
        times.sort();
        let at = |share: usize| {
            times
                .get(times.len() * share / 100)
                .copied()
                .unwrap_or_default()
        };
        Ok((at(50), at(99)))
    }
}

fn queue() -> polyproc::Result<Queue> {
    let options = QueueOptions {
        max_items: MAX_ITEMS,
        ..QueueOptions::default()
    };
    Queue::create(None, &options)
}

fn handle(name: &str, kind: Kind, fd: std::os::fd::RawFd) -> InheritHandle {
    InheritHandle {
        name: name.into(),
        kind,
        fd,
    }
}

/// Starts this program as one of the processes that are measured.
fn spawn(words: &[&str], handles: &[InheritHandle]) -> Result<Process, Failure> {
    let program = ["/proc/self/exe", "bench-process"];
    let mut options = ProcessOptions::program([&program[..], words].concat())?;
    options.handles = handles.to_vec();
    options.daemon = true;
    Ok(Process::spawn(&options)?)
}

fn finish(process: &Process) -> Result<(), Failure> {
    process.join_timeout(PATIENCE)?;
    match process.exit_code()? {
        0 => Ok(()),
        code => Err(Failure::new(
            ERROR,
            format_args!("a process ended with {code}"),
        )),
    }
}

/// 31.4 M, 870 k
fn human(number: f64) -> String {
    match number {
        1e6.. => format!("{:.1} M", number / 1e6),
        1e3.. => format!("{:.0} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

/// One of the processes that are measured.
#[derive(Args)]
#[command(hide = true)]
pub struct BenchProcess {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    Produce { size: usize, milliseconds: u64 },
    Consume { size: usize },
    Echo { size: usize },
}

impl BenchProcess {
    pub fn run(self) -> Outcome {
        match self.role {
            Role::Produce { size, milliseconds } => {
                produce(size, Duration::from_millis(milliseconds))?
            }
            Role::Consume { size } => {
                let queue = inherited_queue("queue")?;
                start()?;
                each(&queue, size, |_| Ok(()))?;
            }
            Role::Echo { size } => {
                let back = inherited_queue("back")?;
                each(&inherited_queue("there")?, size, |message| {
                    back.put(message)
                })?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn inherited_queue(name: &str) -> polyproc::Result<Queue> {
    Queue::from_fd(inherited(name, Kind::Queue)?)
}

/// Waits until all processes are there.
fn start() -> polyproc::Result<()> {
    let barrier = Barrier::from_fd(inherited("start", Kind::Barrier)?)?;
    barrier.wait_timeout(PATIENCE).map(|_| ())
}

fn produce(size: usize, time: Duration) -> polyproc::Result<()> {
    /// The clock is read once for so many messages.
    const BATCH: usize = 256;
    let queue = inherited_queue("queue")?;
    let message = vec![b'x'; size];
    start()?;
    let end = Instant::now() + time;
    while Instant::now() < end {
        for _ in 0..BATCH {
            queue.put(&message)?;
        }
    }
    Ok(())
}

/// Gets all messages.
fn each(
    queue: &Queue,
    size: usize,
    mut act: impl FnMut(&[u8]) -> polyproc::Result<()>,
) -> polyproc::Result<()> {
    let mut buffer = vec![0; size];
    loop {
        match queue.get_into(&mut buffer) {
            Ok(_) => act(&buffer)?,
            Err(Status::E_SHUTDOWN) => return Ok(()),
            Err(other) => return Err(other),
        }
    }
}
