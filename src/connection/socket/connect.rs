//! Connecting to a listener.

use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::address::Address;
use super::auth::Key;
use super::handshake::{Handshake, Need};
use super::listener::ListenerOptions;
use super::{until_ready, wait_for, Peer, Socket};
use crate::connection::Connection;
use crate::status::detail;
use crate::status::{Result, Status};
use crate::sync::wait::{Patience, Wait};
use crate::sys::descriptor::OwnedFd;
use crate::sys::malloc;
use crate::sys::socket::{self, Step};
use crate::sys::{clock, poll};

/// The first and the longest pause before another try, while a unix listener's backlog is full: the
/// kernel sends no notice when there is room.
const FIRST_RETRY_NS: u64 = 500_000;
const LAST_RETRY_NS: u64 = 20_000_000;

/// Connect to the listener at `address`, in the forms of
/// [`Listener::new`](crate::connection::Listener::new). If there is a key, each side proves to the
/// other that it has it. Waits until the listener accepts the connection into its backlog.
///
/// # Errors
/// Those of [`connect_timeout`].
pub fn connect(address: &str, options: &ListenerOptions) -> Result<Connection> {
    connect_timeout(address, options, Wait::FOREVER)
}

/// As [`connect`], no longer than `wait`.
///
/// # Errors
/// `E_TIMEOUT` (also of the handshake), `E_CANCELED`, `E_INTERRUPTED`. `E_AUTH`: the
/// two keys differ. `E_EOF`: the listener ended the connection. `E_CORRUPT`, `E_TOO_LARGE`: another
/// kind of program listens there. `E_NOT_FOUND`: the path does not exist. ECONNREFUSED: nobody
/// listens. `E_INVALID`.
pub fn connect_timeout<'w>(
    address: &str,
    options: &ListenerOptions,
    wait: impl Into<Wait<'w>>,
) -> Result<Connection> {
    connect_to(address, options, wait.into())
        .map_err(|status| detail::at(status, "connect", "to", Some(address)))
}

fn connect_to(address: &str, options: &ListenerOptions, wait: Wait<'_>) -> Result<Connection> {
    malloc::check()?;
    let (name, key) = (Address::parse(address)?.name()?, options.key()?);
    let mut patience = Patience::new(&wait);
    let (fd, mut step) = socket::connect(&name)?;
    let mut retry_ns = FIRST_RETRY_NS;
    while step == Step::Later {
        if name.is_unix() {
            patience.check()?;
            patience.look_again_within(retry_ns);
            retry_ns = (retry_ns * 2).min(LAST_RETRY_NS);
            let end = patience.slice_end();
            wait_for(None, Some(end), &patience)?;
            step = socket::connect_on(&fd, &name)?;
        } else {
            until_ready(poll::to_write(fd.as_raw_fd()), &mut patience)?;
            socket::connected(fd.as_raw_fd())?;
            step = Step::Done(());
        }
    }
    socket::finish(&fd)?;
    let peer = match key {
        Some(key) => {
            shake_hands(&fd, &key, options.handshake_ns(), &mut patience)?;
            Peer::Known
        }
        None => Peer::MayChallenge,
    };
    Ok(Connection::over(Socket::new(fd, options.max_message, peer)))
}

fn shake_hands(
    fd: &OwnedFd,
    key: &Arc<Key>,
    limit_ns: u64,
    patience: &mut Patience<'_>,
) -> Result<()> {
    let limit = clock::now_ns().saturating_add(limit_ns);
    let mut handshake = Handshake::of_connector(key)?;
    loop {
        let item = match handshake.step(fd.as_raw_fd())? {
            Ok(()) => return Ok(()),
            Err(Need::ToRead) => poll::to_read(fd.as_raw_fd()),
            Err(Need::ToWrite) => poll::to_write(fd.as_raw_fd()),
        };
        patience.check()?;
        if clock::now_ns() >= limit {
            return Err(Status::E_TIMEOUT);
        }
        let end = patience.deadline().map_or(limit, |end| end.min(limit));
        wait_for(Some(item), Some(end), patience)?;
    }
}
