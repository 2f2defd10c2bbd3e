//! A process holds something while something happens to it: the others must wait or go on.

use std::time::{Duration, Instant};

use polyproc::{
    Acquired, CreateOptions, Loan, Lock, Process, ProcessOptions, Queue, QueueOptions, Semaphore,
    SemaphoreOptions, Status, Wait,
};

use crate::child::{eventually, stat, Child, Shared, DEADLINE};

/// Whether the kernel reports the end of a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    ByTheKernel,
    /// The others look in /proc.
    No,
}

/// Several times longer than every slice of a sleep (250 ms).
const LONG: Duration = Duration::from_millis(900);

fn in_time() -> Wait<'static> {
    Wait::from(DEADLINE)
}

fn lock() -> Lock {
    Lock::create(None, CreateOptions::default()).unwrap()
}

fn holder_of(lock: &Lock) -> Child {
    Child::that(|| assert_eq!(lock.try_acquire(), Ok(Acquired::Clean)))
}

/// A waiter goes on in time, and the lock works again.
fn assert_dead(lock: &Lock) {
    let began = Instant::now();
    assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::OwnerDied));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "it took {took:?}");
    lock.release().unwrap();
    assert_eq!(lock.try_acquire(), Ok(Acquired::Clean));
    lock.release().unwrap();
}

/// A waiter keeps waiting, through every look for dead processes.
fn assert_alive(lock: &Lock) {
    let wait = Wait::from(LONG);
    assert_eq!(lock.acquire_timeout(wait), Err(Status::E_TIMEOUT));
    assert_eq!(lock.is_locked(), Ok(true));
}

/// Every scenario that needs no privileges.
pub fn all(watched: Watched) {
    let scenarios: [(&str, fn()); 9] = [
        ("killed", killed),
        (
            "killed with a task and a permit",
            killed_with_a_task_and_a_permit,
        ),
        (
            "killed with a message, beside a busy consumer",
            killed_with_a_message_beside_a_busy_consumer,
        ),
        ("stopped", stopped),
        ("not reaped yet", not_reaped_yet),
        ("its first thread has ended", its_first_thread_has_ended),
        ("its forked child lives on", its_forked_child_lives_on),
        ("it ends by itself", it_ends_by_itself),
        ("a daemonic child", a_daemonic_child),
    ];
    for (name, scenario) in scenarios {
        println!("{name}");
        scenario();
    }
    println!("it starts another program");
    starts_another_program(watched);
}

fn killed() {
    for _ in 0..3 {
        let lock = lock();
        let holder = holder_of(&lock);
        assert_eq!(
            lock.acquire_timeout(Wait::for_ns(1_000_000)),
            Err(Status::E_TIMEOUT)
        );
        holder.kill();
        assert_dead(&lock);
    }
}

fn killed_with_a_task_and_a_permit() {
    let queue = Queue::create(
        None,
        &QueueOptions {
            joinable: true,
            ..Default::default()
        },
    )
    .unwrap();
    queue.try_put(b"task").unwrap();
    let options = SemaphoreOptions {
        initial: 1,
        owned: true,
        ..Default::default()
    };
    let semaphore = Semaphore::create(None, &options).unwrap();
    let worker = Child::that(|| {
        queue.take_raw(Wait::TRY).unwrap();
        semaphore.try_acquire().unwrap();
    });
    assert_eq!(
        semaphore.acquire_timeout(Wait::for_ns(1_000_000)),
        Err(Status::E_TIMEOUT)
    );
    worker.kill();
    semaphore.acquire_timeout(in_time()).unwrap();
    let again = queue.take_raw(in_time()).unwrap();
    assert_eq!(again.deliveries, 2);
    queue.done_raw(again.ticket).unwrap();
    queue.try_join().unwrap();
}

/// The other consumer always finds a message, so it never waits. It gets the one that comes back
/// all the same, whatever it calls.
fn killed_with_a_message_beside_a_busy_consumer() {
    let get = |queue: &Queue| {
        let message = queue.try_get().unwrap();
        queue.task_done().unwrap();
        message == b"theirs"
    };
    let take = |queue: &Queue| {
        let loan = queue.take_raw(Wait::TRY).unwrap();
        queue.done_raw(loan.ticket).unwrap();
        loan.deliveries == 2
    };
    let take_many = |queue: &Queue| {
        let mut has_theirs = false;
        let mut tickets = Vec::new();
        let mut each = |_, loan: Loan| {
            has_theirs |= loan.deliveries == 2;
            tickets.push(loan.ticket);
        };
        assert_eq!(queue.take_many_raw(1, &mut each, Wait::TRY), Ok(1));
        assert_eq!(queue.done_many_raw(tickets.into_iter()), (1, Ok(())));
        has_theirs
    };
    type Way = fn(&Queue) -> bool;
    let ways: [(&str, Way); 3] = [("get", get), ("take", take), ("take_many", take_many)];
    for (name, gets_theirs) in ways {
        let options = QueueOptions {
            joinable: true,
            ..Default::default()
        };
        let queue = Queue::create(None, &options).unwrap();
        queue.try_put(b"theirs").unwrap();
        queue.try_put(b"ours").unwrap();
        queue.try_put(b"ours").unwrap();
        let victim = Child::that(|| {
            queue.take_raw(Wait::TRY).unwrap();
        });
        // One call before the death: this process is no newcomer, which looks around at once.
        assert!(!gets_theirs(&queue));
        victim.kill();
        let began = Instant::now();
        while !gets_theirs(&queue) {
            queue.try_put(b"ours").unwrap();
            assert!(began.elapsed() < DEADLINE, "{name}: it does not come back");
        }
    }
}

/// Stopped for longer than any slice: it keeps what it holds, and releases it itself.
fn stopped() {
    let lock = lock();
    let may_release = Shared::new();
    let holder = Child::started(|| {
        lock.try_acquire().unwrap();
        may_release.set(0, 1);
        eventually("the word", || may_release.get(1) != 0);
        lock.release().unwrap();
    });
    may_release.when_set(0);
    holder.signal(libc::SIGSTOP);
    eventually("the stop", || stat(holder.pid, 1).as_deref() == Some("T"));
    assert_alive(&lock);
    may_release.set(1, 1);
    holder.signal(libc::SIGCONT);
    assert_eq!(lock.acquire_timeout(in_time()), Ok(Acquired::Clean));
}

fn not_reaped_yet() {
    let lock = lock();
    let holder = holder_of(&lock);
    holder.kill_unreaped();
    assert_dead(&lock);
}

/// In /proc the process looks like a zombie, but it lives.
fn its_first_thread_has_ended() {
    let lock = lock();
    let other = Shared::new();
    let holder = Child::started(|| {
        lock.try_acquire().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                other.set(0, 1);
                crate::child::sleep_for_ever()
            });
            other.when_set(0);
            // SAFETY: ends this thread alone; its stack, which the other one borrows from, stays.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
        });
    });
    eventually("the end of its first thread", || {
        stat(holder.pid, 1).as_deref() == Some("Z")
    });
    assert_alive(&lock);
    holder.kill();
    assert_dead(&lock);
}

/// A forked child has its parent's memory and handles, and none of its parent's locks.
fn its_forked_child_lives_on() {
    let lock = lock();
    let heir = Shared::new();
    let holder = Child::that(|| {
        lock.try_acquire().unwrap();
        // SAFETY: the child does not return.
        if unsafe { libc::fork() } == 0 {
            heir.set(0, std::process::id());
            eventually("its turn", || heir.get(1) != 0);
            let acquired = lock.acquire_timeout(in_time());
            heir.set(
                2,
                if acquired == Ok(Acquired::Clean) {
                    1
                } else {
                    2
                },
            );
            crate::child::sleep_for_ever();
        }
    });
    let heir_pid = heir.when_set(0) as i32;
    holder.kill();
    assert_dead(&lock);
    heir.set(1, 1);
    assert_eq!(heir.when_set(2), 1);
    assert_eq!(lock.try_acquire(), Err(Status::E_TIMEOUT));
    // SAFETY: the grandchild that we have made; its parent is gone, so init reaps it.
    assert_eq!(unsafe { libc::kill(heir_pid, libc::SIGKILL) }, 0);
    assert_dead(&lock);
}

fn it_ends_by_itself() {
    let lock = lock();
    let holder = Child::started(|| {
        lock.try_acquire().unwrap();
        // SAFETY: no preconditions.
        unsafe { libc::_exit(0) };
    });
    eventually("its end", || stat(holder.pid, 1).as_deref() == Some("Z"));
    assert_dead(&lock);
}

/// Started by the keeper, whether the kernel reports its end or not.
fn a_daemonic_child() {
    let options = ProcessOptions {
        argv: vec![c"true".to_owned()],
        daemon: true,
        ..Default::default()
    };
    let child = Process::spawn(&options).unwrap();
    child.join_timeout(in_time()).unwrap();
    assert_eq!(child.exit_code(), Ok(0));
}

/// To the kernel this is the end of all that the process held. Without the kernel's report no
/// process can tell, so it counts as alive until the program ends.
fn starts_another_program(watched: Watched) {
    let lock = lock();
    let holder = Child::started(|| {
        lock.try_acquire().unwrap();
        let argv = [c"sleep".as_ptr(), c"1000".as_ptr(), std::ptr::null()];
        // SAFETY: strings that end in NUL, and a list that ends in null.
        unsafe { libc::execvp(c"sleep".as_ptr(), argv.as_ptr()) };
    });
    eventually("the other program", || {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", holder.pid));
        name.unwrap_or_default() == "sleep\n"
    });
    if watched == Watched::No {
        assert_alive(&lock);
        holder.kill_unreaped();
    }
    assert_dead(&lock);
}

/// In a pid namespace of our own, where we choose the numbers.
pub fn its_number_is_given_to_another() {
    println!("its number is given to another");
    let lock = lock();
    let holder = holder_of(&lock);
    let (pid, started) = (holder.pid, stat(holder.pid, 20));
    holder.kill();
    let mut namesake = None;
    eventually("another start", || {
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        namesake = None;
        let other = Child::that(|| ());
        assert_eq!(other.pid, pid);
        let is_later = stat(pid, 20) != started;
        namesake = Some(other);
        is_later
    });
    assert_dead(&lock);
    drop(namesake);
}

/// It has the number 1, as the first process of every other namespace has.
pub fn the_first_of_its_namespace() {
    println!("the first of its namespace");
    assert_eq!(std::process::id(), 1);
    let lock = lock();
    lock.try_acquire().unwrap();
    let other = Shared::new();
    let _child = Child::started(|| {
        assert_alive(&lock);
        other.set(0, 1);
    });
    other.when_set(0);
    lock.release().unwrap();
}

/// The holder lives in a pid namespace below ours, and its number means another process here.
pub fn in_another_pid_namespace() {
    let lock = lock();
    let there = Shared::new();
    let nested = Child::started(|| {
        // SAFETY: only what comes after is forked into the new namespace.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWPID) }, 0);
        let _first = Child::started(|| {
            assert_eq!(std::process::id(), 1);
            lock.try_acquire().unwrap();
            there.set(0, 1);
        });
        crate::child::sleep_for_ever();
    });
    there.when_set(0);
    assert_alive(&lock);
    // Its parent ends by itself: see `Child::started`.
    nested.kill();
    assert_dead(&lock);
}

/// The holder reads another start in /proc/PID/stat than the others do.
pub fn its_own_stat_is_made_up() {
    println!("its own stat is made up");
    let lock = lock();
    let holder = Child::that(|| {
        make_up_own_stat();
        assert_eq!(lock.try_acquire(), Ok(Acquired::Clean));
    });
    assert_alive(&lock);
    holder.kill();
    assert_dead(&lock);
}

fn make_up_own_stat() {
    let stat = format!("/proc/{}/stat", std::process::id());
    let made_up = std::env::temp_dir().join(format!("polyproc-stat-{}", std::process::id()));
    // The start is the 22nd field.
    let zeros = "0 ".repeat(48);
    std::fs::write(&made_up, format!("1 (made up) R {zeros}\n")).unwrap();
    let text = |path: &str| std::ffi::CString::new(path).unwrap();
    let (from, to) = (text(made_up.to_str().unwrap()), text(&stat));
    let none = std::ptr::null();
    // SAFETY: the paths end in NUL, and a namespace of its own keeps the rest of the system as it
    // is.
    unsafe {
        assert_eq!(libc::unshare(libc::CLONE_NEWNS), 0);
        let private = libc::MS_REC | libc::MS_PRIVATE;
        let root = c"/".as_ptr();
        assert_eq!(libc::mount(none, root, none, private, none.cast()), 0);
        let (from, to) = (from.as_ptr(), to.as_ptr());
        assert_eq!(libc::mount(from, to, none, libc::MS_BIND, none.cast()), 0);
    }
    std::fs::remove_file(&made_up).unwrap();
    assert!(std::fs::read_to_string(&stat).unwrap().contains("made up"));
}
