//! One word of nonsense in shared memory, and calls that wait: each sleeps or gives up, and none
//! keeps looking.

use std::fs::{File, OpenOptions};
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;

use polyproc::{pipe, wait_any_timeout, Connection, Queue, QueueOptions, Status, Wait, Waitable};

/// How long a call waits, ...
const WAIT_NS: i64 = 2_000_000;
/// ... and for how much of that it may run: in one of a few tries, on a busy machine.
const LOOKING_NS: i64 = 1_000_000;
const TRIES: usize = 5;

/// The words of a queue, up to the first words of its rings; then the words of the first rings.
const QUEUE: std::ops::Range<u64> = 65_792..68_352;
/// The words of a pipe.
const PIPE: std::ops::Range<u64> = 15_616..20_480;

/// Left unchanged: the locks of its two chains, because nothing shows that a living process does
/// not hold one; and the time that waits spin, because the creator chooses it.
const SPARED: [u64; 5] = [65_920, 66_176, 67_200, 67_456, 65_816];

const NUMBERS: [u64; 6] = [1, 64, 1 << 31 | 5, 1 << 32, 1 << 58 | 1 << 9, u64::MAX];

fn wait() -> Wait<'static> {
    Wait::for_ns(WAIT_NS)
}

/// Returns how long this thread has run.
fn run_ns() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn file_of(fd: i32) -> File {
    let path = format!("/proc/self/fd/{fd}");
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

/// Runs `call` on a result of `make`, with each number in each word.
fn sweep<T>(
    what: &str,
    words: std::ops::Range<u64>,
    make: impl Fn() -> T + Sync,
    fd: impl Fn(&T) -> i32 + Sync,
    call: impl Fn(&T) + Sync,
) {
    const PARTS: usize = 8;
    let looks = |at: u64, number: u64| {
        let object = make();
        let file = file_of(fd(&object));
        file.write_all_at(&number.to_ne_bytes(), at).unwrap();
        let begin = run_ns();
        call(&object);
        run_ns() - begin >= LOOKING_NS
    };
    let places = words.clone().step_by(8).filter(|at| !SPARED.contains(at));
    let part = |first| {
        for at in places.clone().skip(first).step_by(PARTS) {
            for number in NUMBERS {
                let always = (0..TRIES).all(|_| looks(at, number));
                let place = at - words.start;
                assert!(!always, "{what} looks on and on: {number:#x} at {place}");
            }
        }
    };
    std::thread::scope(|scope| {
        for first in 0..PARTS {
            let part = &part;
            scope.spawn(move || part(first));
        }
    });
}

fn get(queue: &Queue) {
    let mut buffer = [MaybeUninit::uninit(); 100];
    let _ = queue.get_raw(&mut buffer, wait());
}

fn sweep_queue(
    what: &str,
    options: QueueOptions,
    prepare: impl Fn(&Queue) + Sync,
    call: impl Fn(&Queue) + Sync,
) {
    let make = || {
        let queue = Queue::create(None, &options).unwrap();
        prepare(&queue);
        queue
    };
    sweep(what, QUEUE, make, Queue::raw_fd, call);
}

fn plain() -> QueueOptions {
    QueueOptions::default()
}

/// The count of returned messages said 1, and there was none: each consumer that waited used up a
/// core.
#[test]
fn a_message_that_is_not_there_is_corrupt() {
    const CAME_BACK: u64 = 66_432;
    let queue = Queue::create(None, &plain()).unwrap();
    let file = file_of(queue.raw_fd());
    file.write_all_at(&1u64.to_ne_bytes(), CAME_BACK).unwrap();
    let mut buffer = [MaybeUninit::uninit(); 100];
    let in_time = Wait::for_ns(10_000_000_000);
    assert_eq!(queue.get_raw(&mut buffer, in_time), Err(Status::E_CORRUPT));
    assert_eq!(queue.take_timeout(in_time).err(), Some(Status::E_CORRUPT));
    assert_eq!(
        queue.get_raw(&mut buffer, Wait::TRY),
        Err(Status::E_CORRUPT)
    );
}

#[test]
fn waits_of_consumers() {
    sweep_queue("get", plain(), |_| {}, get);
    sweep_queue(
        "take",
        plain(),
        |_| {},
        |queue| {
            let _ = queue.take_raw(wait());
        },
    );
    let was_used = |queue: &Queue| {
        queue.try_put(b"one").unwrap();
        get(queue);
    };
    sweep_queue("get after one", plain(), was_used, get);
    let ends = |queue: &Queue| {
        let _ = queue.reserve_raw(10, Wait::TRY).unwrap();
        queue.shutdown(false).unwrap();
    };
    sweep_queue("get at the end", plain(), ends, get);
    sweep_queue(
        "wait_any",
        plain(),
        |_| {},
        |queue| {
            let _ = wait_any_timeout(&[Waitable::Get(queue)], wait());
        },
    );
}

#[test]
fn waits_of_joins() {
    let options = QueueOptions {
        joinable: true,
        ..plain()
    };
    let in_flight = |queue: &Queue| {
        queue.try_put(b"one").unwrap();
        queue.try_put(b"two").unwrap();
        get(queue);
    };
    sweep_queue("join", options, in_flight, |queue| {
        let _ = queue.join_timeout(wait());
    });
}

#[test]
fn waits_of_producers() {
    let limits = [(1, 0), (0, 64)];
    for (max_items, max_bytes) in limits {
        let options = QueueOptions {
            max_items,
            max_bytes,
            ..plain()
        };
        let is_full = |queue: &Queue| queue.try_put(b"one").unwrap();
        sweep_queue("put", options, is_full, |queue| {
            let _ = queue.put_timeout(&[1; 40], wait());
        });
        let options = QueueOptions {
            joinable: true,
            ..options
        };
        sweep_queue("reserve", options, is_full, |queue| {
            let _ = queue.reserve_raw(40, wait());
        });
        sweep_queue("put_many", options, is_full, |queue| {
            let _ = queue.put_many_raw(3, &|_| b"1", wait());
        });
    }
}

fn sweep_pipe(
    what: &str,
    prepare: impl Fn(&(Connection, Connection)) + Sync,
    call: impl Fn(&(Connection, Connection)) + Sync,
) {
    let make = || {
        let ends = pipe(true).unwrap();
        prepare(&ends);
        ends
    };
    sweep(what, PIPE, make, |ends| ends.0.raw_fd(), call);
}

#[test]
fn waits_of_pipes() {
    let longest = vec![1; 1 << 20];
    sweep_pipe(
        "recv",
        |_| {},
        |(a, _)| {
            let _ = a.recv_raw(&mut [MaybeUninit::uninit(); 100], wait());
        },
    );
    sweep_pipe(
        "poll",
        |_| {},
        |(a, _)| {
            let _ = a.poll_timeout(wait());
        },
    );
    let is_full = |(a, _): &(Connection, Connection)| {
        a.try_send(&longest[..(1 << 20) - 100]).unwrap();
    };
    sweep_pipe("send", is_full, |(a, _)| {
        let _ = a.send_timeout(&[1; 1000], wait());
    });
    sweep_pipe(
        "send, handed over",
        |_| {},
        |(a, _)| {
            let _ = a.send_timeout(&longest, wait());
        },
    );
}
