//! Killed after n instructions inside a call at a pipe, for points spread over the whole of it.

use std::mem::MaybeUninit;

use polyproc::{pipe, Connection, Status, Wait};

use crate::measure::{in_time, spread};
use crate::victim::{alone, killed_after};
use crate::{pattern, receive, receive_only, LONG};

struct Pipe {
    a: Connection,
    b: Connection,
}

/// A pipe in which two messages wait at end B, the second round the end of the ring.
fn busy() -> Pipe {
    let (a, b) = pipe(true).unwrap();
    for len in [700_000, 348_000] {
        a.send(&pattern(len), Wait::TRY).unwrap();
    }
    receive(&b, 700_000, Wait::TRY).unwrap();
    a.send(b"first", Wait::TRY).unwrap();
    receive(&b, 348_000, Wait::TRY).unwrap();
    a.send(&pattern(1000), Wait::TRY).unwrap();
    Pipe { a, b }
}

fn empty() -> Pipe {
    let (a, b) = pipe(true).unwrap();
    Pipe { a, b }
}

fn warm_up(pipe: &Pipe) {
    let _ = pipe.a.poll(Wait::TRY);
    let _ = pipe.b.poll(Wait::TRY);
}

/// All that is left at end B, in order, and real work in both directions afterwards.
fn drain(pipe: &Pipe) -> Vec<Vec<u8>> {
    let mut left = Vec::new();
    loop {
        match receive(&pipe.b, 2 << 20, Wait::TRY) {
            Ok(message) => left.push(message),
            Err(Status::E_TIMEOUT) => break,
            Err(status) => panic!("{status:?}"),
        }
    }
    for number in 0..100u32 {
        pipe.a.send(&number.to_le_bytes(), in_time()).unwrap();
        pipe.b.send(b"back", in_time()).unwrap();
        let there = receive(&pipe.b, 4, Wait::TRY);
        assert_eq!(there, Ok(number.to_le_bytes().to_vec()));
        assert_eq!(receive(&pipe.a, 4, Wait::TRY), Ok(b"back".to_vec()));
    }
    exchange_long(pipe);
    left
}

fn exchange_long(pipe: &Pipe) {
    let data = pattern(LONG + 5000);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| pipe.a.send(&data, in_time()));
        assert_eq!(receive(&pipe.b, data.len(), in_time()), Ok(data.clone()));
        assert_eq!(sender.join().unwrap(), Ok(()));
    });
}

/// What lies before the killed send is untouched, and its own message is there whole or not at all.
fn check_send(pipe: &Pipe, message: &[u8], has_returned: bool) {
    let left = drain(pipe);
    assert_eq!(left[..2], [b"first".to_vec(), pattern(1000)]);
    match &left[2..] {
        [] => assert!(!has_returned, "a send that had returned is lost"),
        [third] => assert_eq!(third, message),
        more => panic!("{} messages out of one send", more.len()),
    }
}

#[test]
fn small_send() {
    let _alone = alone();
    let send = |pipe: &Pipe| pipe.a.send(b"third", Wait::TRY).unwrap();
    spread(busy, warm_up, send, |pipe, returned| {
        check_send(pipe, b"third", returned)
    });
}

#[test]
fn first_use_and_send() {
    let _alone = alone();
    let send = |pipe: &Pipe| pipe.a.send(b"third", Wait::TRY).unwrap();
    spread(
        busy,
        |_| (),
        send,
        |pipe, returned| check_send(pipe, b"third", returned),
    );
}

#[test]
fn large_send() {
    let _alone = alone();
    let message = pattern(200_000);
    let send = |pipe: &Pipe| pipe.a.send(&message, Wait::TRY).unwrap();
    spread(busy, warm_up, send, |pipe, returned| {
        check_send(pipe, &message, returned)
    });
}

/// From far into an empty ring back to its beginning.
#[test]
fn send_that_jumps() {
    let _alone = alone();
    let make = || {
        let pipe = empty();
        pipe.a.send(&pattern(100_000), Wait::TRY).unwrap();
        receive(&pipe.b, 100_000, Wait::TRY).unwrap();
        pipe
    };
    let send = |pipe: &Pipe| pipe.a.send(b"jumps", Wait::TRY).unwrap();
    spread(
        make,
        warm_up,
        send,
        |pipe, returned| match &drain(pipe)[..] {
            [] => assert!(!returned, "a send that had returned is lost"),
            [only] => assert_eq!(only, b"jumps"),
            more => panic!("{} messages out of one send", more.len()),
        },
    );
}

#[test]
fn small_receive() {
    let _alone = alone();
    let receive = |pipe: &Pipe| {
        receive_only(&pipe.b, &mut [MaybeUninit::uninit(); 5], Wait::TRY);
    };
    spread(busy, warm_up, receive, check_receive);
}

#[test]
fn receive_round_the_end() {
    let _alone = alone();
    let make = || {
        let pipe = busy();
        receive(&pipe.b, 5, Wait::TRY).unwrap();
        pipe.a.send(b"second", Wait::TRY).unwrap();
        pipe
    };
    let receive = |pipe: &Pipe| {
        receive_only(&pipe.b, &mut [MaybeUninit::uninit(); 1000], Wait::TRY);
    };
    spread(make, warm_up, receive, |pipe, returned| {
        let left = drain(pipe);
        match left.len() {
            1 => assert_eq!(left, [b"second".to_vec()]),
            2 => assert_eq!(left, [pattern(1000), b"second".to_vec()]),
            other => panic!("{other} messages"),
        }
        assert!(!returned || left.len() == 1, "received twice");
    });
}

/// The killed receive's message is still there, or was received; the one behind it is untouched.
fn check_receive(pipe: &Pipe, returned: bool) {
    let left = drain(pipe);
    match left.len() {
        1 => assert_eq!(left, [pattern(1000)]),
        2 => assert_eq!(left, [b"first".to_vec(), pattern(1000)]),
        other => panic!("{other} messages"),
    }
    assert!(!returned || left.len() == 1, "received twice");
}

/// A receiver is there when the sender of a long message is killed.
#[test]
fn long_send() {
    let _alone = alone();
    let message = pattern(LONG + 100_000);
    let length = {
        let pipe = empty();
        let (done, got) = long_send_killed_after(usize::MAX, &pipe, &message);
        assert!(got == message);
        done
    };
    for point in 0..20 {
        let pipe = empty();
        let steps = point * length / 20;
        let (done, got) = long_send_killed_after(steps, &pipe, &message);
        if got == message {
            assert_eq!(drain(&pipe), [b"after".to_vec()]);
        } else {
            assert!(got == b"after", "half a message: {}", got.len());
            assert!(done == steps, "a send that had returned is lost");
            assert!(drain(&pipe).is_empty());
        }
    }
    println!("{length} instructions, killed at 20 points");
}

/// How many instructions it ran, and what its receiver got: that message, or one that was sent later.
fn long_send_killed_after(steps: usize, pipe: &Pipe, message: &[u8]) -> (usize, Vec<u8>) {
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| receive(&pipe.b, message.len(), in_time()).unwrap());
        let send = || pipe.a.send(message, in_time()).unwrap();
        let done = killed_after(steps, || warm_up(pipe), send);
        pipe.a.send(b"after", in_time()).unwrap();
        (done, receiver.join().unwrap())
    })
}

/// A sender is there when the receiver of a long message is killed: the next receiver gets it all.
#[test]
fn long_receive() {
    let _alone = alone();
    let message = pattern(LONG + 100_000);
    let kill = |steps: usize| {
        let pipe = empty();
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| pipe.a.send(&message, in_time()));
            let mut buffer = vec![MaybeUninit::new(0); message.len()];
            let body = || {
                receive_only(&pipe.b, &mut buffer, in_time());
            };
            let done = killed_after(steps, || warm_up(&pipe), body);
            if done == steps {
                // Killed in the middle of it, or after the last store that counts.
                let mut wait = Wait::for_ns(500_000_000);
                while !sender.is_finished() {
                    match receive(&pipe.b, message.len(), wait) {
                        Ok(whole) => assert_eq!(whole, message),
                        Err(status) => assert_eq!(status, Status::E_TIMEOUT),
                    }
                    wait = Wait::TRY;
                }
            }
            assert_eq!(sender.join().unwrap(), Ok(()));
            assert!(drain(&pipe).is_empty());
            done
        })
    };
    let length = kill(usize::MAX);
    for point in 0..20 {
        kill(point * length / 20);
    }
    println!("{length} instructions, killed at 20 points");
}

/// The second process is killed while it clears up after a first that was killed while it offered a long
/// message and had the senders' lock.
#[test]
fn recovery_of_another() {
    let _alone = alone();
    let make = || {
        let pipe = empty();
        let victim = crate::victim::Victim::inside(|| {
            let _ = pipe.a.send(&pattern(LONG), Wait::FOREVER);
        });
        victim.wait_until_asleep();
        assert_eq!(pipe.b.poll(in_time()), Ok(()));
        victim.kill();
        pipe
    };
    let recover = |pipe: &Pipe| assert_eq!(pipe.b.poll(Wait::TRY), Err(Status::E_TIMEOUT));
    spread(
        make,
        |_| (),
        recover,
        |pipe, _| {
            assert!(drain(pipe).is_empty());
        },
    );
}

#[test]
fn open_send_and_close() {
    let _alone = alone();
    let body = |pipe: &Pipe| {
        let fd = pipe.a.share_fd().unwrap();
        let again = Connection::from_fd(fd).unwrap();
        again.send(b"third", Wait::TRY).unwrap();
        drop(again);
    };
    spread(busy, warm_up, body, |pipe, returned| {
        check_send(pipe, b"third", returned)
    });
}
