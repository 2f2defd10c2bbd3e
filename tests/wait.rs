//! Waiting for several things at once, and descriptors that follow their objects.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use polyproc::{
    try_wait_any, wait_any_timeout, Cancel, CreateOptions, Event, Process, ProcessOptions, Queue,
    QueueOptions, Status, Wait, Waitable,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn in_time() -> Wait<'static> {
    Wait::from(PATIENCE)
}

fn queue(max_items: u64) -> Queue {
    let options = QueueOptions {
        max_items,
        ..Default::default()
    };
    Queue::create(None, &options).unwrap()
}

fn event() -> Event {
    Event::create(None, CreateOptions::default()).unwrap()
}

fn get(queue: &Queue) {
    queue
        .get_raw(&mut [MaybeUninit::uninit(); 16], Wait::TRY)
        .unwrap();
}

fn child(script: &str) -> Process {
    let argv = ["/bin/sh", "-c", script].map(|arg| std::ffi::CString::new(arg).unwrap());
    let options = ProcessOptions {
        argv: argv.to_vec(),
        ..Default::default()
    };
    Process::spawn(&options).unwrap()
}

#[test]
fn says_which_are_ready() {
    let (first, second, flag) = (queue(1), queue(1), event());
    let items = [
        Waitable::Get(&first),
        Waitable::Put(&second),
        Waitable::Event(&flag),
    ];
    assert_eq!(try_wait_any(&items), Ok(vec![1]));
    second.try_put(b"full").unwrap();
    assert_eq!(try_wait_any(&items), Err(Status::E_TIMEOUT));
    assert_eq!(
        wait_any_timeout(&items, Wait::for_ns(3_000_000)),
        Err(Status::E_TIMEOUT)
    );
    first.try_put(b"one").unwrap();
    flag.set().unwrap();
    assert_eq!(try_wait_any(&items), Ok(vec![0, 2]));
    assert_eq!(try_wait_any(&[]), Err(Status::E_INVALID));
}

/// Waits until a thread of this process sleeps: a change before its wait would wake nobody.
fn until_asleep(thread: i32) {
    let stat = format!("/proc/self/task/{thread}/stat");
    let is_asleep = || {
        let line = std::fs::read_to_string(&stat).unwrap();
        line.rsplit(')').next().unwrap().starts_with(" S")
    };
    while !is_asleep() {
        std::thread::yield_now();
    }
}

/// `change` runs while another thread waits, and wakes it.
fn wakes(items: &[Waitable<'_>], place: usize, change: impl FnOnce()) {
    std::thread::scope(|scope| {
        let (tell, thread) = std::sync::mpsc::channel();
        let waiter = scope.spawn(move || {
            // SAFETY: no arguments.
            tell.send(unsafe { libc::gettid() }).unwrap();
            wait_any_timeout(items, in_time())
        });
        until_asleep(thread.recv().unwrap());
        assert!(!waiter.is_finished());
        change();
        assert_eq!(waiter.join().unwrap(), Ok(vec![place]));
    });
}

#[test]
fn each_of_them_wakes_it() {
    let (empty, full, flag) = (queue(0), queue(1), event());
    full.try_put(b"full").unwrap();
    let items = [
        Waitable::Get(&empty),
        Waitable::Put(&full),
        Waitable::Event(&flag),
    ];
    wakes(&items, 0, || empty.try_put(b"one").unwrap());
    get(&empty);
    wakes(&items, 1, || get(&full));
    full.try_put(b"full").unwrap();
    // A set that a clear follows at once is seen.
    wakes(&items, 2, || {
        flag.set().unwrap();
        flag.clear().unwrap();
    });
    wakes(&items, 0, || empty.shutdown(false).unwrap());
}

#[test]
fn a_process_among_them() {
    let (empty, flag) = (queue(0), event());
    let process = child("read line < /dev/zero & sleep 0.05; kill $!; exit 3");
    let items = [
        Waitable::Get(&empty),
        Waitable::Process(&process),
        Waitable::Event(&flag),
    ];
    assert_eq!(wait_any_timeout(&items, in_time()), Ok(vec![1]));
    assert_eq!(process.exit_code(), Ok(3));
    let sleeper = child("exec sleep 100");
    let items = [
        Waitable::Get(&empty),
        Waitable::Process(&sleeper),
        Waitable::Event(&flag),
    ];
    wakes(&items, 0, || empty.try_put(b"one").unwrap());
    get(&empty);
    wakes(&items, 2, || {
        flag.set().unwrap();
        flag.clear().unwrap();
    });
    sleeper.kill().unwrap();
    sleeper.join_timeout(in_time()).unwrap();
}

#[test]
fn more_than_one_call_of_the_kernel_takes() {
    let queues: Vec<Queue> = (0..200).map(|_| queue(0)).collect();
    let items: Vec<Waitable<'_>> = queues.iter().map(Waitable::Get).collect();
    wakes(&items, 0, || queues[0].try_put(b"one").unwrap());
    get(&queues[0]);
    wakes(&items, 199, || queues[199].try_put(b"one").unwrap());
}

#[test]
fn a_token_ends_it() {
    let (empty, cancel) = (queue(0), Cancel::new());
    let process = child("exec sleep 100");
    for items in [
        vec![Waitable::Get(&empty)],
        vec![Waitable::Get(&empty), Waitable::Process(&process)],
    ] {
        let wait = Wait::FOREVER.or_cancel(&cancel);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_any_timeout(&items, wait));
            std::thread::sleep(Duration::from_millis(20));
            cancel.fire();
            assert_eq!(waiter.join().unwrap(), Err(Status::E_CANCELED));
        });
        cancel.reset();
    }
    process.kill().unwrap();
    process.join_timeout(in_time()).unwrap();
}

fn is_readable(fd: RawFd) -> bool {
    let mut item = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry.
    unsafe { libc::poll(&mut item, 1, 0) == 1 }
}

fn becomes(fd: RawFd, readable: bool) {
    let end = Instant::now() + PATIENCE;
    while is_readable(fd) != readable {
        assert!(Instant::now() < end, "it does not become {readable}");
        std::thread::yield_now();
    }
}

#[test]
fn a_descriptor_is_readable_while_a_get_would_succeed() {
    let queue = queue(0);
    let fd = queue.fd().unwrap();
    assert_eq!(queue.fd(), Ok(fd));
    assert!(!is_readable(fd));
    for _ in 0..50 {
        queue.try_put(b"one").unwrap();
        queue.try_put(b"two").unwrap();
        becomes(fd, true);
        get(&queue);
        assert!(is_readable(fd));
        get(&queue);
        becomes(fd, false);
    }
    queue.shutdown(false).unwrap();
    becomes(fd, true);
}

#[test]
fn a_descriptor_follows_an_event() {
    let flag = event();
    let fd = flag.fd().unwrap();
    for _ in 0..50 {
        assert!(!is_readable(fd));
        flag.set().unwrap();
        becomes(fd, true);
        flag.clear().unwrap();
        becomes(fd, false);
    }
}

#[test]
fn descriptors_of_closed_objects_are_gone() {
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    queue(0).fd().unwrap();
    let before = count();
    for _ in 0..50 {
        let queue = queue(0);
        queue.fd().unwrap();
        queue.try_put(b"one").unwrap();
    }
    let end = Instant::now() + PATIENCE;
    // Other tests of this process open and close descriptors, too.
    while count() > before + 40 {
        assert!(
            Instant::now() < end,
            "{} descriptors, {before} before",
            count()
        );
        std::thread::yield_now();
    }
}
