//! The functions of a worker, and the loop that calls them.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::{Job, Worker};
use crate::pool::protocol::message::{begin_item, check_name, end_item, unpack};
use crate::status::{Result, Status};
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::Wait;

/// The output of a function, in the order of its writes: its result, or its error message.
pub struct Reply {
    bytes: Vec<u8>,
}

impl Reply {
    /// Append to the result.
    pub fn write(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
    }

    /// As [`write`](Self::write), where memory may be short.
    ///
    /// # Errors
    /// `E_NO_MEMORY`: nothing is appended.
    pub fn try_write(&mut self, data: &[u8]) -> Result<()> {
        self.bytes
            .try_reserve(data.len())
            .map_err(|_| Status::E_NO_MEMORY)?;
        self.write(data);
        Ok(())
    }
}

/// A function of a worker: 0 for success, anything else for failure.
pub type Function = dyn Fn(&[u8], &mut Reply) -> i32 + Send + Sync;

type Named = (String, Arc<Function>);

static FUNCTIONS: LocalLock<Vec<Named>> = LocalLock::new(Vec::new());

/// Register a function under a name, for workers forked from this process later, and for this
/// process if it is a worker. A name that is registered already gets the new function.
///
/// # Errors
/// `E_INVALID`: not a name.
pub fn register(name: &str, function: Arc<Function>) -> Result<()> {
    check_name(name)?;
    hold_across_forks(&FUNCTIONS);
    let entry = (name.to_owned(), function);
    let replaced = {
        let mut functions = FUNCTIONS.lock();
        match functions.iter_mut().find(|(known, _)| known == name) {
            Some(known) => Some(std::mem::replace(known, entry)),
            None => {
                functions.push(entry);
                None
            }
        }
    };
    drop(replaced);
    Ok(())
}

fn find(name: &str) -> Option<Arc<Function>> {
    let functions = FUNCTIONS.lock();
    let found = functions.iter().find(|(known, _)| known == name);
    found.map(|(_, function)| Arc::clone(function))
}

/// Run tasks until the pool is shut down, or this worker has run its maximum number.
///
/// # Errors
/// `E_NOT_FOUND` when this process is no worker, `E_TASK_FAILED` when the initialiser failed.
pub fn run() -> Result<()> {
    let worker = super::here()?;
    let mut reply = Reply { bytes: Vec::new() };
    loop {
        let job = match worker.next(&Wait::FOREVER) {
            Err(Status::E_SHUTDOWN) => return Ok(()),
            other => other?,
        };
        let is_initialiser = job.attempt == 0;
        let status = do_job(&job, &mut reply);
        answer(&worker, status, &reply)?;
        if is_initialiser && status != Status::OK {
            return Err(Status::E_TASK_FAILED);
        }
    }
}

fn answer(worker: &Worker, status: Status, reply: &Reply) -> Result<()> {
    match worker.reply(status, &reply.bytes) {
        // The pool has given up the task and is about to kill this process.
        Err(Status::E_TIMEOUT) => Ok(()),
        other => other,
    }
}

/// Call the function of a job, for each item of a chunk.
fn do_job(job: &Job<'_>, reply: &mut Reply) -> Status {
    reply.bytes.clear();
    let Some(function) = find(job.function) else {
        reply.write(
            format!("no function {:?} is registered in the worker", job.function).as_bytes(),
        );
        return Status::E_NOT_FOUND;
    };
    if job.count == 0 {
        return call(&*function, job.data, reply, 0);
    }
    let mut rest = job.data;
    loop {
        let (item, after) = match unpack(rest) {
            Ok(Some(found)) => found,
            Ok(None) => return Status::OK,
            Err(status) => return status,
        };
        let at = begin_item(&mut reply.bytes);
        let begin = reply.bytes.len();
        let status = call(&*function, item, reply, begin);
        if status != Status::OK {
            // The first failure is the outcome of the chunk.
            reply.bytes.drain(..begin);
            return status;
        }
        if let Err(status) = end_item(&mut reply.bytes, at) {
            return status;
        }
        rest = after;
    }
}

/// `begin` is where the output of this call begins in the reply.
fn call(function: &Function, data: &[u8], reply: &mut Reply, begin: usize) -> Status {
    match catch_unwind(AssertUnwindSafe(|| function(data, reply))) {
        Ok(0) => Status::OK,
        Ok(code) => {
            if reply.bytes.len() == begin {
                reply.write(format!("the function returned {code}").as_bytes());
            }
            Status::E_TASK_FAILED
        }
        Err(panic) => {
            reply.bytes.truncate(begin);
            let text = panic.downcast_ref::<&str>().copied();
            let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            reply.write(text.unwrap_or("the function panicked").as_bytes());
            Status::E_TASK_FAILED
        }
    }
}
