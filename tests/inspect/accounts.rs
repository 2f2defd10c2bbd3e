//! How much each participant of a queue has put and got, and since when it has what it has.

use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use polyproc::inspect::{Lease, SoFar};
use polyproc::{try_wait_any, wait_any_timeout, Queue, QueueOptions, Waitable};

use crate::support::{child, eventually, Name, JOINABLE};

/// What this process has put and got.
fn own(name: &Name) -> (u64, u64) {
    let object = name.look();
    let mut participants = object.participants.iter();
    let own = participants.find(|one| one.pid == std::process::id());
    let SoFar { puts, gets, .. } = own.and_then(|one| one.so_far).expect("a participant");
    (puts, gets)
}

#[test]
fn each_way_to_put_and_to_get_is_counted() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    queue.put(b"one").unwrap();
    assert_eq!(own(&name), (1, 0));
    queue.put_many(&["two", "three", "four"]).unwrap();
    assert_eq!(own(&name), (4, 0));
    queue.put(&vec![5; 1 << 20]).unwrap();
    assert_eq!(own(&name), (5, 0));
    queue.reserve(100).unwrap().commit(100).unwrap();
    assert_eq!(own(&name), (6, 0));

    assert_eq!(queue.get().unwrap(), b"one");
    queue.task_done().unwrap();
    queue.take().unwrap().done().unwrap();
    assert_eq!(own(&name), (6, 2));
    queue.take().unwrap().give_back().unwrap();
    assert_eq!(own(&name), (6, 3));
    let many = queue.take_many(2).unwrap();
    assert_eq!(
        (many.len(), own(&name)),
        (2, (6, 5)),
        "one of them once more"
    );
    drop(many);

    let other = Name::new();
    let plain = Queue::create(Some(&other.0), &QueueOptions::default()).unwrap();
    plain.put_many(&[vec![1; 64], vec![2; 1 << 20]]).unwrap();
    plain.get().unwrap();
    assert!(plain.get_into(&mut [0; 10]).is_ok(), "too small");
    plain.get().unwrap();
    assert!(plain.try_get().is_err());
    assert_eq!(own(&other), (2, 2));
}

#[test]
fn a_new_occupant_of_a_slot_begins_at_0() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    queue.put_many(&["one", "two", "three"]).unwrap();
    let of = |pid: u32| {
        let object = name.look();
        let mut all = object.participants.into_iter();
        all.find(|one| one.pid == pid)
            .and_then(|one| Some((one.slot, one.so_far?.gets)))
    };
    let mut first = child("takes two", &name);
    eventually(|| of(first.id()).is_some_and(|(_, gets)| gets == 2));
    let (slot, _) = of(first.id()).unwrap();
    first.kill().unwrap();
    first.wait().unwrap();
    // This recovers the first one, and frees its slot.
    eventually(|| queue.info().unwrap().items == 3);
    let mut second = child("takes one", &name);
    eventually(|| of(second.id()).is_some_and(|(_, gets)| gets == 1));
    assert_eq!(of(second.id()), Some((slot, 1)));
    second.kill().unwrap();
    second.wait().unwrap();
}

/// A process that is killed at any instruction of a put has counted all but the last one.
#[test]
fn a_killed_process_has_counted_all_but_its_last_call() {
    for round in 0..20u64 {
        let name = Name::new();
        let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
        let mut producer = child("puts", &name);
        let pid = producer.id();
        eventually(|| queue.len().unwrap() > 0);
        std::thread::sleep(Duration::from_micros(round * 37));
        producer.kill().unwrap();
        producer.wait().unwrap();
        let put = name.queue().puts;
        let object = name.look();
        let its = object.participants.iter().find(|one| one.pid == pid);
        let counted = its
            .and_then(|one| one.so_far)
            .expect("not recovered yet")
            .puts;
        assert!(counted <= put && put - counted <= 1, "{counted} of {put}");
    }
}

fn lease(name: &Name) -> Lease {
    name.queue().oldest_lease.expect("a lease")
}

/// The kernel's ticks, by which the notes are made.
const TICK: Duration = Duration::from_millis(20);

#[test]
fn the_age_of_a_lease() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let taker = scope.spawn(|| queue.take().unwrap());
        eventually(|| name.look().asleep() == 1);
        std::thread::sleep(Duration::from_millis(200));
        let put = Instant::now();
        queue.put(b"one").unwrap();
        let held = taker.join().unwrap();
        let age = lease(&name).at_most.expect("an age");
        assert!(
            age <= put.elapsed() + TICK,
            "the sleep before counts: {age:?}"
        );
        let taken = Instant::now();
        std::thread::sleep(Duration::from_millis(50));
        let least = taken.elapsed();
        let age = lease(&name).at_most.expect("an age");
        assert!(age + TICK >= least && age <= begin.elapsed(), "{age:?}");
        assert_eq!(
            polyproc::inspect::oldest_lease(&name.0)
                .unwrap()
                .unwrap()
                .id,
            held.id()
        );

        // Another thread goes on, and the notes of the process with it.
        for _ in 0..100 {
            queue.put(b"more").unwrap();
            queue.take().unwrap().done().unwrap();
        }
        assert_eq!((lease(&name).id, lease(&name).at_most), (held.id(), None));
        held.done().unwrap();
        assert_eq!(polyproc::inspect::oldest_lease(&name.0).unwrap(), None);
    });
}

/// A job that takes so long is far apart from the next one, and from a note of the one before.
const JOB: Duration = Duration::from_millis(60);

/// Get and settle messages with `get` and `settle`, each after a job. Each must be held since its
/// own get.
fn work<M>(
    way: &str,
    name: &Name,
    jobs: u32,
    mut get: impl FnMut() -> M,
    settle: impl Fn(M),
) -> Instant {
    let mut last = Instant::now();
    for job in 0..jobs {
        std::thread::sleep(JOB);
        last = Instant::now();
        let message = get();
        let age = lease(name).at_most.expect("an age");
        assert!(
            age <= last.elapsed() + TICK,
            "{way}, job {job}: {age:?} after {:?}",
            last.elapsed()
        );
        settle(message);
    }
    last
}

/// A healthy worker looked hung in `stat` and to the exporter's alert: a try that found nothing
/// made two notes at once, and that counted as quick gets, so the next 31 gets made none. Go, Node,
/// Python and tasks of tokio wait by tries.
#[test]
fn a_worker_that_found_the_queue_empty_notes_each_of_its_gets() {
    const JOBS: u32 = 3;
    type Idle = (&'static str, fn(&Queue));
    let ways: [Idle; 6] = [
        ("nothing before", |_| {}),
        ("a try", |queue| drop(queue.try_take())),
        ("many tries", |queue| {
            for _ in 0..100 {
                assert!(queue.try_get().is_err());
                assert!(queue.try_take_many(7).is_err());
            }
        }),
        ("short waits", |queue| {
            for _ in 0..100 {
                let wait = Duration::from_micros(100);
                assert!(queue.take_timeout(wait).is_err());
            }
        }),
        ("tries of wait_any", |queue| {
            for _ in 0..100 {
                assert!(try_wait_any(&[Waitable::Get(queue)]).is_err());
            }
        }),
        ("a descriptor", |queue| {
            queue.fd().unwrap();
            assert!(queue.try_take().is_err());
        }),
    ];
    for (way, idle) in ways {
        for joins in [false, true] {
            let name = Name::new();
            let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
            idle(&queue);
            let messages = vec![b"a job"; 3 * JOBS as usize];
            queue.put_many(&messages).unwrap();
            if joins {
                let done = |_| queue.task_done().unwrap();
                work(way, &name, JOBS, || queue.try_get().unwrap(), done);
                work(way, &name, JOBS, || queue.get().unwrap(), done);
            } else {
                work(
                    way,
                    &name,
                    JOBS,
                    || queue.try_take().unwrap(),
                    |one| one.done().unwrap(),
                );
                work(
                    way,
                    &name,
                    JOBS,
                    || queue.take().unwrap(),
                    |one| one.done().unwrap(),
                );
                work(
                    way,
                    &name,
                    JOBS,
                    || queue.take_many(1).unwrap(),
                    |many| {
                        many.into_iter().for_each(|one| one.done().unwrap());
                    },
                );
            }
        }
    }
}

fn is_readable(fd: RawFd) -> bool {
    let mut one = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: `one` is one place for a result.
    unsafe { libc::poll(&mut one, 1, 0) == 1 }
}

/// After a run of quick gets, a wait of any kind makes the next get note itself.
#[test]
fn a_worker_that_waited_for_a_descriptor_or_in_wait_any_notes_its_next_get() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    let quick_gets = || {
        for _ in 0..100 {
            queue.put(b"quick").unwrap();
            queue.take().unwrap().done().unwrap();
        }
    };
    let ways: [(&str, &dyn Fn()); 4] = [
        ("wait_any", &|| {
            let wait = Duration::from_millis(1);
            assert!(wait_any_timeout(&[Waitable::Get(&queue)], wait).is_err());
            queue.put(b"slow").unwrap();
        }),
        ("the queue's own wait", &|| {
            assert!(queue.take_timeout(Duration::from_millis(1)).is_err());
            queue.put(b"slow").unwrap();
        }),
        ("a descriptor", &|| {
            let fd = queue.fd().unwrap();
            eventually(|| !is_readable(fd));
            queue.put(b"slow").unwrap();
            eventually(|| is_readable(fd));
        }),
        ("a try", &|| {
            assert!(queue.try_take().is_err());
            queue.put(b"slow").unwrap();
        }),
    ];
    for (way, wait) in ways {
        quick_gets();
        std::thread::sleep(JOB);
        wait();
        work(
            way,
            &name,
            1,
            || queue.take().unwrap(),
            |message| {
                message.done().unwrap();
            },
        );
    }
}

/// After n quick gets at most n slow ones make no note, and in the end the worker makes one at
/// each.
#[test]
fn a_worker_that_got_two_messages_at_once_notes_the_gets_after_the_next() {
    let name = Name::new();
    let queue = Queue::create(Some(&name.0), &JOINABLE).unwrap();
    queue.put_many(&[b"a job"; 6]).unwrap();
    let settle = || queue.take().unwrap().done().unwrap();
    (0..2).for_each(|_| settle());
    std::thread::sleep(JOB);
    settle();
    work(
        "two quick ones before",
        &name,
        3,
        || queue.take().unwrap(),
        |message| {
            message.done().unwrap();
        },
    );
}
