//! Pipes.

use std::mem::MaybeUninit;
use std::sync::OnceLock;

use polyproc::{pipe, Connection, Got, Status, Wait};

use super::queues::{check_got, check_put, pattern, Messages};
use super::{add, in_time, Named};
use crate::case::{Case, End};
use crate::page::timed;

pub struct Pipe {
    pub a: Connection,
    pub b: Connection,
}

/// One byte more than the ring holds, so the message is handed over.
pub const LONG: usize = (1 << 20) - 7;

fn receive(end: &Connection, room: usize, wait: Wait<'_>) -> Result<Vec<u8>, Status> {
    let mut buffer = vec![MaybeUninit::uninit(); room];
    match end.recv_raw(&mut buffer, wait)? {
        // SAFETY: a receive writes the bytes that it reports.
        Got::Message(len) => Ok(buffer[..len]
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect()),
        Got::TooSmall(len) => panic!("{len} bytes"),
    }
}

/// The same for a child that is stepped: nothing but the call itself.
fn receive_only(end: &Connection, buffer: &mut [MaybeUninit<u8>], wait: Wait<'_>) {
    assert!(matches!(end.recv_raw(buffer, wait), Ok(Got::Message(_))));
}

fn empty() -> Pipe {
    let (a, b) = pipe(true).unwrap();
    Pipe { a, b }
}

fn before() -> Messages {
    vec![b"first".to_vec(), pattern(1000)]
}

/// Two messages wait at end B, the second round the end of the ring.
fn busy() -> Pipe {
    let pipe = empty();
    for len in [700_000, 348_000] {
        pipe.a.try_send(&pattern(len)).unwrap();
    }
    receive(&pipe.b, 700_000, Wait::TRY).unwrap();
    pipe.a.try_send(b"first").unwrap();
    receive(&pipe.b, 348_000, Wait::TRY).unwrap();
    pipe.a.try_send(&pattern(1000)).unwrap();
    pipe
}

fn warm_up(pipe: &Pipe) {
    let _ = pipe.a.try_poll();
    let _ = pipe.b.try_poll();
}

/// Returns the messages that are left at end B, in order.
fn drain(pipe: &Pipe) -> Messages {
    let mut left = Vec::new();
    loop {
        match timed(|| receive(&pipe.b, 2 << 20, Wait::TRY)) {
            Ok(message) => left.push(message),
            Err(Status::E_TIMEOUT) => return left,
            Err(status) => panic!("{status:?}"),
        }
    }
}

/// Short messages both ways.
fn work(pipe: &Pipe) {
    for number in 0..20u32 {
        timed(|| {
            pipe.a
                .send_timeout(&number.to_le_bytes(), in_time())
                .unwrap()
        });
        timed(|| pipe.b.send_timeout(b"back", in_time()).unwrap());
        let there = timed(|| receive(&pipe.b, 4, Wait::TRY));
        assert_eq!(there, Ok(number.to_le_bytes().to_vec()));
        assert_eq!(receive(&pipe.a, 4, Wait::TRY), Ok(b"back".to_vec()));
    }
}

/// Also one that is handed over.
fn work_with_long(pipe: &Pipe) {
    work(pipe);
    let data = pattern(LONG);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| pipe.a.send_timeout(&data, in_time()));
        assert!(receive(&pipe.b, data.len(), in_time()).unwrap() == data);
        assert_eq!(sender.join().unwrap(), Ok(()));
    });
}

fn send_of(make: fn() -> Pipe, before: fn() -> Messages, message: Vec<u8>) -> Case<Pipe> {
    let sent = message.clone();
    Case::new(make, move |pipe: &Pipe| pipe.a.try_send(&sent).unwrap())
        .prepare(warm_up)
        .third(warm_up)
        .check(move |pipe, end| {
            let returned = usize::from(end.has_returned);
            check_put(
                &drain(pipe),
                &before(),
                std::slice::from_ref(&message),
                returned,
            );
        })
        .work(work)
}

fn receive_of(make: fn() -> Pipe, before: fn() -> Messages, room: usize) -> Case<Pipe> {
    let body = move |pipe: &Pipe| {
        receive_only(
            &pipe.b,
            &mut [MaybeUninit::uninit(); 1000][..room],
            Wait::TRY,
        );
    };
    Case::new(make, body)
        .prepare(warm_up)
        .third(warm_up)
        .check(move |pipe, end| {
            check_got(&drain(pipe), &before(), usize::from(end.has_returned), end);
        })
        .work(work)
}

pub fn add_to(all: &mut Vec<Named>) {
    add(all, "pipe: send", || {
        send_of(busy, before, b"third".to_vec()).work(work_with_long)
    });
    add(all, "pipe: send, large", || {
        send_of(busy, before, pattern(200_000))
    });
    add(all, "pipe: first use after fork, and send", || {
        send_of(busy, before, b"third".to_vec()).prepare(|_| ())
    });
    add(all, "pipe: send that jumps", || {
        // From far into an empty ring back to its beginning.
        let make = || {
            let pipe = empty();
            pipe.a.try_send(&pattern(100_000)).unwrap();
            receive(&pipe.b, 100_000, Wait::TRY).unwrap();
            pipe
        };
        send_of(make, Vec::new, b"jumps".to_vec())
    });
    add(all, "pipe: recv", || receive_of(busy, before, 5));
    add(all, "pipe: recv round the end", || {
        let make = || {
            let pipe = busy();
            receive(&pipe.b, 5, Wait::TRY).unwrap();
            pipe.a.try_send(b"second").unwrap();
            pipe
        };
        receive_of(make, || vec![pattern(1000), b"second".to_vec()], 1000)
    });
    add(all, "pipe: recv from an empty one", || {
        let body = |pipe: &Pipe| receive_only(&pipe.b, &mut [MaybeUninit::uninit(); 16], in_time());
        Case::new(empty, body)
            .prepare(warm_up)
            .third(warm_up)
            .wake(|pipe| pipe.a.try_send(b"first").unwrap())
            .check(|pipe, end| {
                let sent = if end.was_woken {
                    vec![b"first".to_vec()]
                } else {
                    vec![]
                };
                check_got(&drain(pipe), &sent, usize::from(end.has_returned), end);
            })
            .work(work)
    });
    add(all, "pipe: open, send and close an end", || {
        let body = |pipe: &Pipe| {
            let again = Connection::from_fd(pipe.a.share_fd().unwrap()).unwrap();
            again.try_send(b"third").unwrap();
            drop(again);
        };
        Case::new(busy, body)
            .prepare(warm_up)
            .third(warm_up)
            .check(|pipe, end| {
                let returned = usize::from(end.has_returned);
                check_put(&drain(pipe), &before(), &[b"third".to_vec()], returned);
            })
            .work(work)
    });
    add_long(all);
}

/// Messages that are handed over from one call to the other; the third process is in the other
/// call.
fn add_long(all: &mut Vec<Named>) {
    const LEN: usize = LONG + 50_000;
    /// Made once, by the worker.
    fn long() -> &'static [u8] {
        static MESSAGE: OnceLock<Vec<u8>> = OnceLock::new();
        MESSAGE.get_or_init(|| pattern(LEN))
    }
    /// Whole, or not at all.
    fn one_of(pipe: &Pipe, end: &End<'_>) -> Messages {
        let left = drain(pipe);
        end.third.wakes();
        left
    }
    add(all, "pipe: send, handed over", || {
        let message = long();
        let body = move |pipe: &Pipe| pipe.a.send_timeout(message, in_time()).unwrap();
        Case::new(empty, body)
            .prepare(warm_up)
            .third(warm_up)
            .third_sleeps(|pipe| {
                let got = receive(&pipe.b, LEN, in_time()).unwrap();
                // With STOP=1 the other processes also send.
                let whole = [long(), b"after", b"from another", &[5; LONG]];
                assert!(
                    whole.contains(&got.as_slice()),
                    "half a message: {}",
                    got.len()
                );
                // The other direction reports the result.
                pipe.b.send_timeout(&got[..5], in_time()).unwrap();
            })
            .check(|pipe, end| {
                timed(|| pipe.a.send_timeout(b"after", in_time()).unwrap());
                let told = timed(|| receive(&pipe.a, 5, in_time())).unwrap();
                match told == b"after" {
                    true => assert!(!end.has_returned, "lost: a send that had returned"),
                    false => assert_eq!(drain(pipe), [b"after".to_vec()]),
                }
                end.third.wakes();
            })
            .work(work)
    });
    add(all, "pipe: recv, handed over", || {
        let body = |pipe: &Pipe| {
            // Uninitialised, so that no step is spent on it.
            let mut room = Vec::with_capacity(LEN);
            receive_only(&pipe.b, room.spare_capacity_mut(), in_time());
        };
        long();
        Case::new(empty, body)
            .prepare(warm_up)
            .third(warm_up)
            .third_sleeps(|pipe| pipe.a.send_timeout(long(), in_time()).unwrap())
            .check(|pipe, end| {
                // The sender keeps all of it until it is received, and begins again with the next
                // receiver.
                let mut again = 0;
                crate::page::until("the sender does not go on", || {
                    match receive(&pipe.b, LEN, Wait::for_ns(1_000_000)) {
                        Ok(message) => {
                            assert!(message == long(), "half a message");
                            again += 1;
                        }
                        Err(status) => assert_eq!(status, Status::E_TIMEOUT),
                    }
                    end.third.is_woken()
                });
                assert!(again <= 1 && !(end.has_returned && again > 0), "duplicated");
                if again == 0 && !end.has_returned {
                    end.went_with_the_dead(1);
                }
                assert!(one_of(pipe, end).is_empty());
            })
            .work(work)
    });
}
