//! Running a closure on another thread of this process, and waiting until it has run.

use std::sync::atomic::{AtomicU32, Ordering};

use super::local_lock::LocalLock;
use crate::sys::futex;

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const DONE: u32 = 2;

/// A closure to run. A caller stores it and waits; the serving thread runs it.
pub(crate) struct Mailbox {
    word: AtomicU32,
    job: LocalLock<Option<Job>>,
    /// Held by the caller, so that there is one caller at a time.
    turn: LocalLock<()>,
}

/// A borrowed closure.
struct Job(*mut (dyn FnMut() + Send));

// SAFETY: the closure is Send, and its caller does not touch it while it runs.
unsafe impl Send for Job {}

impl Mailbox {
    pub(crate) const fn new() -> Mailbox {
        Mailbox {
            word: AtomicU32::new(IDLE),
            job: LocalLock::new(None),
            turn: LocalLock::new(()),
        }
    }

    /// Run `job` on the serving thread, and wait until it has run.
    pub(crate) fn call(&self, job: &mut (dyn FnMut() + Send)) {
        let _turn = self.turn.lock();
        let job: *mut (dyn FnMut() + Send + '_) = job;
        // SAFETY: only the lifetime changes, and this function returns after the job has run.
        let job = unsafe {
            std::mem::transmute::<*mut (dyn FnMut() + Send + '_), *mut (dyn FnMut() + Send)>(job)
        };
        *self.job.lock() = Some(Job(job));
        self.word.store(ASKED, Ordering::Release);
        futex::wake(&self.word, 1);
        while self.word.load(Ordering::Acquire) != DONE {
            futex::wait(&self.word, ASKED, None);
        }
        self.word.store(IDLE, Ordering::Release);
    }

    /// Run the closures of callers, for ever. Allocates nothing.
    pub(crate) fn serve(&self) -> ! {
        loop {
            let word = self.word.load(Ordering::Acquire);
            if word != ASKED {
                futex::wait(&self.word, word, None);
                continue;
            }
            let job = self.job.lock().take();
            if let Some(job) = job {
                // SAFETY: the caller waits for DONE, so the closure is alive and no other thread
                // uses it.
                unsafe { (*job.0)() };
            }
            self.word.store(DONE, Ordering::Release);
            futex::wake(&self.word, 1);
        }
    }
}
