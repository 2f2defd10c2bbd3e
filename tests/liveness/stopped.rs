//! A process is stopped in the middle of a call, while it holds an internal lock: the others keep
//! their times, and all is whole when it goes on. `make crash STOP=1` does this at every
//! instruction of every operation.

use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use polyproc::{
    pipe, wait_any_timeout, Barrier, Cancel, Condition, CreateOptions, Got, Lock, Queue,
    QueueOptions, Semaphore, SemaphoreOptions, Status, Wait, Waitable,
};

use crate::child::{Child, DEADLINE};

/// The timeout of calls that have one.
const OWN: Duration = Duration::from_millis(100);
/// The library promises 50 ms beyond a call's own time, and a busy machine adds its share. A call
/// that waits for the stopped process takes for ever, or took a second.
const BEYOND: Duration = Duration::from_millis(400);

fn own() -> Wait<'static> {
    Wait::from(OWN)
}

fn in_time() -> Wait<'static> {
    Wait::from(DEADLINE)
}

/// Makes a call that may wait for so long by itself.
fn within<T>(own: Duration, call: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let answer = call();
    let took = begin.elapsed();
    assert!(took < own + BEYOND, "it took {took:?}");
    answer
}

/// Makes a call that does not block.
fn at_once<T>(call: impl FnOnce() -> T) -> T {
    within(Duration::ZERO, call)
}

/// A process that stands at an instruction of its call.
struct Stopped(Child);

impl Stopped {
    /// A child that has done `before` and is stopped within `body`, as soon as `is_held` sees that
    /// it holds the lock.
    fn within(before: impl FnOnce(), body: impl FnOnce(), is_held: impl Fn() -> bool) -> Stopped {
        let child = Child::started(|| {
            before();
            // SAFETY: no pointers.
            unsafe {
                libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                libc::raise(libc::SIGSTOP);
            }
            body();
            // SAFETY: no preconditions.
            unsafe { libc::_exit(0) };
        });
        let stopped = Stopped(child);
        assert!(libc::WIFSTOPPED(stopped.wait()));
        while !is_held() {
            stopped.ask(libc::PTRACE_SINGLESTEP);
            let status = stopped.wait();
            assert!(libc::WIFSTOPPED(status), "it never held it: {status:#x}");
        }
        stopped
    }

    fn ask(&self, request: libc::c_uint) {
        // SAFETY: our own child, which this thread traces; no memory is passed.
        assert_eq!(unsafe { libc::ptrace(request, self.0.pid, 0, 0) }, 0);
    }

    fn wait(&self) -> i32 {
        let mut status = 0;
        // SAFETY: our own child; `status` is writable.
        assert_eq!(
            // SAFETY: it writes the status to a local.
            unsafe { libc::waitpid(self.0.pid, &mut status, 0) },
            self.0.pid
        );
        status
    }

    /// Lets it go on with the handler of SIGUSR1, and then to the end of its call.
    fn handles(&self) {
        // SAFETY: our own child, which this thread traces; no memory is passed.
        let asked = unsafe { libc::ptrace(libc::PTRACE_CONT, self.0.pid, 0, libc::SIGUSR1) };
        assert_eq!(asked, 0);
    }

    /// Waits for the end of its call.
    fn ends(self) {
        assert_eq!(self.wait(), 0, "it failed");
        // It is reaped, so its number may be another process's.
        std::mem::forget(self.0);
    }

    /// Lets it go on, to the end of its call.
    fn goes_on(self) {
        self.ask(libc::PTRACE_CONT);
        self.ends();
    }
}

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

#[test]
fn an_owned_acquire_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let options = SemaphoreOptions {
        initial: 2,
        owned: true,
        ..Default::default()
    };
    let semaphore = Semaphore::create(None, &options).unwrap();
    semaphore.try_acquire().unwrap();
    let stopped = Stopped::within(
        || assert_eq!(semaphore.value(), Ok(1)),
        || {
            semaphore.try_acquire().unwrap();
            semaphore.release(1).unwrap();
        },
        || semaphore.value() == Err(Status::E_TIMEOUT),
    );
    let refused = Err(Status::E_TIMEOUT);
    assert_eq!(at_once(|| semaphore.try_acquire()), refused);
    assert_eq!(within(OWN, || semaphore.acquire_timeout(own())), refused);
    assert_eq!(at_once(|| semaphore.release(1)), refused);
    stopped.goes_on();
    semaphore.release(1).unwrap();
    assert_eq!(semaphore.value(), Ok(2));
}

fn barrier(parties: u32) -> Barrier {
    Barrier::create(None, CreateOptions::default(), parties).unwrap()
}

#[test]
fn a_party_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let barrier = barrier(3);
    let party = Child::started(|| {
        let told = barrier.wait_timeout(in_time());
        assert_eq!(told, Err(Status::E_BROKEN_BARRIER));
        // SAFETY: no preconditions.
        unsafe { libc::_exit(0) };
    });
    crate::child::eventually("a party", || barrier.waiting() == Ok(1));
    let stopped = Stopped::within(
        || assert_eq!(barrier.waiting(), Ok(1)),
        || {
            assert_eq!(
                barrier.wait_timeout(in_time()),
                Err(Status::E_BROKEN_BARRIER)
            )
        },
        || barrier.complete(true) == Err(Status::E_TIMEOUT),
    );
    assert_eq!(at_once(|| barrier.reset()), Err(Status::E_TIMEOUT));
    assert_eq!(at_once(|| barrier.abort()), Err(Status::E_TIMEOUT));
    assert_eq!(
        within(OWN, || barrier.wait_timeout(own())),
        Err(Status::E_TIMEOUT)
    );
    // Its time was over, which breaks the barrier: for the others as soon as the stopped process
    // goes on.
    stopped.goes_on();
    assert_eq!(barrier.is_broken(), Ok(true));
    let mut status = 0;
    // SAFETY: our own child; `status` is writable.
    unsafe { libc::waitpid(party.pid, &mut status, 0) };
    std::mem::forget(party);
    assert_eq!(status, 0, "the party that waited");
    barrier.reset().unwrap();
    assert_eq!(barrier.waiting(), Ok(0));
}

/// A party that waits gives up while another one is stopped inside.
#[test]
fn a_party_gives_up_beside_a_stopped_peer() {
    let barrier = barrier(2);
    let (begun, told) = std::thread::scope(|scope| {
        let party = scope.spawn(|| {
            let begin = Instant::now();
            (begin, barrier.wait_timeout(Wait::for_ns(2_000_000_000)))
        });
        crate::child::eventually("a party", || barrier.waiting() == Ok(1));
        let stopped = Stopped::within(
            || assert_eq!(barrier.waiting(), Ok(1)),
            || {
                let _ = barrier.reset();
            },
            || barrier.complete(true) == Err(Status::E_TIMEOUT),
        );
        let told = party.join().unwrap();
        stopped.goes_on();
        told
    });
    assert_eq!(told, Err(Status::E_TIMEOUT));
    assert!(begun.elapsed() < DEADLINE);
    // Nothing of the party that gave up is left.
    barrier.reset().unwrap();
    assert_eq!(barrier.waiting(), Ok(0));
    let both = std::thread::scope(|scope| {
        let other = scope.spawn(|| barrier.wait_timeout(in_time()));
        [barrier.wait_timeout(in_time()), other.join().unwrap()]
    });
    assert!(both.contains(&Ok(0)) && both.contains(&Ok(1)), "{both:?}");
}

#[test]
fn a_send_that_is_stopped_holds_up_no_call_longer_than_its_time() {
    let (receiver, sender) = pipe(false).unwrap();
    let stopped = Stopped::within(
        || sender.try_send(b"first").unwrap(),
        || sender.try_send(b"second").unwrap(),
        || sender.try_send(b"probe") == Err(Status::E_TIMEOUT),
    );
    assert_eq!(
        within(OWN, || sender.send_timeout(b"x", own())),
        Err(Status::E_TIMEOUT)
    );
    // Receiving goes on, to the end of what is there.
    let mut buffer = [MaybeUninit::uninit(); 64];
    while at_once(|| receiver.recv_raw(&mut buffer, Wait::TRY)).is_ok() {}
    assert_eq!(
        within(OWN, || receiver.poll_timeout(own())),
        Err(Status::E_TIMEOUT)
    );
    stopped.goes_on();
    receiver.recv_raw(&mut buffer, in_time()).unwrap();
    sender.try_send(b"third").unwrap();
    receiver.recv_raw(&mut buffer, in_time()).unwrap();
}

/// A message longer than a pipe's ring, so that both ends take part in its transfer.
const LONG: usize = 8 << 20;
const TRANSFERS: usize = 5;

/// Stops the child, which makes transfers all the time, and calls `one` until it fails.
fn stopped_in_a_transfer(peer: &Child, one: impl Fn() -> Result<(), Status>) {
    for _ in 0..TRANSFERS {
        // On a busy machine a step can take longer than its time.
        while one().is_err() {}
        peer.signal(libc::SIGSTOP);
        std::thread::scope(|scope| {
            let (done, is_done) = std::sync::mpsc::channel::<()>();
            // A call that would never return fails the test instead.
            scope.spawn(move || {
                let _ = is_done.recv_timeout(DEADLINE);
                peer.signal(libc::SIGCONT);
            });
            let ended = (0..3).find_map(|_| within(OWN, &one).err());
            assert_eq!(ended, Some(Status::E_TIMEOUT));
            drop(done);
        });
    }
}

/// The time for a step began anew at every slice of the sleep, so it never ended.
#[test]
fn a_receiver_that_is_stopped_in_a_transfer_leaves_a_send_its_time() {
    let (receiver, sender) = pipe(false).unwrap();
    let peer = Child::started(|| {
        let mut room = vec![MaybeUninit::uninit(); LONG];
        while receiver.recv_raw(&mut room, in_time()).is_ok() {}
    });
    let data = vec![7; LONG];
    stopped_in_a_transfer(&peer, || sender.send_timeout(&data, own()));
    peer.kill();
}

#[test]
fn a_sender_that_is_stopped_in_a_transfer_leaves_a_receive_its_time() {
    let (receiver, sender) = pipe(false).unwrap();
    let peer = Child::started(|| {
        let data = vec![7; LONG];
        while sender.send_timeout(&data, in_time()).is_ok() {}
    });
    let room = std::cell::RefCell::new(vec![MaybeUninit::uninit(); LONG]);
    stopped_in_a_transfer(&peer, || {
        let got = receiver.recv_raw(&mut room.borrow_mut(), own());
        got.map(|got| assert_eq!(got, Got::Message(LONG)))
    });
    peer.kill();
}

/// A notifier waits for no waiter, wherever that is stopped.
#[test]
fn a_notifier_that_is_stopped_holds_up_nobody() {
    let (condition, lock) = (
        Condition::create(None, CreateOptions::default()).unwrap(),
        Lock::create(None, CreateOptions::default()).unwrap(),
    );
    for steps in (0..400).step_by(40) {
        let left = std::cell::Cell::new(steps);
        let stopped = Stopped::within(
            || condition.notify(1).unwrap(),
            || (0..100).for_each(|_| condition.notify_all().unwrap()),
            || left.replace(left.get() - 1) == 0,
        );
        lock.try_acquire().unwrap();
        let waited = within(OWN, || condition.wait_on(&lock, own()));
        assert_eq!(waited, Err(Status::E_TIMEOUT));
        lock.release().unwrap();
        at_once(|| condition.notify_all()).unwrap();
        stopped.goes_on();
    }
}
