//! Stream sockets. No function here waits, and none raises SIGPIPE.

mod name;
mod transfer;

use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(crate) use name::Name;
pub(crate) use transfer::{receive_onto, send, Gather};

use super::descriptor::{owned, OwnedFd};
use super::{errno, syscall};
use crate::status::detail;
use crate::status::{Result, Status};

/// The result of one step of a connection or listener. A step never waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step<T> {
    /// The step is done.
    Done(T),
    /// The step would have to wait.
    Later,
}

fn check(call: &'static str, answer: libc::c_int) -> Result<libc::c_int> {
    match answer {
        -1 => Err(detail::just_failed(call)),
        other => Ok(other),
    }
}

fn set(fd: &OwnedFd, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    let value = std::ptr::from_ref(&value).cast();
    // SAFETY: `value` is `size` readable bytes.
    check("setsockopt", unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, option, value, size)
    })?;
    Ok(())
}

fn get(fd: RawFd, option: libc::c_int) -> Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut size = size_of::<libc::c_int>() as libc::socklen_t;
    let place = std::ptr::from_mut(&mut value).cast();
    // SAFETY: both addresses are writable; `size` is the size of `value`.
    check("getsockopt", unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, option, place, &mut size)
    })?;
    Ok(value)
}

fn stream(name: &Name) -> Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: no pointers.
    owned("socket", unsafe { libc::socket(name.family(), kind, 0) })
}

/// A socket that is bound to `name`, ready for [`listen`].
pub(crate) fn bind(name: &Name) -> Result<OwnedFd> {
    let fd = stream(name)?;
    if name.family() != libc::AF_UNIX {
        // A server that starts again can bind its port while connections of its predecessor linger.
        set(&fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    }
    let (address, len) = name.raw();
    // SAFETY: an address of `len` bytes.
    check("bind", unsafe { libc::bind(fd.as_raw_fd(), address, len) }).map_err(|status| {
        match status.errno() {
            Some(libc::EADDRINUSE) => detail::failed_as(Status::E_EXISTS, "bind", libc::EADDRINUSE),
            _ => status,
        }
    })?;
    Ok(fd)
}

/// Let others connect to a bound socket. Return the socket's name.
pub(crate) fn listen(fd: &OwnedFd, backlog: u32) -> Result<Name> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    // SAFETY: no pointers.
    check("listen", unsafe { libc::listen(fd.as_raw_fd(), backlog) })?;
    name_of(fd)
}

/// Accept the next connection in the queue.
pub(crate) fn accept(listening: RawFd) -> Result<Step<OwnedFd>> {
    loop {
        match owned("accept", syscall::accept(listening, libc::SOCK_CLOEXEC)) {
            Ok(fd) => {
                send_at_once(&fd);
                return Ok(Step::Done(fd));
            }
            Err(_) if is_later() => return Ok(Step::Later),
            // The connection was lost while it was in the queue: accept(2) says to continue with
            // the next one.
            Err(status) => match status.errno() {
                Some(
                    libc::ECONNABORTED
                    | libc::EPROTO
                    | libc::ENETDOWN
                    | libc::ENOPROTOOPT
                    | libc::EHOSTDOWN
                    | libc::ENONET
                    | libc::EHOSTUNREACH
                    | libc::EOPNOTSUPP
                    | libc::ENETUNREACH,
                ) => {}
                _ => return Err(status),
            },
        }
    }
}

/// Begin to connect to `name`. Return whether the socket is connected already.
pub(crate) fn connect(name: &Name) -> Result<(OwnedFd, Step<()>)> {
    let fd = stream(name)?;
    let step = connect_on(&fd, name)?;
    Ok((fd, step))
}

/// As [`connect`], for a socket that found no room in the listener's queue.
pub(crate) fn connect_on(fd: &OwnedFd, name: &Name) -> Result<Step<()>> {
    let (address, len) = name.raw();
    // SAFETY: an address of `len` bytes.
    match check("connect", unsafe {
        syscall::connect(fd.as_raw_fd(), address, len)
    }) {
        Ok(_) => Ok(Step::Done(())),
        Err(_) if is_later() || errno() == libc::EINPROGRESS => Ok(Step::Later),
        Err(status) => Err(status),
    }
}

/// The result of a connect that was in progress.
pub(crate) fn connected(fd: RawFd) -> Result<()> {
    match get(fd, libc::SO_ERROR)? {
        0 => Ok(()),
        libc::ETIMEDOUT => Err(Status::E_TIMEOUT),
        errno => Err(detail::failed("connect", errno)),
    }
}

/// Make a connected socket blocking again, as other programs expect it.
pub(crate) fn finish(fd: &OwnedFd) -> Result<()> {
    send_at_once(fd);
    // SAFETY: no pointers.
    let flags = check("fcntl", unsafe {
        libc::fcntl(fd.as_raw_fd(), libc::F_GETFL)
    })?;
    let flags = flags & !libc::O_NONBLOCK;
    // SAFETY: no pointers.
    check("fcntl", unsafe {
        libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags)
    })?;
    Ok(())
}

/// Turn off Nagle's algorithm: messages are sent whole, so there is nothing to gain from a delay.
fn send_at_once(fd: &OwnedFd) {
    // This fails for a socket that is not TCP: the option does not exist there, and nothing is
    // delayed.
    let _ = set(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
}

/// The name to which a socket is bound.
fn name_of(fd: &OwnedFd) -> Result<Name> {
    Name::filled(|address, len| {
        // SAFETY: room for an address, and its size.
        check("getsockname", unsafe {
            libc::getsockname(fd.as_raw_fd(), address, len)
        })
        .map(drop)
    })
}

/// Report whether a descriptor is a socket.
pub(crate) fn is_socket(fd: RawFd) -> bool {
    get(fd, libc::SO_TYPE).is_ok()
}

/// Report whether a descriptor is a connected stream socket, over TCP or local.
pub(crate) fn is_connected(fd: RawFd) -> bool {
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];
    let has_peer = Name::filled(|address, len| {
        // SAFETY: room for an address, and its size.
        check("getpeername", unsafe {
            libc::getpeername(fd, address, len)
        })
        .map(drop)
    });
    get(fd, libc::SO_TYPE) == Ok(libc::SOCK_STREAM)
        && get(fd, libc::SO_DOMAIN).is_ok_and(|family| families.contains(&family))
        && has_peer.is_ok()
}

/// Distinguishes the file of one unix address from that of another.
pub(crate) type FileId = (u64, u64);

/// The file at `path`.
pub(crate) fn file_id(path: &Path) -> Option<FileId> {
    let file = std::fs::symlink_metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Remove the file of a unix address. It may have been removed already.
pub(crate) fn remove_file(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Shut down a connection in both directions, for all descriptors of the connection.
pub(crate) fn end(fd: RawFd) {
    // SAFETY: no pointers.
    unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
}

/// Shut down receiving. From now on the socket is always readable.
pub(crate) fn end_receiving(fd: RawFd) {
    // SAFETY: no pointers.
    unsafe { libc::shutdown(fd, libc::SHUT_RD) };
}

/// Shut down sending.
pub(crate) fn end_sending(fd: RawFd) {
    // SAFETY: no pointers.
    unsafe { libc::shutdown(fd, libc::SHUT_WR) };
}

/// Replace `fd` by a descriptor of /dev/null, so that the number stays in use.
pub(crate) fn replace_by_nothing(fd: RawFd) -> Result<()> {
    // SAFETY: the path ends in NUL.
    let nothing = owned("open", unsafe {
        syscall::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC, 0)
    })?;
    // SAFETY: no pointers; the number keeps its owner.
    check("dup3", unsafe {
        libc::dup3(nothing.as_raw_fd(), fd, libc::O_CLOEXEC)
    })?;
    Ok(())
}

/// Report whether [`replace_by_nothing`] has replaced a descriptor.
pub(crate) fn is_nothing(fd: RawFd) -> bool {
    // SAFETY: plain data.
    let mut stat = unsafe { std::mem::zeroed::<libc::stat>() };
    // SAFETY: `stat` is writable.
    let is_open = unsafe { libc::fstat(fd, &mut stat) == 0 };
    is_open && stat.st_mode & libc::S_IFMT == libc::S_IFCHR
}

fn is_later() -> bool {
    matches!(errno(), libc::EAGAIN)
}
