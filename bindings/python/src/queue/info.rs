//! The numbers of a queue.

use pyo3::prelude::*;

/// The numbers of a queue at one moment.
#[pyclass(module = "polyproc", frozen, get_all)]
pub struct QueueInfo {
    /// Messages that wait.
    items: u64,
    /// Bytes of all messages that are not over, headers included.
    bytes: u64,
    /// Messages that a process has got or taken and not settled.
    in_flight: u64,
    /// Messages that wait or are in flight.
    unfinished: u64,
    /// Messages ever put.
    puts: u64,
    /// `puts` less the messages that wait: it falls when a message comes back.
    gets: u64,
    /// How often a message came back to wait.
    redelivered: u64,
    /// Messages discarded.
    discarded: u64,
    /// How many times dead processes were recovered.
    recoveries: u64,
    /// Dead letters that nobody has taken yet.
    dead_letters: u64,
    /// Threads that wait in the queue.
    waiting: u32,
    /// Processes that use the queue.
    participants: u32,
    /// Whether puts are refused.
    shutdown: bool,
}

impl From<polyproc::QueueInfo> for QueueInfo {
    fn from(info: polyproc::QueueInfo) -> QueueInfo {
        QueueInfo {
            items: info.items,
            bytes: info.bytes,
            in_flight: info.in_flight,
            unfinished: info.unfinished,
            puts: info.puts,
            gets: info.gets,
            redelivered: info.redelivered,
            discarded: info.discarded,
            recoveries: info.recoveries,
            dead_letters: info.dead_letters,
            waiting: info.waiting,
            participants: info.participants,
            shutdown: info.shutdown,
        }
    }
}

#[pymethods]
impl QueueInfo {
    fn __repr__(&self) -> String {
        format!(
            "QueueInfo(items={}, bytes={}, in_flight={}, unfinished={}, puts={}, gets={}, \
             redelivered={}, discarded={}, recoveries={}, dead_letters={}, waiting={}, \
             participants={}, shutdown={})",
            self.items,
            self.bytes,
            self.in_flight,
            self.unfinished,
            self.puts,
            self.gets,
            self.redelivered,
            self.discarded,
            self.recoveries,
            self.dead_letters,
            self.waiting,
            self.participants,
            match self.shutdown {
                true => "True",
                false => "False",
            }
        )
    }
}
