//! CPython as the peer: `multiprocessing.connection` of the `python3` of this machine as Client and
//! as Listener, over every kind of address, with and without a key.

use std::io::{BufRead, BufReader, Lines};
use std::mem::MaybeUninit;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use polyproc::{connect_timeout, Connection, Got, Listener, ListenerOptions, Status, Wait};

const KEY: &str = "Hello World!";
const LENGTHS: [usize; 5] = [0, 1, 16_384, 16_385, 20 << 20];
/// Longer than anything here takes on a busy machine.
const PATIENCE: Wait<'static> = Wait::for_ns(60_000_000_000);

fn options(key: Option<&str>) -> ListenerOptions {
    ListenerOptions {
        authkey: key.map(|key| key.as_bytes().to_vec()),
        ..ListenerOptions::default()
    }
}

/// Returns the kinds of address, each with a name of its own.
fn addresses() -> [String; 3] {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let name = format!("polyproc-test-python.{}.{number}", std::process::id());
    [
        "tcp://127.0.0.1:0".to_owned(),
        format!("unix:{}", std::env::temp_dir().join(&name).display()),
        format!("unix:@{name}"),
    ]
}

/// A process of CPython, and its output, line by line.
struct Python {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Python {
    fn start(role: &str, address: &str, key: Option<&str>, speaks: &str) -> Python {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/peer.py");
        let mut child = Command::new("python3")
            .arg(script)
            .args([role, address, key.unwrap_or("-")])
            .env("PEER_SPEAKS", speaks)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is on this machine");
        let output = child.stdout.take().expect("a pipe");
        let lines = BufReader::new(output).lines();
        Python { child, lines }
    }

    fn line(&mut self) -> String {
        let line = self.lines.next().expect("one more line");
        line.expect("a line of text")
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // A listener goes on for ever, a client has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn message(length: usize) -> Vec<u8> {
    let mut message: Vec<u8> = (0..=250).cycle().take(length / 251 * 251).collect();
    message.resize(length, 0);
    message
}

fn recv(connection: &Connection, room: &mut Vec<u8>) -> Result<usize, Status> {
    room.clear();
    loop {
        let place: &mut [MaybeUninit<u8>] = room.spare_capacity_mut();
        match connection.recv_raw(place, PATIENCE)? {
            Got::Message(len) => {
                // SAFETY: that many were received into the spare capacity.
                unsafe { room.set_len(len) };
                return Ok(len);
            }
            Got::TooSmall(needed) => room.reserve(needed),
        }
    }
}

fn echo(connection: &Connection) {
    let mut room = Vec::new();
    loop {
        match recv(connection, &mut room) {
            Ok(_) => connection.send_timeout(&room, PATIENCE).expect("an echo"),
            Err(status) => return assert_eq!(status, Status::E_EOF),
        }
    }
}

fn is_echoed(connection: &Connection) {
    let mut room = Vec::new();
    for length in LENGTHS {
        let message = message(length);
        connection
            .send_timeout(&message, PATIENCE)
            .expect("it is sent");
        assert_eq!(recv(connection, &mut room), Ok(length));
        assert!(room == message, "{length} bytes came back as others");
    }
}

fn client_of_python(address: &str, key: Option<&str>, options: &ListenerOptions, speaks: &str) {
    let listener = Listener::new(address, options).expect("a listener");
    let mut client = Python::start("connect", &listener.address(), key, speaks);
    let connection = listener.accept_timeout(PATIENCE).expect("a client");
    echo(&connection);
    assert_eq!(client.line(), "echoed");
}

fn listener_of_python(address: &str, key: Option<&str>, options: &ListenerOptions, speaks: &str) {
    let mut listener = Python::start("listen", address, key, speaks);
    let address = listener.line();
    for _ in 0..2 {
        let connection = connect_timeout(&address, options, PATIENCE).expect("a connection");
        is_echoed(&connection);
        drop(connection);
        assert_eq!(listener.line(), "EOFError");
    }
    // CPython is killed, so it does not remove this itself.
    if let Some(path) = address.strip_prefix("unix:/") {
        std::fs::remove_file(format!("/{path}")).expect("its file");
    }
}

#[test]
fn a_client_of_python_without_a_key() {
    for address in addresses() {
        client_of_python(&address, None, &options(None), "");
    }
}

#[test]
fn a_client_of_python_with_the_key() {
    for address in addresses() {
        client_of_python(&address, Some(KEY), &options(Some(KEY)), "");
    }
}

#[test]
fn a_listener_of_python_without_a_key() {
    for address in addresses() {
        listener_of_python(&address, None, &options(None), "");
    }
}

#[test]
fn a_listener_of_python_with_the_key() {
    for address in addresses() {
        listener_of_python(&address, Some(KEY), &options(Some(KEY)), "");
    }
}

/// Since 3.12 both sides use SHA-256, and MD5 can be switched off.
#[test]
fn a_newer_python_in_both_roles() {
    let without_md5 = ListenerOptions {
        allow_md5: false,
        ..options(Some(KEY))
    };
    for options in [options(Some(KEY)), without_md5] {
        client_of_python("tcp://127.0.0.1:0", Some(KEY), &options, "3.12");
        listener_of_python("tcp://127.0.0.1:0", Some(KEY), &options, "3.12");
    }
}

#[test]
fn an_older_python_is_refused_where_md5_is_not_allowed() {
    let without_md5 = ListenerOptions {
        allow_md5: false,
        ..options(Some(KEY))
    };
    let listener = Listener::new("tcp://127.0.0.1:0", &without_md5).expect("a listener");
    let address = listener.address();
    let accepting = thread::spawn(move || listener.accept_timeout(PATIENCE).map(drop));
    let mut old = Python::start("connect", &address, Some(KEY), "");
    assert_eq!(old.line(), "AuthenticationError");
    let mut new = Python::start("connect", &address, Some(KEY), "3.12");
    accepting.join().expect("no panic").expect("the newer one");
    drop(new.child.wait());

    let mut listening = Python::start("listen", "tcp://127.0.0.1:0", Some(KEY), "");
    let address = listening.line();
    let refused = connect_timeout(&address, &without_md5, PATIENCE).map(drop);
    assert_eq!(refused, Err(Status::E_AUTH));
}

#[test]
fn a_wrong_key_is_refused_on_both_sides() {
    for address in addresses() {
        let listener = Listener::new(&address, &options(Some(KEY))).expect("a listener");
        let at = listener.address();
        let accepting = thread::spawn(move || {
            let connection = listener
                .accept_timeout(PATIENCE)
                .expect("the one with the key");
            echo(&connection);
        });
        let mut wrong = Python::start("connect", &at, Some("another"), "");
        assert_eq!(wrong.line(), "AuthenticationError");
        let mut right = Python::start("connect", &at, Some(KEY), "");
        assert_eq!(right.line(), "echoed");
        accepting.join().expect("no panic");
    }
    let mut listening = Python::start("listen", "tcp://127.0.0.1:0", Some(KEY), "");
    let address = listening.line();
    let refused = connect_timeout(&address, &options(Some("another")), PATIENCE).map(drop);
    assert_eq!(refused, Err(Status::E_AUTH));
    assert_eq!(listening.line(), "AuthenticationError");
    is_echoed(&connect_timeout(&address, &options(Some(KEY)), PATIENCE).expect("a connection"));
}

/// A client without the key fails at its first receive.
#[test]
fn no_key_for_a_listener_of_python_that_wants_one() {
    let mut listening = Python::start("listen", "tcp://127.0.0.1:0", Some(KEY), "");
    let address = listening.line();
    let connection = connect_timeout(&address, &options(None), PATIENCE).expect("a connection");
    assert_eq!(recv(&connection, &mut Vec::new()), Err(Status::E_AUTH));
}
