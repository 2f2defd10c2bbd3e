//! Arbitrary bytes at the other end of a socket: every call returns, and no client without the key
//! is accepted.

use std::io::Write;
use std::mem::MaybeUninit;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};

use arbitrary::Arbitrary;
use polyproc::{connect_timeout, Connection, Listener, ListenerOptions, Status, Wait};

use crate::hostile::{answered, SOON};
use crate::steps::Steps;

#[derive(Arbitrary, Clone, Debug)]
pub struct Input {
    has_key: bool,
    /// Which side is polyproc's: the listener, or the connector.
    connects: bool,
    max_message: u16,
    steps: Steps<Step>,
}

#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    /// The beginning of a frame of any length.
    Head(i32),
    LongHead(u64),
    /// A whole frame.
    Frame(Vec<u8>),
    Challenge(Prefix, [u8; 20], bool),
    Answer(Prefix, [u8; 16]),
    Welcome,
    Failure,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Prefix {
    None,
    Md5,
    Sha256,
    Sha384,
    Sha3,
    Unknown,
}

impl Prefix {
    fn bytes(self) -> &'static [u8] {
        match self {
            Prefix::None => b"",
            Prefix::Md5 => b"{md5}",
            Prefix::Sha256 => b"{sha256}",
            Prefix::Sha384 => b"{sha384}",
            Prefix::Sha3 => b"{sha3_256}",
            Prefix::Unknown => b"{sha1}",
        }
    }
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&(body.len() as i32).to_be_bytes(), body].concat()
}

impl Step {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Step::Bytes(bytes) => bytes.clone(),
            Step::Head(len) => len.to_be_bytes().to_vec(),
            Step::LongHead(len) => [&(-1i32).to_be_bytes()[..], &len.to_be_bytes()].concat(),
            Step::Frame(body) => frame(body),
            Step::Challenge(prefix, random, is_new) => {
                let twice = if *is_new { &random[..] } else { b"" };
                frame(&[b"#CHALLENGE#", prefix.bytes(), random, twice].concat())
            }
            Step::Answer(prefix, mac) => frame(&[prefix.bytes(), mac].concat()),
            Step::Welcome => frame(b"#WELCOME#"),
            Step::Failure => frame(b"#FAILURE#"),
        }
    }
}

/// An abstract address of this process's own.
fn name() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    format!("polyproc-fuzz-{}-{number}", std::process::id())
}

fn send(mut stream: UnixStream, bytes: &[u8]) -> UnixStream {
    // The other side may hang up at any byte, or read none of them.
    stream
        .set_write_timeout(Some(std::time::Duration::from_millis(1)))
        .unwrap();
    answered(stream.write_all(bytes));
    stream
}

pub fn run(input: &Input) {
    let options = ListenerOptions {
        authkey: input.has_key.then(|| b"a key that nobody guesses".to_vec()),
        handshake_timeout: Some(std::time::Duration::from_nanos(2_000_000)),
        max_message: u64::from(input.max_message),
        ..Default::default()
    };
    let bytes: Vec<u8> = input.steps.iter().flat_map(Step::bytes).collect();
    if input.connects {
        connects(&options, &bytes);
    } else {
        listens(&options, &bytes);
    }
}

fn listens(options: &ListenerOptions, bytes: &[u8]) {
    let name = name();
    let listener = Listener::new(&format!("unix:@{name}"), options).unwrap();
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let stream = send(UnixStream::connect_addr(&address).unwrap(), bytes);
    match listener.accept_timeout(SOON) {
        Ok(connection) => {
            assert!(options.authkey.is_none(), "let in without the key");
            talk(&connection);
            drop(stream);
            talk(&connection);
        }
        Err(status) => assert!(options.authkey.is_some(), "{status:?}"),
    }
}

fn connects(options: &ListenerOptions, bytes: &[u8]) {
    let name = name();
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (stream, _) = listener.accept().unwrap();
            drop(send(stream, bytes));
        });
        match connect_timeout(&format!("unix:@{name}"), options, Wait::for_ns(5_000_000)) {
            Ok(connection) => {
                assert!(options.authkey.is_none(), "trusted without the key");
                talk(&connection);
            }
            Err(status) => assert!(status != Status::E_INTERNAL),
        }
    });
}

fn talk(connection: &Connection) {
    let mut buffer = vec![MaybeUninit::uninit(); 300];
    for _ in 0..4 {
        answered(connection.poll_timeout(SOON));
        answered(connection.recv_raw(&mut buffer, SOON));
        answered(connection.send_timeout(b"an answer", SOON));
    }
}

/// A text that is no address is `E_INVALID`, and nothing else happens.
pub fn refuses(text: &str) {
    let is_tcp = text.strip_prefix("tcp://").is_some_and(|address| {
        let address = address.replace("localhost:", "127.0.0.1:");
        address.parse::<std::net::SocketAddr>().is_ok()
    });
    if is_tcp || text.starts_with("unix:") {
        return;
    }
    let options = ListenerOptions::default();
    assert_eq!(Listener::new(text, &options).err(), Some(Status::E_INVALID));
    assert_eq!(
        connect_timeout(text, &options, Wait::TRY).err(),
        Some(Status::E_INVALID)
    );
}
