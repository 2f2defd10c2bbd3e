//! Clients of a listener with a key whose handshake is wrong.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::*;

/// Whatever a client sends in a wrong handshake: it is disconnected, and the next one is served.
fn sends_away(listener: &Listener, say: impl FnOnce(&mut TcpStream)) {
    // The first accept begins to receive.
    assert_eq!(accepted(listener), Err(Status::E_TIMEOUT));
    let mut client = raw(&listener.address());
    say(&mut client);
    assert!(is_sent_away(&mut client));
    assert_eq!(accepted(listener), Err(Status::E_TIMEOUT));
    serve_one(listener);
}

fn accepted(listener: &Listener) -> Result<(), Status> {
    listener.try_accept().map(drop)
}

fn challenge_of(client: &mut TcpStream) -> Vec<u8> {
    let mut challenge = vec![0; 4 + 11 + 8 + 40];
    client.read_exact(&mut challenge).expect("a challenge");
    challenge
}

#[test]
fn a_challenge_is_what_python_expects() {
    let listener = listener(&with_key(KEY));
    sends_away(&listener, |client| {
        let challenge = challenge_of(client);
        assert_eq!(challenge[..4], [0, 0, 0, 59]);
        assert!(challenge[4..].starts_with(b"#CHALLENGE#{sha256}"));
        write(client, &frame(&[7; 16]));
        let mut said = [0; 13];
        client.read_exact(&mut said).expect("a verdict");
        assert_eq!(said[..], frame(b"#FAILURE#"));
    });
}

#[test]
fn wrong_answers_and_garbage() {
    let listener = listener(&with_key(KEY));
    let garbage: &[&[u8]] = &[
        &frame(b""),
        &frame(b"{sha256}short"),
        &frame(b"{sha1}01234567890123456789"),
        &frame(&[0xff; 256]),
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        &[0, 0, 1, 1],
        &[0x80, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xfe],
        &[0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
    ];
    for bytes in garbage {
        sends_away(&listener, |client| write(client, bytes));
    }
}

/// The client proves that it has the key and then sends nonsense.
#[test]
fn a_wrong_challenge_in_return() {
    let listener = listener(&with_key(KEY));
    // `connect` does a connector's handshake up to there; a wrong verdict cuts the rest off.
    for bad in [
        &b"#CHALLENGE#"[..],
        b"",
        b"#CHALLENGE#{sha1}0123456789012345678901234567890123456789",
    ] {
        sends_away(&listener, |client| {
            challenge_of(client);
            write(client, &frame(bad));
        });
    }
}

#[test]
fn a_client_that_stops_in_the_middle_of_a_frame_or_leaves() {
    let options = ListenerOptions {
        handshake_timeout: Some(std::time::Duration::from_nanos(50_000_000)),
        ..with_key(KEY)
    };
    let listener = listener(&options);
    // Its time ends.
    sends_away(&listener, |_| ());
    sends_away(&listener, |client| write(client, &[0, 0]));
    sends_away(&listener, |client| write(client, &frame(&[7; 16])[..10]));
    sends_away(&listener, |client| {
        write(client, &[0, 0, 0]);
        client.shutdown(std::net::Shutdown::Write).expect("its end");
    });
}

/// A slow client is still served, and so is one that comes after it in the meantime.
#[test]
fn a_slow_client_holds_up_nobody() {
    let listener = listener(&with_key(KEY));
    let slow = raw(&listener.address());
    for _ in 0..3 {
        serve_one(&listener);
    }
    drop(slow);
}

/// A thousand clients are taken in and disconnected, and a client with the key is served at once.
#[test]
fn a_thousand_that_never_speak() {
    raise_limit();
    let listener = listener(&with_key(KEY));
    serve_one(&listener);
    let address = listener.address();
    let silent: Vec<TcpStream> = (0..1000).map(|_| raw(&address)).collect();
    let mut best = Duration::MAX;
    for _ in 0..10 {
        let begin = Instant::now();
        serve_one(&listener);
        let took = begin.elapsed();
        // No client's ten seconds delay the others.
        assert!(took < Duration::from_secs(9), "{took:?}");
        best = best.min(took);
    }
    assert!(best < Duration::from_millis(100), "{best:?}");
    // At no time are more of them there than the listener has room for.
    let is_gone = |stream: &&TcpStream| {
        stream.set_nonblocking(true).expect("a switch");
        let mut said = [0; 256];
        loop {
            match (&mut &**stream).read(&mut said) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    };
    let left = silent.iter().filter(|stream| !is_gone(stream)).count();
    assert!(left <= 128, "{left} are still there");
}

/// This process holds both ends of each connection.
fn raise_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: a place for the limit, and the limit.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max.min(8192);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}

/// Clients that have proved their key and are not accepted wait, up to a limit; beyond it the
/// others wait in line.
#[test]
fn more_come_than_are_accepted() {
    let options = ListenerOptions {
        backlog: 2,
        ..with_key(KEY)
    };
    let listener = listener(&options);
    assert_eq!(accepted(&listener), Err(Status::E_TIMEOUT));
    let address = listener.address();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let address = address.clone();
            std::thread::spawn(move || connect_timeout(&address, &with_key(KEY), PATIENCE).is_ok())
        })
        .collect();
    let mut served = 0;
    loop {
        match listener.accept_timeout(Wait::for_ns(50_000_000)) {
            Ok(_) => served += 1,
            Err(status) => {
                assert_eq!(status, Status::E_TIMEOUT);
                if clients.iter().all(|client| client.is_finished()) {
                    break;
                }
            }
        }
    }
    let told = clients
        .into_iter()
        .map(|client| client.join().expect("no panic"));
    let told = told.filter(|is_connected| *is_connected).count();
    // With so little room some must make room for others, and may just have sent their last
    // message.
    assert!((2..=told).contains(&served), "{served} of {told}");
}

#[test]
fn a_listener_of_another_kind() {
    use std::net::TcpListener;
    let listening = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listening.local_addr().expect("its address"));
    let answers: &[(&[u8], Status)] = &[
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Status::E_TOO_LARGE),
        (&[0xff, 0xff, 0xff, 0xf0], Status::E_CORRUPT),
        (b"\0\0\0\x05hello", Status::E_AUTH),
        (b"\0\0", Status::E_EOF),
        (b"", Status::E_EOF),
    ];
    for (answer, status) in answers {
        let address = address.clone();
        let client = std::thread::spawn(move || {
            connect_timeout(&address, &with_key(KEY), PATIENCE).map(drop)
        });
        let (mut stream, _) = listening.accept().expect("a client");
        write(&mut stream, answer);
        drop(stream);
        assert_eq!(client.join().expect("no panic"), Err(*status), "{answer:?}");
    }
    let options = ListenerOptions {
        handshake_timeout: Some(std::time::Duration::from_nanos(20_000_000)),
        ..with_key(KEY)
    };
    let silent = polyproc::connect(&address, &options).map(drop);
    assert_eq!(silent, Err(Status::E_TIMEOUT));
}

/// A child that is forked during a handshake has a copy of the socket and does not know of it: the
/// client must still see the end of its connection.
#[test]
fn a_forked_child_keeps_no_stranger() {
    let listener = listener(&with_key(KEY));
    serve_one(&listener);
    let mut client = raw(&listener.address());
    challenge_of(&mut client);
    let (mut pipe, mut report) = ([0; 2], [0; 2]);
    let mut byte = 0u8;
    let place = std::ptr::from_mut(&mut byte).cast::<libc::c_void>();
    // SAFETY: two pipes, and a child that only reports and waits for the end of the other one.
    let child = unsafe {
        assert_eq!(libc::pipe2(pipe.as_mut_ptr(), libc::O_CLOEXEC), 0);
        assert_eq!(libc::pipe2(report.as_mut_ptr(), libc::O_CLOEXEC), 0);
        match libc::fork() {
            0 => {
                libc::close(pipe[1]);
                libc::write(report[1], place, 1);
                libc::read(pipe[0], place, 1);
                libc::_exit(0)
            }
            child => child,
        }
    };
    // Only a child in which fork has returned has closed what it inherited.
    // SAFETY: one byte of the pipe.
    assert_eq!(unsafe { libc::read(report[0], place, 1) }, 1);
    // Not the listener: only the child's copy could be left, and a shutdown would end that as well.
    let before = copies_of(&client, child);
    assert_eq!(before, 0);
    // SAFETY: the pipe's ends, and the child's number.
    unsafe {
        for fd in [pipe[0], pipe[1], report[0], report[1]] {
            libc::close(fd);
        }
        assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child);
    }
}

/// Returns how many sockets of a process have this client as their peer.
fn copies_of(client: &TcpStream, pid: i32) -> usize {
    let in_table = |address: std::io::Result<std::net::SocketAddr>| {
        let port = address.expect("an address").port();
        format!("0100007F:{port:04X}")
    };
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of sockets");
    // Both addresses: a client of another listener may have had the same port.
    let server = in_table(client.peer_addr());
    let peer = in_table(client.local_addr());
    let inodes: Vec<String> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| {
            fields.get(1) == Some(&server.as_str()) && fields.get(2) == Some(&peer.as_str())
        })
        .filter_map(|fields| Some(format!("socket:[{}]", fields.get(9)?)))
        .collect();
    assert_eq!(inodes.len(), 1, "the server's end");
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("its descriptors")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|link| {
            inodes
                .iter()
                .any(|inode| link.as_os_str() == inode.as_str())
        })
        .count()
}
