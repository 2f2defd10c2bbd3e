//! The surface that programs in Rust see: guards, timeouts, copies, conversions.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use polyproc::{
    pipe, wait_any_timeout, Acquired, Barrier, Cancel, Condition, Connection, CreateOptions, Error,
    Event, Got, Listener, Lock, LockGuard, Message, OwnedMessage, OwnedSlot, Permit, Pool, Process,
    Queue, QueueOptions, Rlock, RlockGuard, Semaphore, SemaphoreOptions, Slot, Status, Task, Wait,
    Waitable,
};

/// A deadline that only a hang meets.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn joinable() -> Queue {
    let options = QueueOptions {
        joinable: true,
        ..Default::default()
    };
    Queue::create(None, &options).unwrap()
}

fn lock() -> Lock {
    Lock::create(None, CreateOptions::default()).unwrap()
}

/// The time that a call took, which ends with `E_TIMEOUT` or what stands for it.
fn timed_out<T>(expected: Status, call: impl FnOnce() -> Result<T, Status>) {
    let begin = Instant::now();
    assert_eq!(call().err(), Some(expected));
    let took = begin.elapsed();
    assert!(took >= SHORT && took < LONG, "{took:?}");
}

#[test]
fn handles_and_guards_cross_threads_where_they_may() {
    fn crosses<T: Send + Sync>() {}
    crosses::<Queue>();
    crosses::<Lock>();
    crosses::<Rlock>();
    crosses::<Semaphore>();
    crosses::<Event>();
    crosses::<Condition>();
    crosses::<Barrier>();
    crosses::<Connection>();
    crosses::<Listener>();
    crosses::<Process>();
    crosses::<Pool>();
    crosses::<Task>();
    crosses::<Cancel>();
    crosses::<Message<'_>>();
    crosses::<OwnedMessage>();
    crosses::<Slot<'_>>();
    crosses::<OwnedSlot>();
    crosses::<LockGuard<'_>>();
    crosses::<Permit<'_>>();
    crosses::<Error>();

    // Two implementations fit a type that is `Send`, and then this does not compile.
    trait NotSend<Which> {
        fn check() {}
    }
    struct IsSend;
    impl<T> NotSend<()> for T {}
    impl<T: Send> NotSend<IsSend> for T {}
    <RlockGuard<'_> as NotSend<_>>::check();
}

#[test]
fn a_message_that_is_dropped_comes_back() {
    let queue = joinable();
    queue.put(b"work").unwrap();
    drop(queue.take().unwrap());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let message = queue.take().unwrap();
        assert_eq!(message.deliveries(), 2);
        panic!("in the middle of {message:?}");
    }));
    assert!(panicked.is_err());
    let message = queue.try_take().unwrap();
    assert_eq!((&message[..], message.deliveries()), (&b"work"[..], 3));
    let id = message.id();
    message.give_back().unwrap();
    let message = queue.try_take().unwrap();
    assert_eq!((message.id(), message.deliveries()), (id, 4));
    assert_eq!(queue.try_join(), Err(Status::E_TIMEOUT));
    message.done().unwrap();
    queue.join().unwrap();
    assert_eq!(queue.try_take().err(), Some(Status::E_EMPTY));
}

#[test]
fn a_slot_that_is_dropped_is_given_up() {
    let queue = joinable();
    let mut slot = queue.reserve(8).unwrap();
    slot.copy_from_slice(b"gives up");
    drop(slot);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _slot = queue.reserve(8).unwrap();
        panic!("while it writes");
    }));
    assert!(panicked.is_err());
    queue.reserve(8).unwrap().abort().unwrap();
    assert_eq!(
        queue.reserve(8).unwrap().commit(9),
        Err(Status::E_TOO_LARGE)
    );
    assert_eq!(queue.len(), Ok(0));
    let mut slot = queue.reserve(8).unwrap();
    slot[..4].copy_from_slice(b"kept");
    slot.commit(4).unwrap();
    assert_eq!(queue.try_get().unwrap(), b"kept");
}

#[test]
fn owned_guards_go_to_other_threads_and_keep_the_queue() {
    let queue = Arc::new(joinable());
    let mut slot = queue.reserve_owned(4).unwrap();
    let writer = std::thread::spawn(move || {
        slot.copy_from_slice(b"sent");
        slot.commit(4)
    });
    writer.join().unwrap().unwrap();
    queue.put(b"more").unwrap();
    let messages = queue.take_many_owned_timeout(9, LONG).unwrap();
    let texts: Vec<&[u8]> = messages.iter().map(|message| &message[..]).collect();
    assert_eq!(texts, [b"sent", b"more"]);
    let fd = queue.share_fd().unwrap();
    drop(queue);
    let settler = std::thread::spawn(move || {
        let each = messages.into_iter();
        each.map(OwnedMessage::done).collect::<Result<Vec<()>, _>>()
    });
    settler.join().unwrap().unwrap();
    let queue = Arc::new(Queue::from_fd(fd).unwrap());
    assert_eq!(queue.info().unwrap().unfinished, 0);
    let two = [joinable(), joinable()];
    for queue in &two {
        assert_eq!(queue.put_many(&["a", "b"]), Ok(2));
    }
    let messages = two.iter().flat_map(|queue| queue.take_many(2).unwrap());
    Message::done_many(messages).unwrap();
    assert!(two.iter().all(|queue| queue.try_join() == Ok(())));
    queue.put(b"again").unwrap();
    drop(queue.take_owned().unwrap());
    assert_eq!(queue.take_owned_timeout(LONG).unwrap().deliveries(), 2);
}

#[test]
fn copies_of_every_length_fit_and_a_small_buffer_leaves_the_message() {
    let queue = joinable();
    let (here, there) = pipe(true).unwrap();
    for len in [0, 1, 1023, 1024, 1025, 100_000] {
        let message: Vec<u8> = (0..len).map(|at| at as u8).collect();
        queue.put(&message).unwrap();
        here.send(&message).unwrap();
        if len > 0 {
            let mut small = vec![7; len - 1];
            assert_eq!(queue.get_into(&mut small), Ok(Got::TooSmall(len)));
            assert_eq!(there.recv_into(&mut small), Ok(Got::TooSmall(len)));
            assert_eq!(small, vec![7; len - 1]);
        }
        let mut large = vec![7; len + 1];
        assert_eq!(there.try_recv_into(&mut large), Ok(Got::Message(len)));
        assert_eq!((&large[..len], large[len]), (&message[..], 7));
        here.send(&message).unwrap();
        assert_eq!(there.recv().unwrap(), message);
        assert_eq!(queue.get().unwrap(), message);
        queue.task_done().unwrap();
    }
    assert_eq!(queue.try_get(), Err(Status::E_EMPTY));
    assert_eq!(there.try_recv(), Err(Status::E_TIMEOUT));
}

#[test]
fn a_duration_ends_a_wait() {
    let (queue, lock) = (joinable(), lock());
    let full = QueueOptions {
        max_items: 1,
        ..Default::default()
    };
    let full = Queue::create(None, &full).unwrap();
    full.put(b"full").unwrap();
    timed_out(Status::E_EMPTY, || queue.get_timeout(SHORT));
    timed_out(Status::E_EMPTY, || {
        queue.get_into_timeout(&mut [0; 9], Some(SHORT))
    });
    timed_out(Status::E_EMPTY, || queue.take_timeout(SHORT));
    timed_out(Status::E_EMPTY, || queue.take_many_timeout(2, SHORT));
    timed_out(Status::E_FULL, || full.put_timeout(b"x", SHORT));
    timed_out(Status::E_FULL, || full.put_many_timeout(&["x"], SHORT));
    timed_out(Status::E_FULL, || full.reserve_timeout(1, SHORT));
    queue.put(b"unfinished").unwrap();
    timed_out(Status::E_TIMEOUT, || queue.join_timeout(SHORT));

    let held = lock.lock_timeout(None).unwrap();
    timed_out(Status::E_TIMEOUT, || lock.lock_timeout(SHORT));
    timed_out(Status::E_TIMEOUT, || lock.acquire_timeout(SHORT));
    drop(held);
    let rlock = Rlock::create(None, CreateOptions::default()).unwrap();
    rlock.acquire_as(7).unwrap();
    timed_out(Status::E_TIMEOUT, || rlock.lock_timeout(SHORT));
    let semaphore = Semaphore::create(None, &SemaphoreOptions::default()).unwrap();
    timed_out(Status::E_TIMEOUT, || semaphore.permit_timeout(SHORT));
    let event = Event::create(None, CreateOptions::default()).unwrap();
    timed_out(Status::E_TIMEOUT, || event.wait_timeout(SHORT));
    let barrier = Barrier::create(None, CreateOptions::default(), 2).unwrap();
    timed_out(Status::E_TIMEOUT, || barrier.wait_timeout(SHORT));
    let (_here, there) = pipe(true).unwrap();
    timed_out(Status::E_TIMEOUT, || there.recv_timeout(SHORT));
    timed_out(Status::E_TIMEOUT, || there.poll_timeout(SHORT));
    timed_out(Status::E_TIMEOUT, || {
        wait_any_timeout(&[Waitable::Event(&event)], SHORT)
    });
    event.set().unwrap();
    assert_eq!(event.wait_timeout(Duration::MAX), Ok(()));
}

#[test]
fn a_token_ends_a_wait() {
    let (queue, token) = (joinable(), Cancel::new());
    for wait in [Wait::FOREVER, Wait::from(LONG), Duration::MAX.into()] {
        token.reset();
        std::thread::scope(|threads| {
            let (queue, wait) = (&queue, wait.or_cancel(&token));
            let waiter = threads.spawn(move || queue.get_timeout(wait));
            while queue.info().unwrap().waiting == 0 {
                std::thread::yield_now();
            }
            token.fire();
            assert_eq!(waiter.join().unwrap(), Err(Status::E_CANCELED));
        });
    }
}

#[test]
fn a_lock_is_released_by_its_guard() {
    let lock = lock();
    let guard = lock.lock().unwrap();
    assert!(!guard.owner_died());
    assert_eq!(lock.try_lock().err(), Some(Status::E_TIMEOUT));
    // A guard may go to another thread.
    std::thread::scope(|threads| threads.spawn(move || drop(guard)).join().unwrap());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.try_lock().unwrap();
        panic!("inside");
    }));
    assert!(panicked.is_err() && !lock.is_locked().unwrap());
    lock.try_lock().unwrap().leak();
    assert!(lock.is_locked().unwrap());
    lock.release().unwrap();
    assert_eq!(lock.try_acquire(), Ok(Acquired::Clean));
    lock.release().unwrap();

    let rlock = Rlock::create(None, CreateOptions::default()).unwrap();
    let outer = rlock.lock().unwrap();
    let inner = rlock.try_lock().unwrap();
    assert_eq!(rlock.depth(), Ok(2));
    assert_eq!(rlock.try_acquire_as(7), Err(Status::E_TIMEOUT));
    drop(inner);
    assert_eq!(rlock.depth(), Ok(1));
    drop(outer);
    assert_eq!(rlock.try_acquire_as(7), Ok(Acquired::Clean));
    assert_eq!(rlock.release(), Err(Status::E_NOT_OWNER));
    rlock.release_as(7).unwrap();

    let options = SemaphoreOptions {
        initial: 2,
        ..Default::default()
    };
    let semaphore = Semaphore::create(None, &options).unwrap();
    let first = semaphore.permit().unwrap();
    semaphore.try_permit().unwrap().leak();
    assert_eq!(semaphore.try_permit().err(), Some(Status::E_TIMEOUT));
    drop(first);
    assert_eq!(semaphore.value(), Ok(1));
}

#[test]
fn a_condition_gives_the_lock_back_to_the_guard() {
    let (lock, ready) = (lock(), std::sync::atomic::AtomicBool::new(false));
    let condition = Condition::create(None, CreateOptions::default()).unwrap();
    let is_ready = || ready.load(std::sync::atomic::Ordering::Relaxed);
    let mut guard = lock.lock().unwrap();
    let waited = condition.wait_timeout(&mut guard, SHORT);
    assert_eq!(waited, Err(Status::E_TIMEOUT));
    assert!(lock.is_locked().unwrap());
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let _guard = lock.lock().unwrap();
            ready.store(true, std::sync::atomic::Ordering::Relaxed);
            condition.notify_all().unwrap();
        });
        while !is_ready() {
            condition.wait(&mut guard).unwrap();
        }
    });
    drop(guard);
    assert!(!lock.is_locked().unwrap());

    let rlock = Rlock::create(None, CreateOptions::default()).unwrap();
    let _outer = rlock.lock().unwrap();
    let mut inner = rlock.lock().unwrap();
    let waited = condition.wait_rlock_timeout(&mut inner, SHORT);
    assert_eq!(waited, Err(Status::E_TIMEOUT));
    assert_eq!(rlock.depth(), Ok(2));
    // A guard whose lock somebody else has released holds nothing.
    let mut guard = lock.lock().unwrap();
    lock.release().unwrap();
    let waited = condition.wait_timeout(&mut guard, SHORT);
    assert_eq!(waited, Err(Status::E_NOT_OWNER));
}

#[test]
fn an_iterator_ends_with_the_stream() {
    let queue = Arc::new(joinable());
    assert_eq!(queue.put_many(&["a", "b", "c"]), Ok(3));
    queue.shutdown(false).unwrap();
    let mut texts = Vec::new();
    for message in queue.iter() {
        let message = message.unwrap();
        texts.push(String::from_utf8(message.to_vec()).unwrap());
        message.done().unwrap();
    }
    assert_eq!(texts, ["a", "b", "c"]);
    assert!(queue.into_iter().next().is_none());
    queue.join().unwrap();
}

#[test]
fn dead_letters_are_messages_too() {
    let options = QueueOptions {
        max_deliveries: 1,
        ..Default::default()
    };
    let queue = Queue::create(None, &options).unwrap();
    queue.put(b"bad").unwrap();
    let id = queue.take().unwrap().id();
    assert_eq!(queue.try_take().err(), Some(Status::E_EMPTY));
    drop(queue.take_dead().unwrap());
    let letter = queue.take_dead().unwrap();
    assert_eq!((letter.id(), letter.deliveries()), (id, 1));
    assert_eq!(&letter[..], b"bad");
    letter.done().unwrap();
    assert_eq!(queue.take_dead().err(), Some(Status::E_EMPTY));
}
