//! Peers on the wire that are wrong, slow, silent or gone: the call concerned gets a clear status,
//! and the others notice nothing.

mod connections;
mod listeners;

use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::time::Duration;

use polyproc::{connect_timeout, Connection, Got, Listener, ListenerOptions, Status, Wait};

const KEY: &[u8] = b"Hello World!";
/// Longer than anything here takes on a busy machine.
const PATIENCE: Wait<'static> = Wait::for_ns(60_000_000_000);

fn with_key(key: &[u8]) -> ListenerOptions {
    ListenerOptions {
        authkey: Some(key.to_vec()),
        ..ListenerOptions::default()
    }
}

fn listener(options: &ListenerOptions) -> Listener {
    Listener::new("tcp://127.0.0.1:0", options).expect("a listener")
}

/// A client that is no client of polyproc.
fn raw(address: &str) -> TcpStream {
    let address = address.strip_prefix("tcp://").expect("TCP");
    let stream = TcpStream::connect(address).expect("a connection");
    let timeout = Some(Duration::from_secs(60));
    stream.set_read_timeout(timeout).expect("a timeout");
    stream
}

/// Returns whether the other end has closed a raw connection, after its last message.
fn is_sent_away(stream: &mut TcpStream) -> bool {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// A frame: a length of 32 bits and the bytes.
fn frame(message: &[u8]) -> Vec<u8> {
    let length = i32::try_from(message.len()).expect("a short one");
    [&length.to_be_bytes(), message].concat()
}

/// A connection of polyproc, and the raw other end.
fn half_raw(options: &ListenerOptions) -> (Connection, TcpStream) {
    let listener = listener(options);
    let stream = raw(&listener.address());
    (
        listener.accept_timeout(PATIENCE).expect("the stream"),
        stream,
    )
}

fn recv(connection: &Connection, wait: Wait<'_>) -> Result<Vec<u8>, Status> {
    let mut room = vec![MaybeUninit::uninit(); 1 << 20];
    match connection.recv_raw(&mut room, wait)? {
        // SAFETY: that many were received.
        Got::Message(len) => Ok(room[..len]
            .iter()
            .map(|byte| unsafe { byte.assume_init() })
            .collect()),
        Got::TooSmall(len) => panic!("{len} bytes"),
    }
}

fn write(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("it is written");
}

/// A good client connects and is served.
fn serve_one(listener: &Listener) {
    let address = listener.address();
    let client = std::thread::spawn(move || {
        let connection = connect_timeout(&address, &with_key(KEY), PATIENCE).expect("a connection");
        connection
            .send_timeout(b"good", PATIENCE)
            .expect("it is sent");
    });
    let connection = listener.accept_timeout(PATIENCE).expect("the good one");
    assert_eq!(recv(&connection, PATIENCE), Ok(b"good".to_vec()));
    client.join().expect("no panic");
}
