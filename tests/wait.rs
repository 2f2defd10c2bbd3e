//! Waiting for several things at once, and descriptors that follow their objects.

use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use polyproc::process::{Process, ProcessOptions};
use polyproc::{
    wait_any, Cancel, CreateOptions, Event, Queue, QueueOptions, Status, Wait, Waitable,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn in_time() -> Wait<'static> {
    Wait::for_ns(PATIENCE.as_nanos() as i64)
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
        .get(&mut [MaybeUninit::uninit(); 16], Wait::TRY)
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
    let mut ready = [false; 3];
    assert_eq!(wait_any(&items, &mut ready, Wait::TRY), Ok(1));
    assert_eq!(ready, [false, true, false]);
    second.put(b"full", Wait::TRY).unwrap();
    assert_eq!(
        wait_any(&items, &mut ready, Wait::TRY),
        Err(Status::E_TIMEOUT)
    );
    assert_eq!(
        wait_any(&items, &mut ready, Wait::for_ns(3_000_000)),
        Err(Status::E_TIMEOUT)
    );
    first.put(b"one", Wait::TRY).unwrap();
    flag.set().unwrap();
    assert_eq!(wait_any(&items, &mut ready, Wait::TRY), Ok(2));
    assert_eq!(ready, [true, false, true]);
    assert_eq!(wait_any(&[], &mut [], Wait::TRY), Err(Status::E_INVALID));
    assert_eq!(
        wait_any(&items, &mut [false; 2], Wait::TRY),
        Err(Status::E_INVALID)
    );
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
            let mut ready = vec![false; items.len()];
            // SAFETY: no arguments.
            tell.send(unsafe { libc::gettid() }).unwrap();
            wait_any(items, &mut ready, in_time()).map(|count| (count, ready))
        });
        until_asleep(thread.recv().unwrap());
        assert!(!waiter.is_finished());
        change();
        let (count, ready) = waiter.join().unwrap().unwrap();
        assert_eq!((count, ready[place]), (1, true));
    });
}

#[test]
fn each_of_them_wakes_it() {
    let (empty, full, flag) = (queue(0), queue(1), event());
    full.put(b"full", Wait::TRY).unwrap();
    let items = [
        Waitable::Get(&empty),
        Waitable::Put(&full),
        Waitable::Event(&flag),
    ];
    wakes(&items, 0, || empty.put(b"one", Wait::TRY).unwrap());
    get(&empty);
    wakes(&items, 1, || get(&full));
    full.put(b"full", Wait::TRY).unwrap();
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
    let mut ready = [false; 3];
    assert_eq!(wait_any(&items, &mut ready, in_time()), Ok(1));
    assert_eq!(ready, [false, true, false]);
    assert_eq!(process.exit_code(), Ok(3));
    let sleeper = child("exec sleep 100");
    let items = [
        Waitable::Get(&empty),
        Waitable::Process(&sleeper),
        Waitable::Event(&flag),
    ];
    wakes(&items, 0, || empty.put(b"one", Wait::TRY).unwrap());
    get(&empty);
    wakes(&items, 2, || {
        flag.set().unwrap();
        flag.clear().unwrap();
    });
    sleeper.kill().unwrap();
    sleeper.join(in_time()).unwrap();
}

#[test]
fn more_than_one_call_of_the_kernel_takes() {
    let queues: Vec<Queue> = (0..200).map(|_| queue(0)).collect();
    let items: Vec<Waitable<'_>> = queues.iter().map(Waitable::Get).collect();
    wakes(&items, 0, || queues[0].put(b"one", Wait::TRY).unwrap());
    get(&queues[0]);
    wakes(&items, 199, || queues[199].put(b"one", Wait::TRY).unwrap());
}

#[test]
fn a_token_ends_it() {
    let (empty, cancel) = (queue(0), Cancel::new());
    let process = child("exec sleep 100");
    for items in [
        vec![Waitable::Get(&empty)],
        vec![Waitable::Get(&empty), Waitable::Process(&process)],
    ] {
        let wait = Wait::FOREVER.or_cancel(Some(&cancel));
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| wait_any(&items, &mut [false; 2], wait));
            std::thread::sleep(Duration::from_millis(20));
            cancel.fire();
            assert_eq!(waiter.join().unwrap(), Err(Status::E_CANCELED));
        });
        cancel.reset();
    }
    process.kill().unwrap();
    process.join(in_time()).unwrap();
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
        queue.put(b"one", Wait::TRY).unwrap();
        queue.put(b"two", Wait::TRY).unwrap();
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
        queue.put(b"one", Wait::TRY).unwrap();
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
