//! Creating, opening, closing and unlinking objects.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use polyproc::{CreateOptions, Lock, Queue, QueueOptions, Status, Wait};

use super::queues::{check_put, get, pattern, work as work_with_queue, LARGE};
use super::{add, Named};
use crate::case::Case;
use crate::page::timed;

/// A name, which is unlinked with its owner, and a queue that may be open under it.
pub struct Name {
    pub name: String,
    pub queue: RefCell<Option<Queue>>,
    owner: u32,
}

impl Name {
    fn new() -> Name {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (owner, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Name {
            name: format!("crash.{owner}.{count}"),
            queue: RefCell::default(),
            owner,
        }
    }

    /// The queue is there, and two messages wait in it.
    fn made() -> Name {
        let made = Name::new();
        let queue = Queue::create(Some(&made.name), &options(false)).unwrap();
        fill(&queue);
        made.queue.replace(Some(queue));
        made
    }

    /// The queue is shut down, has two messages, and no process has it open.
    fn over() -> Name {
        let over = Name::made();
        let queue = over.queue.take().unwrap();
        queue.shutdown(false).unwrap();
        over
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        if self.owner == std::process::id() {
            let _ = polyproc::unlink(&self.name);
        }
    }
}

fn options(open_or_create: bool) -> QueueOptions {
    QueueOptions {
        create: CreateOptions {
            open_or_create,
            ..Default::default()
        },
        ..Default::default()
    }
}

fn fill(queue: &Queue) {
    queue.try_put(b"first").unwrap();
    queue.try_put(&pattern(LARGE)).unwrap();
}

/// The messages of `fill` are there, and the queue works.
fn is_whole(queue: &Queue) {
    assert_eq!(timed(|| get(queue, Wait::TRY)), Ok(b"first".to_vec()));
    assert!(
        timed(|| get(queue, Wait::TRY)).unwrap() == pattern(LARGE),
        "lost: a message"
    );
    work_with_queue(queue);
}

/// The next process finds the name whole or not there.
fn works(name: &Name) {
    let queue = timed(|| Queue::create(Some(&name.name), &options(true))).unwrap();
    work_with_queue(&queue);
    let listed = polyproc::list()
        .unwrap()
        .into_iter()
        .find(|object| object.name == name.name);
    assert!(
        listed.is_some_and(|object| object.mode == 0o600),
        "it is not on the list"
    );
}

fn add_named(all: &mut Vec<Named>) {
    let makes: [(&str, bool); 2] = [("create, named", false), ("open or create", true)];
    for (what, open_or_create) in makes {
        add(all, what, move || {
            Case::new(Name::new, move |name: &Name| {
                let queue = Queue::create(Some(&name.name), &options(open_or_create)).unwrap();
                std::mem::forget(queue);
            })
            .prepare(warm_up)
            .check(move |name, end| match timed(|| Queue::open(&name.name)) {
                Ok(queue) => {
                    assert_eq!(queue.info().unwrap().participants, 1, "the dead are there");
                    work_with_queue(&queue);
                }
                Err(status) => {
                    assert_eq!(
                        status,
                        Status::E_NOT_FOUND,
                        "half of an object is to be seen"
                    );
                    assert!(!end.has_returned, "lost: an object that was made");
                }
            })
            .work(works)
        });
    }
    add(all, "open or create, made anew", || {
        Case::new(Name::over, |name: &Name| {
            let queue = Queue::create(Some(&name.name), &options(true)).unwrap();
            queue.len().unwrap();
            std::mem::forget(queue);
        })
        .prepare(warm_up)
        .check(|name, end| match timed(|| Queue::open(&name.name)) {
            Ok(queue) if queue.info().unwrap().shutdown => {
                assert!(!end.has_returned, "the old one is there again");
                assert_eq!(timed(|| get(&queue, Wait::TRY)), Ok(b"first".to_vec()));
                assert!(get(&queue, Wait::TRY).unwrap() == pattern(LARGE));
                assert_eq!(get(&queue, Wait::TRY), Err(Status::E_SHUTDOWN));
            }
            Ok(queue) => {
                assert_eq!(queue.info().unwrap().participants, 1, "the dead are there");
                assert_eq!(queue.len(), Ok(0), "something of the old one is there");
                work_with_queue(&queue);
            }
            // Half made: the next process that asks for it makes it.
            Err(status) => assert!(status == Status::E_CORRUPT && !end.has_returned),
        })
        .work(works)
    });
    add(all, "open", || {
        Case::new(Name::made, |name: &Name| {
            let queue = Queue::open(&name.name).unwrap();
            queue.len().unwrap();
            std::mem::forget(queue);
        })
        .prepare(|name| {
            warm_up(name);
            drop(name.queue.take());
        })
        .check(|name, _| {
            let open = name.queue.borrow();
            let queue = open.as_ref().unwrap();
            assert_eq!(
                timed(|| queue.info()).unwrap().participants,
                1,
                "the dead are there"
            );
            is_whole(queue);
        })
        .work(works)
    });
    add(all, "close", || {
        Case::new(Name::made, |name: &Name| drop(name.queue.take()))
            .prepare(|name| {
                opened_anew(name);
                name.queue.borrow().as_ref().unwrap().len().unwrap();
            })
            .check(|name, _| {
                let open = name.queue.borrow();
                let queue = open.as_ref().unwrap();
                assert_eq!(
                    timed(|| queue.info()).unwrap().participants,
                    1,
                    "the dead are there"
                );
                is_whole(queue);
            })
            .work(works)
    });
    add(all, "unlink", || {
        Case::new(Name::made, |name: &Name| {
            polyproc::unlink(&name.name).unwrap()
        })
        .prepare(warm_up)
        .check(|name, end| {
            // A process that has it open keeps it.
            is_whole(name.queue.borrow().as_ref().unwrap());
            let is_there = timed(|| Queue::open(&name.name)).is_ok();
            assert!(!is_there || !end.has_returned, "it is there again");
        })
        .work(works)
    });
}

/// The child has a keeper, and nothing of this object.
fn warm_up(_: &Name) {
    let lock = Lock::create(None, CreateOptions::default()).unwrap();
    lock.try_acquire().unwrap();
    std::mem::forget(lock);
}

/// The child's inherited handles are closed, and the queue is open here as in any process.
fn opened_anew(name: &Name) {
    drop(name.queue.take());
    name.queue.replace(Some(Queue::open(&name.name).unwrap()));
}

/// How many descriptors this process has.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn add_anonymous(all: &mut Vec<Named>) {
    add(all, "create and close, anonymous", || {
        Case::new(Name::new, |_: &Name| {
            let queue = Queue::create(None, &QueueOptions::default()).unwrap();
            queue.try_put(b"first").unwrap();
        })
        .prepare(warm_up)
        .check(|_, _| {
            let before = descriptors();
            let queue = timed(|| Queue::create(None, &QueueOptions::default())).unwrap();
            work_with_queue(&queue);
            drop(queue);
            assert_eq!(descriptors(), before, "a descriptor is left");
        })
        .work(works)
    });
    add(all, "first object of a process", || {
        Case::new(Name::new, |name: &Name| {
            let queue = Queue::create(Some(&name.name), &options(false)).unwrap();
            queue.try_put(b"first").unwrap();
        })
        .check(|name, end| match timed(|| Queue::open(&name.name)) {
            Ok(queue) => {
                let left = super::queues::take_all(&queue);
                check_put(
                    &left,
                    &[],
                    &[b"first".to_vec()],
                    usize::from(end.has_returned),
                );
                work_with_queue(&queue);
            }
            Err(status) => assert!(status == Status::E_NOT_FOUND && !end.has_returned, "lost"),
        })
        .work(works)
    });
}

pub fn add_to(all: &mut Vec<Named>) {
    add_named(all);
    add_anonymous(all);
}
