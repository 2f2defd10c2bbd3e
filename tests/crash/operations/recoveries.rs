//! Recovery itself: a first process dies and leaves work, a second one is killed at each
//! instruction of the recovery, and the others complete it.

use std::cell::OnceCell;
use std::sync::atomic::Ordering;

use polyproc::{
    Acquired, Barrier, Condition, CreateOptions, Lock, Queue, QueueOptions, Semaphore,
    SemaphoreOptions, Settled, Status, Wait,
};

use super::queues::{
    bounded, check_put, drain, filled, get, pattern, warm_up, work, Messages, LARGE,
};
use super::{add, in_time, Named};
use crate::case::Case;
use crate::page::{mark, page, timed};
use crate::stepper::{record, run, Body, Path};
use crate::third::{gone_after, Sleeper};

const BEFORE: [&[u8]; 2] = [b"first", b"second"];

fn before() -> Messages {
    BEFORE.iter().map(|message| message.to_vec()).collect()
}

/// A child that is killed partway through `body`, in percent.
struct Half {
    percent: usize,
    path: OnceCell<Path>,
}

impl Half {
    fn new(percent: usize) -> Half {
        Half {
            percent,
            path: OnceCell::new(),
        }
    }

    /// Makes a fresh object on which it has died.
    fn die(&self, make: fn() -> Queue, body: fn(&Queue)) -> Queue {
        let child = |queue: &Queue, go: &dyn Fn(&Body<'_>)| {
            go(&Body {
                prepare: &|| warm_up(queue),
                is_ready: &|| (),
                body: &|| body(queue),
                wake: None,
                may_fail: false,
            });
        };
        let path = self.path.get_or_init(|| {
            let queue = make();
            let path = std::cell::Cell::new(Path::default());
            child(&queue, &|body| path.set(record(body)));
            path.take()
        });
        let queue = make();
        child(&queue, &|body| {
            _ = run(path.len() * self.percent / 100, path, body)
        });
        queue
    }
}

fn put(queue: &Queue) {
    queue.try_put(b"third").unwrap();
}

fn put_large(queue: &Queue) {
    let large = [7; LARGE];
    queue.try_put(&large).unwrap();
}

fn get_first(queue: &Queue) {
    get(queue, Wait::TRY).unwrap();
}

fn plain() -> Queue {
    bounded(false, &BEFORE)
}

fn add_queues(all: &mut Vec<Named>) {
    add(all, "recovery of a consumer's messages", || {
        let make = || {
            let queue = bounded(true, &BEFORE);
            gone_after(|| {
                queue.take_raw(Wait::TRY).unwrap();
                queue.reserve_raw(LARGE, Wait::TRY).unwrap();
                get(&queue, Wait::TRY).unwrap();
            });
            queue
        };
        Case::new(make, |queue: &Queue| _ = queue.info().unwrap())
            .third(|_| ())
            .check(|queue, _| {
                let items = timed(|| queue.info()).unwrap();
                assert_eq!(
                    (items.items, items.in_flight),
                    (2, 0),
                    "lost or duplicated: {items:?}"
                );
                let left = super::queues::take_all(queue);
                assert_eq!(left, before(), "lost or duplicated");
            })
            .work(work)
    });
    add(all, "recovery of dead letters", || {
        let make = || {
            let options = QueueOptions {
                joinable: true,
                max_deliveries: 1,
                ..Default::default()
            };
            let queue = filled(options, &BEFORE);
            gone_after(|| {
                queue.take_raw(Wait::TRY).unwrap();
                queue.take_raw(Wait::TRY).unwrap();
            });
            queue
        };
        Case::new(make, |queue: &Queue| _ = queue.info().unwrap())
            .check(|queue, _| {
                let info = timed(|| queue.info()).unwrap();
                assert_eq!(info.dead_letters, 2, "lost or duplicated: {info:?}");
                assert_eq!((info.unfinished, info.bytes), (0, 0), "{info:?}");
                for message in BEFORE {
                    let letter = queue.take_dead_raw().unwrap();
                    assert_eq!((letter.len, letter.deliveries), (message.len(), 1));
                    queue.done_raw(letter.ticket).unwrap();
                    assert_eq!(queue.settled(letter.id), Ok(Settled::Dead), "lost");
                }
            })
            .work(work)
    });
    add(all, "recovery of dead letters that a recoverer had", || {
        // The process that is killed has the first message, and recovers one that died with the
        // second. The next process buries the second message, and then the first.
        let options = QueueOptions {
            joinable: true,
            max_deliveries: 1,
            ..Default::default()
        };
        Case::new(
            move || filled(options, &BEFORE),
            |queue: &Queue| assert_eq!(queue.try_join(), Err(Status::E_TIMEOUT)),
        )
        .prepare(|queue| {
            queue.take_raw(Wait::TRY).unwrap();
            gone_after(|| _ = queue.take_raw(Wait::TRY).unwrap());
        })
        .check(|queue, _| {
            let info = timed(|| queue.info()).unwrap();
            assert_eq!((info.unfinished, info.bytes), (0, 0), "{info:?}");
            let mut letters = Messages::new();
            while let Ok(letter) = queue.take_dead_raw() {
                // SAFETY: taken and not settled yet.
                let data = unsafe { std::slice::from_raw_parts(letter.data, letter.len) };
                letters.push(data.to_vec());
                queue.done_raw(letter.ticket).unwrap();
            }
            letters.sort();
            assert_eq!(letters, before(), "lost or duplicated");
        })
        .work(work)
    });
    for percent in [30, 50, 70] {
        let name = |what: &str| -> &'static str {
            format!("recovery of a {what} killed at {percent} %").leak()
        };
        add(all, name("put"), move || {
            let half = Half::new(percent);
            Case::new(
                move || half.die(plain, put),
                |queue: &Queue| queue.try_put(b"fourth").unwrap(),
            )
            .third(warm_up)
            .check(|queue, end| {
                let left = drain(queue);
                assert!(left.starts_with(&before()), "lost: what was there before");
                let texts: [&[u8]; 2] = [b"third", b"fourth"];
                let mut new = left[2..].iter();
                assert!(
                    new.len() <= 2 && new.all(|one| texts.contains(&&one[..])),
                    "out of nothing"
                );
                assert!(
                    !end.has_returned || left.last().unwrap() == b"fourth",
                    "lost"
                );
            })
            .work(work)
        });
        add(all, name("large put"), move || {
            let half = Half::new(percent);
            Case::new(
                move || half.die(plain, put_large),
                |queue: &Queue| queue.try_put(b"fourth").unwrap(),
            )
            .third(warm_up)
            .check(|queue, end| {
                let mut left = drain(queue);
                left.retain(|message| message[..] != [7; LARGE]);
                let returned = usize::from(end.has_returned);
                check_put(&left, &before(), &[b"fourth".to_vec()], returned);
            })
            .work(work)
        });
        add(all, name("get"), move || {
            let half = Half::new(percent);
            Case::new(
                move || half.die(plain, get_first),
                |queue: &Queue| _ = get(queue, Wait::TRY).unwrap(),
            )
            .third(warm_up)
            .check(|queue, end| {
                let left = drain(queue);
                assert!(before().ends_with(&left), "not in order");
                let least = usize::from(end.has_returned);
                assert!(left.len() <= 2 - least, "duplicated");
                end.went_with_the_dead(2 - least - left.len());
            })
            .work(work)
        });
    }
}

fn add_objects(all: &mut Vec<Named>) {
    add(all, "recovery of a lock", || {
        let make = || {
            let lock = Lock::create(None, CreateOptions::default()).unwrap();
            gone_after(|| _ = lock.try_acquire().unwrap());
            lock
        };
        Case::new(make, |lock: &Lock| {
            lock.acquire_timeout(in_time()).unwrap();
            lock.release().unwrap();
        })
        .check(|lock, end| {
            let acquired = timed(|| lock.acquire_timeout(in_time())).unwrap();
            assert_eq!(
                acquired == Acquired::Clean,
                end.has_returned || acquired == Acquired::Clean
            );
            lock.release().unwrap();
        })
        .work(|lock| {
            assert_eq!(
                timed(|| lock.acquire_timeout(in_time())),
                Ok(Acquired::Clean)
            );
            lock.release().unwrap();
        })
    });
    add(all, "recovery of owned permits", || {
        let make = || {
            let options = SemaphoreOptions {
                initial: 3,
                owned: true,
                ..Default::default()
            };
            let semaphore = Semaphore::create(None, &options).unwrap();
            gone_after(|| (0..2).for_each(|_| semaphore.try_acquire().unwrap()));
            semaphore
        };
        Case::new(make, |semaphore: &Semaphore| {
            (0..3).for_each(|_| semaphore.acquire_timeout(in_time()).unwrap());
        })
        .check(|semaphore, _| {
            assert_eq!(timed(|| semaphore.value()), Ok(3), "the dead hold permits")
        })
        .work(|semaphore| {
            (0..3).for_each(|_| timed(|| semaphore.try_acquire()).unwrap());
            assert_eq!(semaphore.try_acquire(), Err(Status::E_TIMEOUT));
            semaphore.release(3).unwrap();
        })
    });
    add(all, "recovery of a barrier", || {
        let make = || {
            let barrier = Barrier::create(None, CreateOptions::default(), 2).unwrap();
            Sleeper::in_call(
                || _ = barrier.wait_timeout(in_time()),
                || barrier.waiting() == Ok(1),
            );
            barrier
        };
        Case::new(make, |barrier: &Barrier| {
            assert_eq!(barrier.is_broken(), Ok(true))
        })
        .check(|barrier, _| {
            assert_eq!(timed(|| barrier.is_broken()), Ok(true));
            assert_eq!(
                barrier.wait_timeout(in_time()),
                Err(Status::E_BROKEN_BARRIER)
            );
            assert_eq!(barrier.waiting(), Ok(0));
        })
        .work(|barrier| {
            barrier.reset().unwrap();
            std::thread::scope(|scope| {
                let other = scope.spawn(|| barrier.wait_timeout(in_time()).unwrap());
                assert_eq!(
                    barrier.wait_timeout(in_time()).unwrap() + other.join().unwrap(),
                    1
                );
            });
        })
    });
    add(all, "recovery of a notified waiter", || {
        Case::new(Notified::make, |at: &Notified| {
            at.condition.notify(0).unwrap()
        })
        .check(|at, _| {
            // The dead process's notification reaches the other one, which was stopped meanwhile.
            at.other.signal(libc::SIGCONT);
            at.other.ends();
        })
        .work(|at| {
            assert_eq!(
                timed(|| at.lock.acquire_timeout(in_time())),
                Ok(Acquired::Clean)
            );
            let waited = at.condition.wait_on(&at.lock, Wait::TRY);
            assert_eq!(waited, Err(Status::E_TIMEOUT), "told twice");
            at.lock.release().unwrap();
        })
    });
    add(all, "recovery of a pipe", || {
        let make = || {
            let pipe = polyproc::pipe(true).unwrap();
            let long = pattern(1 << 20);
            // It has the senders' lock, and offers a message that no process receives.
            Sleeper::in_call(
                || _ = pipe.0.send_timeout(&long, in_time()),
                || pipe.1.try_poll() == Ok(()),
            );
            pipe
        };
        type Pipe = (polyproc::Connection, polyproc::Connection);
        Case::new(make, |pipe: &Pipe| {
            assert_eq!(pipe.1.try_poll(), Err(Status::E_TIMEOUT))
        })
        .check(|pipe, _| assert_eq!(timed(|| pipe.1.try_poll()), Err(Status::E_TIMEOUT)))
        .work(|pipe| {
            timed(|| pipe.0.send_timeout(b"short", in_time()).unwrap());
            let mut buffer = [std::mem::MaybeUninit::uninit(); 8];
            let got = timed(|| pipe.1.recv_raw(&mut buffer, in_time()));
            assert!(matches!(got, Ok(polyproc::Got::Message(5))));
        })
    });
}

pub fn add_to(all: &mut Vec<Named>) {
    add_queues(all);
    add_objects(all);
}

/// A waiter that was notified, could not return, and died; and another one that waits, stopped so
/// that it does not recover the dead one.
pub struct Notified {
    pub condition: Condition,
    pub lock: Lock,
    other: Sleeper,
}

impl Notified {
    fn make() -> Notified {
        let lock = || Lock::create(None, CreateOptions::default()).unwrap();
        let condition = Condition::create(None, CreateOptions::default()).unwrap();
        let (theirs, lock) = (lock(), lock());
        let waiter = |lock: &Lock| {
            let wait = || {
                lock.acquire_timeout(in_time()).unwrap();
                mark(1);
                condition.wait_on(lock, in_time()).unwrap();
                lock.release().unwrap();
            };
            page().mark.store(0, Ordering::SeqCst);
            // It waits once its lock can be acquired again.
            let waits = || page().mark.load(Ordering::SeqCst) == 1 && lock.is_locked() == Ok(false);
            Sleeper::in_call(wait, waits)
        };
        let first = waiter(&theirs);
        theirs.acquire_timeout(in_time()).unwrap();
        let other = waiter(&lock);
        other.signal(libc::SIGSTOP);
        condition.notify(1).unwrap();
        drop(first);
        Notified {
            condition,
            lock,
            other,
        }
    }
}
