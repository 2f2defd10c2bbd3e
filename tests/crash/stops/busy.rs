//! How often a stop of a busy process at a random moment delays others.

use std::time::{Duration, Instant};

use polyproc::{Queue, Wait};

use super::calls::HELD_UP;
use crate::operations::queues::{get, pattern, queue};
use crate::third::{forked, kill};

const BATCH: usize = 500;

/// Stops a process so many times, in each of its ways to be busy, and prints how often others
/// noticed.
pub fn measure(stops: u32) {
    type Way = (&'static str, fn(&Queue));
    let ways: [Way; 3] = [
        ("puts and gets small messages", small),
        ("puts and takes 500 at a time", batches),
        ("puts and gets 40,000 bytes", large),
    ];
    for (what, body) in ways {
        let queue = queue(Default::default());
        let child = forked(|| loop {
            body(&queue);
        });
        let noticed = (0..stops).filter(|stop| is_noticed(&queue, child, *stop));
        println!(
            "a process that {what} as fast as it can, stopped at random: {} of {stops} stops inside an internal lock",
            noticed.count()
        );
        kill(child);
    }
}

fn is_noticed(queue: &Queue, child: i32, stop: u32) -> bool {
    // Far apart in messages; the stops differ in where in its loop the child is.
    std::thread::sleep(Duration::from_micros(1000 + u64::from(stop * 7919 % 1000)));
    // SAFETY: our own child, not reaped yet.
    unsafe {
        libc::kill(child, libc::SIGSTOP);
        libc::waitpid(child, std::ptr::null_mut(), libc::WUNTRACED);
    }
    let begin = Instant::now();
    // One side each; the child holds one of the two locks, or both.
    let _ = queue.try_put(b"probe");
    let _ = get(queue, Wait::TRY);
    let held_up = begin.elapsed() > HELD_UP;
    // SAFETY: as above.
    unsafe { libc::kill(child, libc::SIGCONT) };
    held_up
}

fn small(queue: &Queue) {
    queue.try_put(&[1; 100]).unwrap();
    let _ = get(queue, Wait::TRY);
}

fn batches(queue: &Queue) {
    let message = [2; 256];
    queue
        .put_many_raw(BATCH, &|_| &message[..], Wait::FOREVER)
        .unwrap();
    let mut tickets = [0; BATCH];
    while let Ok(taken) =
        queue.take_many_raw(BATCH, &mut |at, loan| tickets[at] = loan.ticket, Wait::TRY)
    {
        queue
            .done_many_raw(tickets[..taken].iter().copied())
            .1
            .unwrap();
    }
}

fn large(queue: &Queue) {
    queue.try_put(&pattern(40_000)).unwrap();
    let _ = get(queue, Wait::TRY);
}
