//! A /dev/shm of a few MiB, in a mount namespace of its own.

use std::mem::MaybeUninit;
use std::os::unix::process::CommandExt;

use polyproc::{CreateOptions, Got, Lock, Queue, QueueOptions, Status, Wait};

use crate::{assert_plays, is_root, role, Name};

/// Runs a role where /dev/shm has so many MiB.
fn play_in(test: &str, mebibytes: u32, name: &str) {
    if !is_root(test) {
        return;
    }
    let mut command = role(name);
    let size = std::ffi::CString::new(format!("size={mebibytes}m")).unwrap();
    command.env(SIZE, mebibytes.to_string());
    // SAFETY: only system calls between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let private = libc::MS_REC | libc::MS_PRIVATE;
            let none = std::ptr::null();
            let done = libc::unshare(libc::CLONE_NEWNS) == 0
                && libc::mount(none, c"/".as_ptr(), none, private, none.cast()) == 0
                && libc::mount(
                    c"tmpfs".as_ptr(),
                    c"/dev/shm".as_ptr(),
                    c"tmpfs".as_ptr(),
                    0,
                    size.as_ptr().cast(),
                ) == 0;
            if done {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    assert_plays(command);
}

/// Tells a role how many MiB there are.
const SIZE: &str = "POLYPROC_TEST_SIZE";

fn bytes_there_are() -> usize {
    std::env::var(SIZE).unwrap().parse::<usize>().unwrap() << 20
}

#[test]
fn a_full_dev_shm_is_no_memory() {
    play_in("a_full_dev_shm_is_no_memory", 4, "full");
}

#[test]
fn an_empty_queue_takes_what_a_fresh_one_takes() {
    for mebibytes in [4, 16, 64] {
        play_in(
            "an_empty_queue_takes_what_a_fresh_one_takes",
            mebibytes,
            "full_sizes",
        );
    }
}

#[test]
fn large_messages_one_at_a_time_all_go_through() {
    play_in(
        "large_messages_one_at_a_time_all_go_through",
        64,
        "full_large",
    );
}

#[test]
fn small_messages_go_through_after_a_large_one() {
    play_in(
        "small_messages_go_through_after_a_large_one",
        64,
        "full_small",
    );
}

#[test]
fn what_others_have_left_over_is_enough_for_the_first_ring() {
    play_in(
        "what_others_have_left_over_is_enough_for_the_first_ring",
        4,
        "full_others",
    );
}

#[test]
fn a_message_that_has_no_room_as_a_dead_letter_is_delivered_again() {
    play_in(
        "a_message_that_has_no_room_as_a_dead_letter_is_delivered_again",
        4,
        "full_dead",
    );
}

/// Fills it, drains it, and fills it again: the same number of messages must fit each time.
pub fn in_four_mebibytes() {
    let name = Name::new("full");
    let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    let first = fill(&queue);
    assert!(first > 2_000, "only {first} messages in 4 MiB");
    // Nothing else can be made, and nothing of the attempt is left.
    let other = Name::new("none");
    let large = vec![1; 1 << 20];
    assert_eq!(queue.try_put(&large), Err(Status::E_NO_MEMORY));
    assert_eq!(
        Queue::create(Some(&other.0), &QueueOptions::default()).err(),
        Some(Status::E_NO_MEMORY)
    );
    assert!(!std::path::Path::new(&other.path()).exists());
    assert_eq!(queue.len(), Ok(first));
    drain(&queue, first);
    Lock::create(Some(&other.0), CreateOptions::default()).unwrap();
    for _ in 0..3 {
        let again = fill(&queue);
        assert!(
            again * 10 > first * 8,
            "{again} messages fit, {first} at first"
        );
        drain(&queue, again);
    }
}

fn fill(queue: &Queue) -> u64 {
    let mut count = 0u64;
    loop {
        let mut message = [0; 1000];
        message[..8].copy_from_slice(&count.to_le_bytes());
        match queue.try_put(&message) {
            Ok(()) => count += 1,
            Err(Status::E_NO_MEMORY) => return count,
            Err(status) => panic!("{status:?}"),
        }
    }
}

fn drain(queue: &Queue, count: u64) {
    let mut buffer = [MaybeUninit::uninit(); 1000];
    for number in 0..count {
        assert_eq!(
            queue.get_raw(&mut buffer, Wait::TRY),
            Ok(Got::Message(1000))
        );
        // SAFETY: a get writes the bytes that it reports.
        let start = [0, 1, 2, 3, 4, 5, 6, 7].map(|at| unsafe { buffer[at].assume_init() });
        assert_eq!(u64::from_le_bytes(start), number);
    }
    assert_eq!(queue.get_raw(&mut buffer, Wait::TRY), Err(Status::E_EMPTY));
}

/// Returns the longest message that an empty queue takes.
fn longest(queue: &Queue, message: &[u8]) -> usize {
    let (mut fits, mut fails) = (0, message.len());
    while fails - fits > 1 {
        let len = (fits + fails) / 2;
        match queue.try_put(&message[..len]) {
            Ok(()) => fits = len,
            Err(Status::E_NO_MEMORY) => fails = len,
            Err(status) => panic!("{status:?}"),
        }
        settle_all(queue);
    }
    fits
}

/// Takes and settles everything; returns how many messages that were.
fn settle_all(queue: &Queue) -> usize {
    let taken = std::iter::from_fn(|| queue.take_raw(Wait::TRY).ok());
    taken
        .map(|loan| queue.done_raw(loan.ticket).unwrap())
        .count()
}

/// Pseudo-random numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % end
    }

    /// Short and long equally often.
    fn length(&mut self, longest: usize) -> usize {
        let bits = self.below(longest.ilog2() as usize + 1);
        self.below(1 << bits)
    }
}

/// A queue that had met a full /dev/shm refused messages for ever, though it was empty.
pub fn of_all_sizes() {
    let message = vec![5; bytes_there_are()];
    let fresh = {
        let name = Name::new("fresh");
        let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
        longest(&queue, &message)
    };
    assert!(fresh * 10 > message.len() * 8, "{fresh}");
    for seed in 1..=2 {
        let name = Name::new("sizes");
        let options = QueueOptions {
            joinable: seed % 2 == 0,
            max_deliveries: 2,
            ..Default::default()
        };
        let queue = Queue::create(Some(&name.0), &options).unwrap();
        let mut numbers = Numbers(seed);
        for round in 0..12 {
            work(&queue, &message, fresh, &mut numbers);
            settle_all(&queue);
            while let Ok(letter) = queue.take_dead_raw() {
                queue.done_raw(letter.ticket).unwrap();
            }
            let len = match round % 4 {
                0 => fresh,
                _ => numbers.length(fresh),
            };
            let put = queue.try_put(&message[..len]);
            assert_eq!(
                put,
                Ok(()),
                "seed {seed}, round {round}, {len} of {fresh} bytes"
            );
            assert_eq!(settle_all(&queue), 1);
        }
    }
}

/// Messages come and go in all ways until memory is refused several times.
fn work(queue: &Queue, message: &[u8], longest: usize, numbers: &mut Numbers) {
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..500 {
        match numbers.below(8) {
            0..4 => match queue.try_put(&message[..numbers.length(longest)]) {
                Ok(()) => {}
                Err(Status::E_NO_MEMORY) => refused += 1,
                Err(status) => panic!("{status:?}"),
            },
            4 => {
                if let Ok(reserved) = queue.reserve_raw(numbers.length(longest), Wait::TRY) {
                    match numbers.below(2) {
                        0 => queue.commit_raw(&reserved, reserved.len).unwrap(),
                        _ => queue.abort_raw(&reserved).unwrap(),
                    }
                }
            }
            5 | 6 => held.extend(queue.take_raw(Wait::TRY)),
            _ if held.is_empty() => {}
            _ => {
                let ticket = held.swap_remove(numbers.below(held.len())).ticket;
                match numbers.below(4) {
                    0 => queue.give_back_raw(ticket).unwrap(),
                    _ => queue.done_raw(ticket).unwrap(),
                }
            }
        }
        if refused > 5 {
            break;
        }
    }
    for loan in held {
        queue.done_raw(loan.ticket).unwrap();
    }
}

/// In 64 MiB the second message of 35 to 60 MiB was refused, and all later ones.
pub fn large_ones() {
    let message = vec![6; bytes_there_are()];
    for mebibytes in (35..=60).step_by(5) {
        let name = Name::new("large");
        let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
        for more in 0..4 {
            // A little longer each time, so that it never fits where the last one was.
            let len = (mebibytes << 20) + more * 1000;
            assert_eq!(queue.try_put(&message[..len]), Ok(()), "{len}");
            assert_eq!(settle_all(&queue), 1);
        }
    }
}

/// After one message of 20 MiB, small messages one at a time took up all memory, and were refused.
pub fn small_ones() {
    let message = vec![6; 20 << 20];
    let name = Name::new("small");
    let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    let mut buffer = vec![MaybeUninit::uninit(); message.len()];
    let mut pass = |len: usize| {
        assert_eq!(queue.try_put(&message[..len]), Ok(()));
        assert_eq!(queue.get_raw(&mut buffer, Wait::TRY), Ok(Got::Message(len)));
    };
    pass(message.len());
    for _ in 0..100_000 {
        pass(1000);
    }
    // They did not take memory that others could have.
    let blocks = std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(name.path()).unwrap());
    assert!(blocks * 512 < 24 << 20, "{blocks} blocks");
}

/// A queue keeps the memory that it begins with: it takes short messages also when others have
/// taken all other memory.
pub fn beside_others() {
    let name = Name::new("others");
    let queue = Queue::create(Some(&name.0), &QueueOptions::default()).unwrap();
    let message = vec![6; 2 << 20];
    for hog_comes_after in [0, 100_000, 2 << 20] {
        queue.try_put(&message[..hog_comes_after]).unwrap();
        settle_all(&queue);
        // It must give back all that it can before it finds that there is not enough.
        assert_eq!(queue.try_put(&vec![6; 8 << 20]), Err(Status::E_NO_MEMORY));
        let hog = Name::new("hog");
        let file = std::fs::File::create(hog.path()).unwrap();
        take_all(&file);
        for len in [1, 100, 100_000, 120_000, 1] {
            assert_eq!(queue.try_put(&message[..len]), Ok(()), "{len}");
            assert_eq!(settle_all(&queue), 1);
        }
        assert_eq!(queue.try_put(&message), Err(Status::E_NO_MEMORY));
        assert_eq!(queue.try_put(&message[..1000]), Ok(()));
        assert_eq!(settle_all(&queue), 1);
    }
}

/// Fills a file until no memory is left.
fn take_all(mut file: &std::fs::File) {
    use std::io::Write;
    while file.write_all(&[1; 4096]).is_ok() {}
}

/// A message that cannot become a dead letter for lack of memory is delivered more often than
/// allowed, and none is lost.
pub fn dead_letters() {
    let name = Name::new("dead");
    let options = QueueOptions {
        joinable: true,
        max_deliveries: 1,
        ..Default::default()
    };
    let queue = Queue::create(Some(&name.0), &options).unwrap();
    let message = vec![6; 2 << 20];
    queue.try_put(&message).unwrap();
    for deliveries in 1..=3 {
        let loan = queue.take_raw(Wait::TRY).unwrap();
        assert_eq!((loan.len, loan.deliveries), (message.len(), deliveries));
        queue.give_back_raw(loan.ticket).unwrap();
        assert_eq!(queue.take_dead_raw().err(), Some(Status::E_EMPTY));
    }
    // A short one has room.
    queue.try_put(b"short").unwrap();
    let large = queue.take_raw(Wait::TRY).unwrap();
    let short = queue.take_raw(Wait::TRY).unwrap();
    queue.give_back_raw(short.ticket).unwrap();
    let letter = queue.take_dead_raw().unwrap();
    assert_eq!((letter.len, letter.deliveries), (5, 1));
    queue.done_raw(letter.ticket).unwrap();
    queue.done_raw(large.ticket).unwrap();
    // So has a longer one once the first is over.
    queue.try_put(&message[..1 << 18]).unwrap();
    let loan = queue.take_raw(Wait::TRY).unwrap();
    queue.give_back_raw(loan.ticket).unwrap();
    let letter = queue.take_dead_raw().unwrap();
    assert_eq!(letter.len, 1 << 18);
    queue.done_raw(letter.ticket).unwrap();
    // Its memory serves a message again.
    queue.try_put(&[6; 3_700_000]).unwrap();
}
