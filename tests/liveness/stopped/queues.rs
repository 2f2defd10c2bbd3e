//! A process is stopped in a call of a queue.

use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use polyproc::{wait_any_timeout, Cancel, Queue, QueueOptions, Status, Wait, Waitable};

use super::{at_once, own, within, Stopped, BEYOND, OWN};
use crate::child::{sleep_for_ever, Child, Shared, DEADLINE};

fn queue(joinable: bool) -> Queue {
    let options = QueueOptions {
        joinable,
        ..Default::default()
    };
    Queue::create(None, &options).unwrap()
}

fn get(queue: &Queue, wait: Wait<'_>) -> Result<(), Status> {
    queue
        .get_raw(&mut [MaybeUninit::uninit(); 64], wait)
        .map(|_| ())
}

fn poll(fd: i32) -> bool {
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry that lives as long as the call.
    unsafe { libc::poll(&mut poll, 1, DEADLINE.as_millis() as i32) == 1 }
}

/// The queue works as one in which no process was ever stopped.
fn assert_whole(queue: &Queue) {
    let get = || {
        let got = get(queue, Wait::TRY);
        if got.is_ok() && queue.options().unwrap().joinable {
            queue.task_done().unwrap();
        }
        got
    };
    while get().is_ok() {}
    let info = queue.info().unwrap();
    assert_eq!(
        (info.items, info.in_flight, info.bytes),
        (0, 0, 0),
        "{info:?}"
    );
    assert_eq!((info.unfinished, info.puts), (0, info.gets), "{info:?}");
    queue.try_put(b"after").unwrap();
    get().unwrap();
}

#[test]
fn a_put_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let queue = queue(false);
    queue.try_put(b"one").unwrap();
    queue.try_put(b"two").unwrap();
    let taken = queue.take_raw(Wait::TRY).unwrap();
    let is_held = || queue.is_full() == Err(Status::E_TIMEOUT);
    let stopped = Stopped::within(
        || assert_eq!(queue.len(), Ok(1)),
        || queue.put(b"three").unwrap(),
        is_held,
    );
    // A call that needs the producers' lock could not look.
    let refused = Err(Status::E_TIMEOUT);
    assert_eq!(at_once(|| queue.try_put(b"x")), refused);
    assert_eq!(within(OWN, || queue.put_timeout(b"x", own())), refused);
    assert_eq!(
        within(OWN, || queue.put_timeout(&[0; 40_000], own())),
        refused
    );
    let put = within(OWN, || queue.put_many_raw(3, &|_| &b"x"[..], own()));
    assert_eq!(put, Err(Status::E_TIMEOUT));
    assert_eq!(
        within(OWN, || queue.reserve_raw(8, own())).err(),
        Some(Status::E_TIMEOUT)
    );
    assert_eq!(at_once(|| queue.info()).err(), Some(Status::E_TIMEOUT));
    assert_eq!(at_once(|| queue.shutdown(false)), refused);
    // A token ends it.
    let token = Cancel::new();
    token.fire();
    let canceled = Wait::FOREVER.or_cancel(&token);
    assert_eq!(
        at_once(|| queue.put_timeout(b"x", canceled)),
        Err(Status::E_CANCELED)
    );
    let any = within(OWN, || wait_any_timeout(&[Waitable::Put(&queue)], own()));
    assert_eq!(any, Err(Status::E_TIMEOUT));
    // A call that needs the consumers' lock only goes on; so does settling a loan.
    assert_eq!(at_once(|| queue.len()), Ok(1));
    assert_eq!(at_once(|| queue.give_back_raw(taken.ticket)), Ok(()));
    assert_eq!(at_once(|| get(&queue, Wait::TRY)), Ok(()));
    assert_eq!(at_once(|| get(&queue, Wait::TRY)), Ok(()));
    assert_eq!(within(OWN, || get(&queue, own())), Err(Status::E_EMPTY));
    stopped.goes_on();
    assert_eq!(queue.len(), Ok(1));
    assert_whole(&queue);
}

/// For a handler that sleeps.
static READ_END: AtomicI32 = AtomicI32::new(-1);

fn on_sigusr1(handler: extern "C" fn(i32)) {
    // SAFETY: a handler that only makes system calls.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
}

/// A call that does not block failed if it found every thread of the holder asleep, which says
/// nothing on a busy machine: a holder may wait for a second lock.
#[test]
fn a_holder_that_sleeps_now_and_then_is_not_stopped() {
    extern "C" fn naps(_: i32) {
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let queue = queue(false);
    let holder = Stopped::within(
        || {
            assert_eq!(queue.len(), Ok(0));
            on_sigusr1(naps);
        },
        || queue.put(b"one").unwrap(),
        || queue.is_full() == Err(Status::E_TIMEOUT),
    );
    holder.handles();
    assert_eq!(queue.try_put(b"two"), Ok(()));
    holder.ends();
    assert_eq!(queue.len(), Ok(2));
    assert_whole(&queue);
}

/// A process in a frozen container can look like this one.
#[test]
fn a_holder_that_only_sleeps_holds_up_no_call_longer_than_its_time() {
    extern "C" fn sleeps(_: i32) {
        let mut byte = 0u8;
        // SAFETY: a writable byte.
        unsafe { libc::read(READ_END.load(Ordering::Relaxed), (&raw mut byte).cast(), 1) };
    }
    let (end, mut other_end) = std::io::pipe().unwrap();
    READ_END.store(end.as_raw_fd(), Ordering::Relaxed);
    let queue = queue(false);
    let holder = Stopped::within(
        || {
            assert_eq!(queue.len(), Ok(0));
            on_sigusr1(sleeps);
        },
        || queue.put(b"one").unwrap(),
        || queue.is_full() == Err(Status::E_TIMEOUT),
    );
    holder.handles();
    assert_eq!(at_once(|| queue.try_put(b"x")), Err(Status::E_TIMEOUT));
    assert_eq!(at_once(|| queue.info()).err(), Some(Status::E_TIMEOUT));
    let put = within(OWN, || queue.put_timeout(b"x", own()));
    assert_eq!(put, Err(Status::E_TIMEOUT));
    other_end.write_all(b"!").unwrap();
    holder.ends();
    assert_eq!(queue.len(), Ok(1));
    assert_whole(&queue);
}

/// Makes the next process that this thread forks the first one of a pid namespace.
fn enter_a_pid_namespace() {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWPID) }, 0);
}

/// Two containers with one /dev/shm, each with one process: each took the other one for itself, and
/// a call that does not block took five seconds beside a frozen one.
#[test]
fn a_holder_that_is_stopped_has_the_callers_number() {
    if !crate::sandbox::is_root("a_holder_that_is_stopped_has_the_callers_number") {
        return;
    }
    let queue = queue(false);
    let words = Shared::new();
    let outside = Child::started(|| {
        enter_a_pid_namespace();
        let _caller = Child::started(|| {
            assert_eq!(std::process::id(), 1);
            words.when_set(0);
            let begin = Instant::now();
            assert_eq!(queue.is_full(), Err(Status::E_TIMEOUT));
            words.set(1, 1 + begin.elapsed().as_millis() as u32);
        });
        sleep_for_ever();
    });
    enter_a_pid_namespace();
    let stopped = Stopped::within(
        || assert_eq!((std::process::id(), queue.len()), (1, Ok(0))),
        || queue.put(b"one").unwrap(),
        || queue.is_full() == Err(Status::E_TIMEOUT),
    );
    words.set(0, 1);
    let took = Duration::from_millis(words.when_set(1).into());
    assert!(took < BEYOND, "it took {took:?}");
    stopped.goes_on();
    outside.kill();
    assert_eq!(queue.len(), Ok(1));
    assert_whole(&queue);
}

#[test]
fn a_get_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let queue = queue(true);
    for _ in 0..4 {
        queue.try_put(b"a message").unwrap();
    }
    let taken = queue.take_raw(Wait::TRY).unwrap();
    let returned = queue.take_raw(Wait::TRY).unwrap();
    let reserved = queue.reserve_raw(8, Wait::TRY).unwrap();
    let other = self::queue(false);
    let (fd, _) = (other.fd().unwrap(), queue.fd().unwrap());
    let is_held = || queue.task_done() == Err(Status::E_TIMEOUT);
    let bystander = Child::that(|| assert_eq!(queue.is_full(), Ok(false)));
    let stopped = Stopped::within(
        || assert_eq!(queue.is_full(), Ok(false)),
        || {
            get(&queue, Wait::FOREVER).unwrap();
            queue.task_done().unwrap();
        },
        is_held,
    );
    // If another process has died, no call waits to recover what the dead process held.
    for has_died in [false, true] {
        assert_eq!(at_once(|| get(&queue, Wait::TRY)), Err(Status::E_TIMEOUT));
        assert_eq!(within(OWN, || get(&queue, own())), Err(Status::E_TIMEOUT));
        assert_eq!(
            within(OWN, || queue.take_raw(own())).err(),
            Some(Status::E_TIMEOUT)
        );
        assert_eq!(
            within(OWN, || queue.join_timeout(own())),
            Err(Status::E_TIMEOUT)
        );
        assert_eq!(at_once(|| queue.try_put(b"x")), Ok(()));
        let any = within(OWN, || wait_any_timeout(&[Waitable::Get(&queue)], own()));
        assert_eq!(any, Err(Status::E_TIMEOUT));
        // The watcher passes over it.
        other.try_put(b"elsewhere").unwrap();
        assert!(
            at_once(|| poll(fd)),
            "another queue's descriptor stands still"
        );
        get(&other, Wait::TRY).unwrap();
        if !has_died {
            bystander.signal(libc::SIGKILL);
        }
    }
    // A loan can be settled all the same.
    assert_eq!(at_once(|| queue.done_raw(taken.ticket)), Ok(()));
    assert_eq!(
        queue.done_raw(taken.ticket),
        Err(Status::E_INVALID),
        "settled twice"
    );
    assert_eq!(at_once(|| queue.give_back_raw(returned.ticket)), Ok(()));
    assert_eq!(at_once(|| queue.abort_raw(&reserved)), Ok(()));
    stopped.goes_on();
    let info = queue.info().unwrap();
    // One that was returned, one that was never got, two that were put since.
    assert_eq!((info.items, info.in_flight), (4, 0), "{info:?}");
    assert_whole(&queue);
    assert_eq!(queue.join_timeout(own()), Ok(()));
}

/// A close gave back what its process held, and waited for the stopped process's lock.
#[test]
fn a_close_beside_a_stopped_peer_returns_and_what_it_left_is_recovered() {
    let queue = queue(false);
    queue.try_put(b"one").unwrap();
    queue.try_put(b"two").unwrap();
    let fd = queue.share_fd().unwrap();
    let stopped = Stopped::within(
        || assert_eq!(queue.len(), Ok(2)),
        || get(&queue, Wait::FOREVER).unwrap(),
        || queue.take_dead_raw().is_ok() || queue.info().is_err(),
    );
    // A process that takes part, holds nothing, and closes; its exit takes this way too.
    let closer = Child::that(|| {
        let opened = Queue::from_fd(fd.try_clone().unwrap()).unwrap();
        assert_eq!(at_once(|| opened.info()).err(), Some(Status::E_TIMEOUT));
        at_once(|| drop(opened));
    });
    stopped.goes_on();
    closer.kill();
    let info = queue.info().unwrap();
    assert_eq!((info.participants, info.in_flight), (1, 0), "{info:?}");
    assert_whole(&queue);
}
