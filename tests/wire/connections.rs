//! How a connection reacts to what it receives, and to a peer that does not receive.

use std::io::Read;
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use polyproc::{connect_timeout, Cancel};

const SOON: Wait<'static> = Wait::for_ns(20_000_000);

#[test]
fn nonsense_for_a_length() {
    let long = |length: u64| [&[0xff; 4][..], &length.to_be_bytes()].concat();
    let cases = [
        (vec![0x80, 0, 0, 0], Status::E_CORRUPT),
        (vec![0xff, 0xff, 0xff, 0xfe], Status::E_CORRUPT),
        (long(1 << 63), Status::E_TOO_LARGE),
        (long(u64::MAX), Status::E_TOO_LARGE),
        (long(1 << 32), Status::E_TOO_LARGE),
        // 256 MiB and a byte, from any peer.
        (long((256 << 20) + 1), Status::E_TOO_LARGE),
    ];
    for (bytes, status) in cases {
        let (connection, mut stream) = half_raw(&ListenerOptions::default());
        write(&mut stream, &frame(b"fine"));
        write(&mut stream, &bytes);
        assert_eq!(recv(&connection, PATIENCE), Ok(b"fine".to_vec()));
        for wait in [PATIENCE, Wait::TRY] {
            assert_eq!(recv(&connection, wait), Err(status), "{bytes:?}");
            assert_eq!(connection.poll_timeout(wait), Ok(()));
        }
        // The other direction still works.
        connection
            .send_timeout(b"still", PATIENCE)
            .expect("it is sent");
    }
}

#[test]
fn a_limit_of_ones_own() {
    let options = ListenerOptions {
        max_message: 10,
        ..ListenerOptions::default()
    };
    let (connection, mut stream) = half_raw(&options);
    write(&mut stream, &frame(b"0123456789"));
    write(&mut stream, &frame(b"0123456789a"));
    assert_eq!(
        recv(&connection, PATIENCE).map(|message| message.len()),
        Ok(10)
    );
    assert_eq!(recv(&connection, PATIENCE), Err(Status::E_TOO_LARGE));
}

/// The long form of a length is valid for any length.
#[test]
fn the_long_form_of_a_short_length() {
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    write(
        &mut stream,
        &[&[0xff; 4][..], &5u64.to_be_bytes(), b"hello"].concat(),
    );
    assert_eq!(recv(&connection, PATIENCE), Ok(b"hello".to_vec()));
}

/// If a call's time ends in the middle of a message, the next call goes on with it.
#[test]
fn a_message_that_comes_byte_by_byte() {
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    let message: Vec<u8> = (0..300u32).map(|byte| byte as u8).collect();
    for byte in frame(&message) {
        assert_eq!(recv(&connection, Wait::TRY), Err(Status::E_TIMEOUT));
        write(&mut stream, &[byte]);
        connection.poll_timeout(PATIENCE).expect("a byte");
    }
    assert_eq!(recv(&connection, PATIENCE), Ok(message));
    write(&mut stream, &frame(b"next"));
    assert_eq!(recv(&connection, PATIENCE), Ok(b"next".to_vec()));
}

/// A message that has begun stays first in line for a call with room for it.
#[test]
fn too_little_room_in_the_middle_of_a_message() {
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    write(&mut stream, &[0, 0, 0, 5, b'h', b'e']);
    let mut room = [MaybeUninit::uninit(); 5];
    assert_eq!(connection.recv_raw(&mut room, SOON), Err(Status::E_TIMEOUT));
    let too_small = connection.recv_raw(&mut room[..4], PATIENCE);
    assert_eq!(too_small, Ok(Got::TooSmall(5)));
    write(&mut stream, b"llo");
    assert_eq!(recv(&connection, PATIENCE), Ok(b"hello".to_vec()));
}

#[test]
fn a_peer_that_leaves() {
    for (bytes, status) in [
        (&b""[..], Status::E_EOF),
        (&[0, 0], Status::E_BROKEN_PIPE),
        (&[0, 0, 0, 5], Status::E_BROKEN_PIPE),
        (&[0, 0, 0, 5, 1, 2], Status::E_BROKEN_PIPE),
    ] {
        let (connection, mut stream) = half_raw(&ListenerOptions::default());
        write(&mut stream, &frame(b"last"));
        write(&mut stream, bytes);
        stream.shutdown(Shutdown::Write).expect("its end");
        assert_eq!(recv(&connection, PATIENCE), Ok(b"last".to_vec()));
        assert_eq!(recv(&connection, PATIENCE), Err(status));
        assert_eq!(recv(&connection, Wait::TRY), Err(status));
    }
    // With a reset, because it has not read what was sent.
    let (connection, stream) = half_raw(&ListenerOptions::default());
    connection
        .send_timeout(b"unread", PATIENCE)
        .expect("it is sent");
    while stream.peek(&mut [0; 10]).expect("what was sent") < 10 {}
    drop(stream);
    assert_eq!(recv(&connection, PATIENCE), Err(Status::E_EOF));
    // A status reports it to this process, and not SIGPIPE.
    let sent = (0..100).find_map(|_| connection.send_timeout(b"to nobody", PATIENCE).err());
    assert_eq!(sent, Some(Status::E_BROKEN_PIPE));
}

/// No message follows one that could not be sent completely.
#[test]
fn a_peer_that_does_not_read() {
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    let long = vec![7; 64 << 20];
    // A send that may not wait does not begin a message that may not fit.
    assert_eq!(connection.try_send(&long), Err(Status::E_TIMEOUT));
    connection
        .send_timeout(b"first", PATIENCE)
        .expect("it fits");
    assert_eq!(connection.send_timeout(&long, SOON), Err(Status::E_TIMEOUT));
    assert_eq!(
        connection.send_timeout(b"next", PATIENCE),
        Err(Status::E_BROKEN_PIPE)
    );
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("the end of it");
    assert!(all.starts_with(&frame(b"first")));
    assert!(all.len() < long.len());
    assert!(!all.ends_with(b"next"));
    // The other direction still works.
    write(&mut stream, &frame(b"back"));
    assert_eq!(recv(&connection, PATIENCE), Ok(b"back".to_vec()));
}

/// A timeout limits each step of a message that is being sent, not the whole.
#[test]
fn a_peer_that_reads_slowly() {
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    let long = vec![7; 16 << 20];
    let is_sent = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let is_sent = &is_sent;
        scope.spawn(move || {
            let mut all = vec![0; 4 + (16 << 20)];
            let (head, rest) = all.split_at_mut(1 << 20);
            // Slowly until the sender has waited at least once.
            for byte in head.chunks_mut(1 << 16) {
                stream.read_exact(byte).expect("some of it");
                std::thread::yield_now();
            }
            stream.read_exact(rest).expect("the rest");
            assert!(all[4..].iter().all(|byte| *byte == 7));
            assert_eq!(stream.read(&mut [0]).expect("the end"), 0);
            assert!(is_sent.load(Ordering::Relaxed));
        });
        connection
            .send_timeout(&long, PATIENCE)
            .expect("it is sent");
        is_sent.store(true, Ordering::Relaxed);
        drop(connection);
    });
}

#[test]
fn a_token_ends_each_wait() {
    let (connection, stream) = half_raw(&ListenerOptions::default());
    let token = Cancel::new();
    let wait = Wait::FOREVER.or_cancel(&token);
    let long = vec![7; 64 << 20];
    std::thread::scope(|scope| {
        let receiving = scope.spawn(|| recv(&connection, wait).map(drop));
        // This one waits for its turn.
        let behind = scope.spawn(|| recv(&connection, wait).map(drop));
        let polling = scope.spawn(|| connection.poll_timeout(wait));
        let sending = scope.spawn(|| connection.send_timeout(&long, wait));
        std::thread::sleep(std::time::Duration::from_millis(20));
        token.fire();
        for waiter in [receiving, behind, polling, sending] {
            assert_eq!(waiter.join().expect("no panic"), Err(Status::E_CANCELED));
        }
    });
    drop(stream);
}

/// Several threads send and receive on one connection: every message whole.
#[test]
fn many_threads_on_both_ends() {
    let listener = listener(&ListenerOptions::default());
    let address = listener.address();
    let a = connect_timeout(&address, &ListenerOptions::default(), PATIENCE).expect("a connection");
    let b = listener.accept_timeout(PATIENCE).expect("its other end");
    std::thread::scope(|scope| {
        for sender in 1..=4u8 {
            let a = &a;
            scope.spawn(move || {
                for turn in 0..200 {
                    let len = if turn % 20 == 0 { 300_000 } else { turn * 7 };
                    a.send_timeout(&vec![sender; len], PATIENCE)
                        .expect("it is sent");
                }
            });
        }
        let received = [0; 4].map(|_| {
            scope.spawn(|| {
                for _ in 0..200 {
                    let message = recv(&b, PATIENCE).expect("a message");
                    let first = message.first().copied();
                    assert!(message.iter().all(|byte| Some(*byte) == first));
                }
            })
        });
        for thread in received {
            thread.join().expect("whole messages");
        }
    });
}

/// Other threads look at the connection all the time: a call that only tries still gets what is
/// there.
#[test]
fn a_try_beside_others_who_look() {
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    let is_over = AtomicBool::new(false);
    let token = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let _ = connection.try_poll();
            }
        });
        for turn in 0..2000u32 {
            write(&mut stream, &frame(&turn.to_be_bytes()));
            connection.poll_timeout(PATIENCE).expect("it has come");
            // All of it is there at once, because it was written at once.
            assert_eq!(
                recv(&connection, Wait::TRY),
                Ok(turn.to_be_bytes().to_vec())
            );
        }
        // A call that waits for a message that does not come delays no call that sends or only
        // tries.
        let waiting = scope.spawn(|| recv(&connection, Wait::FOREVER.or_cancel(&token)));
        for _ in 0..10 {
            assert_eq!(recv(&connection, Wait::TRY), Err(Status::E_TIMEOUT));
            connection.try_send(b"out").expect("there is room");
        }
        token.fire();
        assert_eq!(waiting.join().expect("no panic"), Err(Status::E_CANCELED));
        is_over.store(true, Ordering::Relaxed);
    });
}

/// A challenge, the first message of a listener that wants a key, is distinguished from a message
/// that only looks like one.
#[test]
fn what_only_begins_like_a_challenge() {
    let listener = listener(&ListenerOptions::default());
    let messages: [&[u8]; 3] = [b"#CHALLENGE#", b"#CHALLENGE#{sha256}", &[b'#'; 59]];
    for message in messages {
        let a =
            connect_timeout(&listener.address(), &ListenerOptions::default(), PATIENCE).expect("a");
        let b = listener.accept_timeout(PATIENCE).expect("b");
        b.send_timeout(message, PATIENCE).expect("it is sent");
        assert_eq!(recv(&a, PATIENCE).as_deref(), Ok(message));
        // Later messages may be any bytes.
        let challenge = [&b"#CHALLENGE#{sha256}"[..], &[0; 40]].concat();
        b.send_timeout(&challenge, PATIENCE).expect("it is sent");
        assert_eq!(recv(&a, PATIENCE), Ok(challenge));
    }
}

/// A look at a connection ended with `E_INTERRUPTED` when a signal came in that moment, although
/// the caller had not asked for it; Go's runtime sends signals all the time.
#[test]
fn a_signal_during_a_look() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    extern "C" fn count(_: libc::c_int) {
        RUNS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: all zeros is a valid sigaction, without SA_RESTART; the handler counts.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = count as *const () as libc::sighandler_t;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
    }
    let (connection, mut stream) = half_raw(&ListenerOptions::default());
    // SAFETY: no preconditions.
    let looker = unsafe { libc::pthread_self() };
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                // SAFETY: the looker is this thread's parent and outlives it.
                unsafe { libc::pthread_kill(looker, libc::SIGUSR1) };
            }
        });
        while RUNS.load(Ordering::Relaxed) < 20_000 {
            let looked = connection.try_poll();
            let waited = connection.poll_timeout(Wait::for_ns(1_000));
            if (looked, waited) != (Err(Status::E_TIMEOUT), Err(Status::E_TIMEOUT)) {
                is_over.store(true, Ordering::Relaxed);
                panic!("nothing has come, but the looks gave {looked:?} and {waited:?}");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    write(&mut stream, &frame(b"at last"));
    assert_eq!(recv(&connection, PATIENCE), Ok(b"at last".to_vec()));
}
