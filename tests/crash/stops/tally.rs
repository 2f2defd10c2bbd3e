//! The messages that others put and got during the stop.

use std::collections::HashMap;
use std::sync::Mutex;

use polyproc::{Queue, Reservation, Status};

/// A call to repeat when the stopped process has gone on: it returned `E_TIMEOUT` and changed
/// nothing.
pub enum Unsettled {
    Return(u64),
    Done(u64, Vec<u8>),
    Task,
    Commit(Reservation),
    Abort(Reservation),
}

// SAFETY: a reservation's memory is written by one thread at a time.
unsafe impl Send for Unsettled {}

/// The messages that others put, and those that they consumed.
#[derive(Default)]
pub struct Tally {
    put: Mutex<Vec<Vec<u8>>>,
    over: Mutex<Vec<Vec<u8>>>,
    unsettled: Mutex<Vec<Unsettled>>,
}

impl Tally {
    pub fn put(&self, message: &[u8]) {
        self.put.lock().unwrap().push(message.to_vec());
    }

    pub fn over(&self, message: Vec<u8>) {
        self.over.lock().unwrap().push(message);
    }

    /// Notes the result of a call that settles; a refused one is repeated later.
    pub fn settled(&self, answer: Result<(), Status>, what: Unsettled) -> Result<(), Status> {
        match answer {
            Err(Status::E_TIMEOUT) => self.unsettled.lock().unwrap().push(what),
            _ => {
                if let (Ok(()), Unsettled::Done(_, message)) = (answer, what) {
                    self.over(message);
                }
            }
        }
        answer
    }

    /// Settles all of them, now that no process is stopped.
    pub fn settle(&self, queue: &Queue) {
        for one in self.unsettled.lock().unwrap().drain(..) {
            let settled = match one {
                Unsettled::Return(ticket) => queue.give_back_raw(ticket),
                Unsettled::Done(ticket, message) => {
                    self.over(message);
                    queue.done_raw(ticket)
                }
                Unsettled::Task => queue.task_done(),
                Unsettled::Commit(reserved) => queue.commit_raw(&reserved, 8),
                Unsettled::Abort(reserved) => queue.abort_raw(&reserved),
            };
            // An immediate shutdown discards messages that were being put.
            let is_over = settled == Err(Status::E_SHUTDOWN);
            assert!(
                settled.is_ok() || is_over,
                "what was refused has changed something: {settled:?}"
            );
        }
    }

    /// Each message that others put is consumed once, except those that the processes that are gone
    /// may have got.
    pub fn check(&self, gone: u64) {
        let mut count = HashMap::new();
        for message in self.over.lock().unwrap().iter() {
            *count.entry(message.clone()).or_insert(0) += 1;
        }
        let put = self.put.lock().unwrap();
        let times = |message: &Vec<u8>| count.get(message).copied().unwrap_or(0);
        let lost = put.iter().filter(|message| times(message) == 0).count();
        let twice = put.iter().find(|message| times(message) > 1);
        assert!(twice.is_none(), "duplicated: {twice:?}");
        assert!(
            lost as u64 <= gone,
            "lost: {lost} messages of others, {gone} were got by the stopped one"
        );
    }
}
