//! The common part of the queues' cases: messages, and the checks of what is left.

use std::mem::MaybeUninit;

use polyproc::{Got, Queue, QueueOptions, Status, Wait};

use super::in_time;
use crate::case::End;
use crate::page::timed;
use crate::small;

pub type Messages = Vec<Vec<u8>>;

/// Larger than messages that are copied under the lock, and than the first ring's free room in the
/// cases of growth.
pub const LARGE: usize = 40_000;

/// Bytes that show whether one is missing or misplaced.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + (at >> 8)) as u8).collect()
}

pub fn queue(options: QueueOptions) -> Queue {
    let Some(_) = small::size() else {
        return Queue::create(None, &options).unwrap();
    };
    // An anonymous one would not be in /dev/shm.
    let name = format!("crash.small.{}", std::process::id());
    let queue = Queue::create(Some(&name), &options).unwrap();
    polyproc::unlink(&name).unwrap();
    queue
}

/// At most eight messages, of which `before` wait.
pub fn bounded(joinable: bool, before: &[&[u8]]) -> Queue {
    filled(
        QueueOptions {
            joinable,
            max_items: 8,
            ..Default::default()
        },
        before,
    )
}

pub fn filled(options: QueueOptions, before: &[&[u8]]) -> Queue {
    let queue = queue(options);
    before
        .iter()
        .for_each(|message| queue.try_put(message).unwrap());
    queue
}

pub fn get(queue: &Queue, wait: Wait<'_>) -> Result<Vec<u8>, Status> {
    let mut buffer = vec![MaybeUninit::uninit(); 300_000];
    match queue.get_raw(&mut buffer, wait)? {
        // SAFETY: a get writes the bytes that it reports.
        Got::Message(len) => Ok(buffer[..len]
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect()),
        Got::TooSmall(len) => panic!("{len} bytes"),
    }
}

/// The same for a child that is stepped: nothing but the call itself.
pub fn get_only(queue: &Queue, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) {
    assert!(matches!(queue.get_raw(buffer, wait), Ok(Got::Message(_))));
}

/// Become a participant.
pub fn warm_up(queue: &Queue) {
    queue.len().unwrap();
}

/// The parent's first look: the dead process's messages come back, and no living process is taken
/// for dead.
fn look(queue: &Queue) -> u64 {
    let info = timed(|| queue.info().unwrap());
    assert_eq!(info.in_flight, 0, "the dead hold something: {info:?}");
    assert_eq!(
        info.participants, 2,
        "wrongly dead, or still alive: {info:?}"
    );
    info.items
}

/// Returns all messages that are left, in order; then there must be none.
pub fn drain(queue: &Queue) -> Messages {
    let items = look(queue);
    let left = take_all(queue);
    assert_eq!(
        left.len() as u64,
        items,
        "lost or duplicated: not as many as there were said to be"
    );
    if queue.options().unwrap().joinable {
        timed(|| queue.join_timeout(in_time()).unwrap());
    }
    let info = queue.info().unwrap();
    assert_eq!(
        (info.items, info.in_flight, info.bytes),
        (0, 0, 0),
        "not all is free again: {info:?}"
    );
    assert_eq!(info.puts, info.gets, "lost or duplicated: {info:?}");
    left
}

/// Returns the messages that can be got now, and settles them.
pub fn take_all(queue: &Queue) -> Messages {
    let is_joinable = queue.options().unwrap().joinable;
    let mut all = Vec::new();
    loop {
        match timed(|| get(queue, Wait::TRY)) {
            Ok(message) => all.push(message),
            Err(Status::E_EMPTY | Status::E_SHUTDOWN) => return all,
            Err(status) => panic!("{status:?}"),
        }
        if is_joinable {
            queue.task_done().unwrap();
        }
    }
}

/// The messages left are `before` and a beginning of what the dead process put, with every put that
/// had returned.
pub fn check_put(left: &[Vec<u8>], before: &[Vec<u8>], put: &[Vec<u8>], returned: usize) {
    assert!(
        left.starts_with(before),
        "lost: what was there before is not there in order"
    );
    let new = &left[before.len()..];
    assert!(
        new.len() <= put.len(),
        "duplicated: {} messages out of {} puts",
        new.len(),
        put.len()
    );
    assert!(put.starts_with(new), "a message came out of nothing");
    assert!(
        new.len() >= returned,
        "lost: {returned} puts had returned, {} messages are there",
        new.len()
    );
}

/// The messages left are `before` without a beginning: at least the `got` messages whose get had
/// returned are missing, and at most one more, which was lost with the dead process.
pub fn check_got(left: &[Vec<u8>], before: &[Vec<u8>], got: usize, end: &End<'_>) {
    let gone = gone(left, before);
    assert!(gone >= got, "duplicated: {got} were got, {gone} are gone");
    assert!(gone <= got + 1, "lost: {got} were got, {gone} are gone");
    end.went_with_the_dead(gone - got);
}

/// The same for settled messages: `settled` of them are missing if the body had returned, and none
/// that the dead process had not held, which its mark tells.
pub fn check_settled(left: &[Vec<u8>], before: &[Vec<u8>], settled: usize, end: &End<'_>) {
    let (gone, in_hand) = (gone(left, before), end.mark as usize);
    assert!(
        gone <= settled.min(in_hand),
        "lost: {in_hand} were in hand, {gone} are gone"
    );
    assert!(
        !end.has_returned || gone == settled,
        "duplicated: settled, and there again"
    );
    end.delivered_again(in_hand.saturating_sub(gone));
}

fn gone(left: &[Vec<u8>], before: &[Vec<u8>]) -> usize {
    let (is, was) = (left.len(), before.len());
    assert!(is <= was, "duplicated: {is} are left of {was}");
    assert!(
        before.ends_with(left),
        "lost or duplicated: {is} of {was} are left, not in order"
    );
    was - is
}

/// Real work: messages through and through.
pub fn work(queue: &Queue) {
    for number in 0..20u32 {
        timed(|| queue.put_timeout(&number.to_le_bytes(), in_time()).unwrap());
        let loan = timed(|| queue.take_raw(in_time()).unwrap());
        assert_eq!((loan.len, loan.deliveries), (4, 1));
        queue.done_raw(loan.ticket).unwrap();
    }
    let large = pattern(LARGE);
    timed(|| queue.put_timeout(&large, in_time()).unwrap());
    assert!(
        timed(|| get(queue, Wait::TRY)).unwrap() == large,
        "a message is damaged"
    );
    if queue.options().unwrap().joinable {
        queue.task_done().unwrap();
        timed(|| queue.join_timeout(in_time()).unwrap());
    }
    let info = queue.info().unwrap();
    assert_eq!(
        (info.items, info.bytes),
        (0, 0),
        "not all is free again: {info:?}"
    );
}
