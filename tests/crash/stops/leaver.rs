//! A process that closes the object while another is stopped in it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Others;
use crate::page::{delay_of_this_thread, page, reach, until_reached};
use crate::third::{forked, kill};

const READY: u32 = 1;
const MAY_HOLD: u32 = 2;
const HOLDS: u32 = 3;
const MAY_CLOSE: u32 = 4;
const CLOSED: u32 = 5;

pub struct Leaver {
    pid: i32,
}

impl Leaver {
    /// It uses the object once this returns.
    pub fn start<T: Others>(object: &T) -> Leaver {
        let stage = &page().leaver;
        let pid = forked(|| {
            object.attach();
            reach(stage, READY);
            if next(READY) == MAY_HOLD {
                object.hold();
                reach(stage, HOLDS);
                next(HOLDS);
            }
            let (delayed, begin) = (delay_of_this_thread(), Instant::now());
            object.close();
            let took = begin.elapsed();
            let took = took.saturating_sub(delay_of_this_thread().saturating_sub(delayed));
            page()
                .closing_ns
                .store(took.as_nanos() as u64, Ordering::SeqCst);
            reach(stage, CLOSED);
        });
        until_reached(stage, READY, "the process that is to close does not come");
        Leaver { pid }
    }

    /// Makes it hold something of the object, as far as possible.
    pub fn holds(&self) {
        reach(&page().leaver, MAY_HOLD);
        until_reached(&page().leaver, HOLDS, "it does not hold anything");
    }

    /// Makes it close the object, and returns how long that took.
    pub fn closes(&self) -> Duration {
        reach(&page().leaver, MAY_CLOSE);
        until_reached(&page().leaver, CLOSED, "close does not return");
        Duration::from_nanos(page().closing_ns.load(Ordering::SeqCst))
    }
}

/// Waits for the next stage without a limit: the process that waits for this one notices when
/// nothing happens.
fn next(before: u32) -> u32 {
    loop {
        match page().leaver.load(Ordering::SeqCst) {
            now if now == before => std::thread::sleep(Duration::from_micros(300)),
            now => return now,
        }
    }
}

impl Drop for Leaver {
    fn drop(&mut self) {
        kill(self.pid);
    }
}
