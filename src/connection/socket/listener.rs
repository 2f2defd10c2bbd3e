//! Listeners: a peer that connects to the address, and has the key if there is one, gets a
//! connection.

use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::address::Address;
use super::auth::Key;
use super::reception::{Reception, Terms};
use super::{until_ready, Peer, Socket};
use crate::connection::Connection;
use crate::status::detail::{self, because};
use crate::status::{Result, Status};
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sync::wait::{Patience, Wait};
use crate::sys::descriptor::OwnedFd;
use crate::sys::malloc;
use crate::sys::socket::{self, FileId, Step};
use crate::sys::{fork, poll};

/// Settings of a listener or a connector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListenerOptions {
    /// The secret that both sides must have; `None`: every peer is accepted.
    pub authkey: Option<Vec<u8>>,
    /// The most connections in the kernel's queue, in a handshake, and waiting for an accept, each;
    /// 0: 128.
    pub backlog: u32,
    /// How long a handshake may take; `None`: ten seconds.
    pub handshake_timeout: Option<Duration>,
    /// The longest message that the other side may send, in bytes; 0: 256 MiB for a listener
    /// without a key, 4 GiB - 1 otherwise.
    pub max_message: u64,
    /// Whether HMAC-MD5, which Python up to 3.11 speaks, is accepted.
    pub allow_md5: bool,
    /// Whether other machines may connect to a listener without a key.
    pub public: bool,
}

impl Default for ListenerOptions {
    fn default() -> ListenerOptions {
        ListenerOptions {
            authkey: None,
            backlog: 0,
            handshake_timeout: None,
            max_message: 0,
            allow_md5: true,
            public: false,
        }
    }
}

const BACKLOG: u32 = 128;
/// The smallest kernel queue of a listener with a reception, whatever its `backlog`. When the
/// kernel's queue is full, a client gets no answer and tries again after a second; the reception
/// empties the queue at once.
const LINE: u32 = 1024;
/// The largest backlog, for each of the three limits that it sets.
const BACKLOG_MAX: u32 = 4096;
const HANDSHAKE_NS: u64 = 10_000_000_000;
const STRANGERS_LIMIT: u64 = 256 << 20;

impl ListenerOptions {
    pub(crate) fn key(&self) -> Result<Option<Arc<Key>>> {
        match &self.authkey {
            Some(bytes) if bytes.is_empty() => Err(because!(E_INVALID, "authkey is empty")),
            Some(bytes) => Ok(Some(Arc::new(Key {
                bytes: bytes.clone(),
                allow_md5: self.allow_md5,
            }))),
            None => Ok(None),
        }
    }

    pub(crate) fn handshake_ns(&self) -> u64 {
        self.handshake_timeout.map_or(HANDSHAKE_NS, |timeout| {
            u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)
        })
    }

    fn backlog(&self) -> Result<u32> {
        match self.backlog {
            0 => Ok(BACKLOG),
            1..=BACKLOG_MAX => Ok(self.backlog),
            given => Err(because!(
                E_INVALID,
                "backlog is {given}, over {BACKLOG_MAX}"
            )),
        }
    }
}

/// An address to which others connect, by [`connect`](crate::connect) or by Python's
/// `multiprocessing.connection.Client`.
///
/// ```
/// use polyproc::{connect, Listener, ListenerOptions};
///
/// # fn main() -> polyproc::Result<()> {
/// let options = ListenerOptions { authkey: Some(b"secret".to_vec()), ..Default::default() };
/// let listener = Listener::new("tcp://127.0.0.1:0", &options)?; // port 0: any that is free
/// std::thread::scope(|threads| {
///     let client = threads.spawn(|| connect(&listener.address(), &options)?.send(b"hello"));
///     assert_eq!(listener.accept()?.recv()?, b"hello");
///     client.join().expect("no panic")
/// })
/// # }
/// ```
pub struct Listener {
    socket: OwnedFd,
    address: Address,
    key: Option<Arc<Key>>,
    backlog: u32,
    handshake_ns: u64,
    limit: u64,
    file: Option<File>,
    /// Opened by the first accept in this process, if there is a key.
    reception: LocalLock<Option<Opened>>,
}

/// The file of a unix address.
struct File {
    path: PathBuf,
    identity: FileId,
    epoch: u32,
}

/// A reception, and the epoch of the process whose thread serves it.
struct Opened {
    reception: Arc<Reception>,
    epoch: u32,
}

/// Held while a listener's reception is looked up or opened, so that no fork happens in between.
static OPENING: LocalLock<()> = LocalLock::new(());

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Listen at `tcp://127.0.0.1:5000` (port 0: any free port), `tcp://[::1]:5000`, `unix:/path`
    /// or `unix:@name` (an abstract address, which has no file).
    ///
    /// # Errors
    /// `E_INVALID`, `E_EXISTS`: another listener uses the address, or the file exists.
    /// `E_PERMISSION`: other machines could connect, and there is no key. `E_NOT_FOUND`: the folder
    /// does not exist. `E_LIMIT`, `E_NO_MEMORY`.
    pub fn new(address: &str, options: &ListenerOptions) -> Result<Listener> {
        Listener::at(address, options)
            .map_err(|status| detail::at(status, "listen", "at", Some(address)))
    }

    fn at(address: &str, options: &ListenerOptions) -> Result<Listener> {
        malloc::check()?;
        let address = Address::parse(address)?;
        let (key, backlog) = (options.key()?, options.backlog()?);
        if key.is_none() && !options.public && !address.is_local() {
            return Err(because!(
                E_PERMISSION,
                "without a key an address that others reach needs the flag PUBLIC"
            ));
        }
        let line = match key {
            Some(_) => backlog.max(LINE),
            None => backlog,
        };
        let socket = socket::bind(&address.name()?)?;
        let file = File::of(&address);
        let bound = socket::listen(&socket, line).inspect_err(|_| {
            if let Some(file) = &file {
                file.remove();
            }
        })?;
        let limit = match options.max_message {
            0 if key.is_none() => STRANGERS_LIMIT,
            other => other,
        };
        Ok(Listener {
            address: address.as_bound(bound),
            file,
            socket,
            key,
            backlog,
            handshake_ns: options.handshake_ns(),
            limit,
            reception: LocalLock::new(None),
        })
    }

    /// Accept the next connection, waiting while there is none. With a key, only a connection whose
    /// other side has proved that it has the key is accepted; others are closed, and no accept
    /// waits for them.
    ///
    /// # Errors
    /// Those of [`accept_timeout`](Self::accept_timeout).
    pub fn accept(&self) -> Result<Connection> {
        self.accept_timeout(Wait::FOREVER)
    }

    /// Accept the next connection if there is one, as [`accept`](Self::accept).
    ///
    /// # Errors
    /// Those of [`accept_timeout`](Self::accept_timeout).
    pub fn try_accept(&self) -> Result<Connection> {
        self.accept_timeout(Wait::TRY)
    }

    /// Accept the next connection, as [`accept`](Self::accept), waiting no longer than `wait`.
    ///
    /// # Errors
    /// `E_TIMEOUT`, `E_CANCELED`, `E_INTERRUPTED`. `E_LIMIT`, `E_NO_MEMORY`: a
    /// connection has to wait for a descriptor, a thread or memory.
    pub fn accept_timeout<'w>(&self, wait: impl Into<Wait<'w>>) -> Result<Connection> {
        let wait = wait.into();
        malloc::check()?;
        let mut patience = Patience::new(&wait);
        let reception = self.reception()?;
        loop {
            let accepted = match &reception {
                Some(reception) => reception.take()?,
                None => match socket::accept(self.socket.as_raw_fd())? {
                    Step::Done(fd) => Some(fd),
                    Step::Later => None,
                },
            };
            if let Some(fd) = accepted {
                return Ok(Connection::over(Socket::new(fd, self.limit, Peer::Known)));
            }
            patience.check()?;
            until_ready(poll::to_read(self.fd_of(&reception)), &mut patience)?;
        }
    }

    /// The address as [`connect`](crate::connect) takes it, with the port that was chosen.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// A descriptor that is readable while an accept would not wait. The listener owns it.
    ///
    /// # Errors
    /// `E_LIMIT` when this process has no descriptor or thread left.
    pub fn fd(&self) -> Result<RawFd> {
        Ok(self.fd_of(&self.reception()?))
    }

    /// Whether an accept would not wait.
    ///
    /// # Errors
    /// As for [`fd`](Self::fd).
    pub fn is_ready(&self) -> Result<bool> {
        match until_ready(poll::to_read(self.fd()?), &mut Patience::new(&Wait::TRY)) {
            Err(Status::E_TIMEOUT) => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn fd_of(&self, reception: &Option<Arc<Reception>>) -> RawFd {
        match reception {
            Some(reception) => reception.fd(),
            None => self.socket.as_raw_fd(),
        }
    }

    /// The reception of this process, `None` without a key: then there are no handshakes.
    fn reception(&self) -> Result<Option<Arc<Reception>>> {
        let Some(key) = &self.key else {
            return Ok(None);
        };
        hold_across_forks(&OPENING);
        let epoch = fork::epoch();
        let _opening = OPENING.lock();
        let mut place = self.reception.lock();
        if let Some(opened) = place.as_ref().filter(|opened| opened.epoch == epoch) {
            return Ok(Some(Arc::clone(&opened.reception)));
        }
        let terms = Terms {
            key: Arc::clone(key),
            backlog: self.backlog as usize,
            handshake_ns: self.handshake_ns,
        };
        let reception = Reception::open(terms, self.socket.as_raw_fd())?;
        let fresh = Opened {
            reception: Arc::clone(&reception),
            epoch,
        };
        // In a forked child the old value is the parent's, in whatever state a thread of the parent
        // left it.
        std::mem::forget(place.replace(fresh));
        Ok(Some(reception))
    }
}

impl File {
    fn of(address: &Address) -> Option<File> {
        let path = address.path()?;
        Some(File {
            // Absolute, so that a change of the working directory does not matter.
            path: std::path::absolute(path).ok()?,
            identity: socket::file_id(path)?,
            epoch: fork::epoch(),
        })
    }

    /// Remove the file, unless another listener has replaced it or it belongs to the parent.
    fn remove(&self) {
        if self.epoch == fork::epoch() && socket::file_id(&self.path) == Some(self.identity) {
            socket::remove_file(&self.path);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(opened) = self.reception.lock().take() {
            match opened.epoch == fork::epoch() {
                true => opened.reception.close(),
                false => std::mem::forget(opened),
            }
        }
        if let Some(file) = &self.file {
            file.remove();
        }
    }
}
