//! The data that a parent passes to its child: the child's name, whether it is daemonic, and the
//! handles that it inherits.
//!
//! A spawned program reads it from one environment variable, once, when the library is loaded; a
//! forked child finds it in memory. Handles travel as descriptors, so they outlive the parent.
//! `current` and `daemon` use this too.

use std::os::fd::{AsRawFd, IntoRawFd, RawFd};

use super::options::{is_handle_name, is_process_name, InheritHandle, VARIABLE};
use crate::segment::Kind;
use crate::status::detail::because;
use crate::status::Result;
use crate::sync::at_fork::hold_across_forks;
use crate::sync::local_lock::LocalLock;
use crate::sys::descriptor::duplicate;
use crate::sys::descriptor::OwnedFd;
use crate::sys::is_secure;
use crate::sys::ofd_lock;
use crate::sys::process::close_on_exec;
use crate::sys::socket;

/// Identity of this process.
#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct Identity {
    /// None in a process that polyproc did not start.
    pub(super) name: Option<String>,
    pub(super) daemon: bool,
    pub(super) handles: Vec<Inherited>,
}

/// A handle that this process inherited. The descriptor stays open until the process ends.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Inherited {
    name: String,
    /// A number, because a newer parent may use kinds that this library does not know.
    kind: i32,
    fd: RawFd,
}

/// The last entry is this process's: read when the library is loaded, or added in a forked child.
/// The entries of its ancestors are never freed, because references to them may exist.
static IDENTITIES: LocalLock<Vec<&'static Identity>> = LocalLock::new(Vec::new());

/// Runs [`read_at_load`] before main, so that no program started later sees the variable, and no
/// inherited descriptor leaks into programs that are started by other code.
#[used]
#[allow(unsafe_code, reason = "a constructor is named by its section")]
#[link_section = ".init_array"]
static AT_LOAD: extern "C" fn() = read_at_load;

extern "C" fn read_at_load() {
    // Not registered for forks yet, which would cost every program that links the library a page.
    known_or_read();
}

fn known_or_read() -> &'static Identity {
    let mut identities = IDENTITIES.lock();
    if let Some(identity) = identities.last() {
        return identity;
    }
    let identity = Box::leak(Box::new(read_environment()));
    identities.push(identity);
    identity
}

/// The identity of this process.
pub(super) fn identity() -> &'static Identity {
    // A linker takes from an archive only what is referenced: this reference links the constructor.
    std::hint::black_box(&AT_LOAD);
    hold_across_forks(&IDENTITIES);
    known_or_read()
}

/// Called in a forked child: its identity from now on.
pub(super) fn become_child(identity: Identity) {
    IDENTITIES.lock().push(Box::leak(Box::new(identity)));
}

/// A copy of the descriptor that this process inherited as `name`, with close-on-exec: what
/// [`Queue::from_fd`](crate::Queue::from_fd) and its like take.
///
/// The child may ask any number of times, but only once for a socket.
///
/// # Errors
/// `E_NOT_FOUND`: it inherited nothing of that name. `E_MISMATCH`: that is an object of another
/// kind. `E_INVALID`: not a name.
pub fn inherited(name: &str, kind: Kind) -> Result<std::os::fd::OwnedFd> {
    if !is_handle_name(name) {
        return Err(because!(
            E_INVALID,
            "name is \"{}\", which no inherited handle can have",
            name.escape_default()
        ));
    }
    let handles = &identity().handles;
    let handle = handles
        .iter()
        .find(|handle| handle.name == name)
        .ok_or_else(|| because!(E_NOT_FOUND, "this process was given no handle of that name"))?;
    if handle.kind != kind.code() {
        return Err(kind.mismatch(handle.kind));
    }
    let copy = duplicate(handle.fd).map_err(|status| match status.errno() {
        // Other code closed a descriptor that it does not own.
        Some(libc::EBADF) => because!(E_NOT_FOUND, "the descriptor of that handle is closed"),
        _ => status,
    })?;
    if kind == Kind::Connection {
        match socket::is_socket(handle.fd) {
            // A socket cannot be replaced by a claim of its own: the first caller gets it.
            true => socket::replace_by_nothing(handle.fd)?,
            false if socket::is_nothing(handle.fd) => {
                return Err(because!(
                    E_NOT_FOUND,
                    "an earlier call has got the connection"
                ))
            }
            false => leave_open_to_others(kind, handle.fd),
        }
    }
    Ok(copy.into())
}

/// The end of a pipe is open as long as any process has it. From now on a handle takes the place of
/// this descriptor, and closing the handle has to be enough, so this gives up the descriptor's
/// claim. Where that fails (no /proc), the claim goes when this process ends.
fn leave_open_to_others(kind: Kind, fd: RawFd) {
    if kind == Kind::Connection {
        let _ = ofd_lock::renounce(fd);
    }
}

/// Remove the variable from the environment and keep its descriptors.
fn read_environment() -> Identity {
    let Some(text) = std::env::var_os(VARIABLE) else {
        return Identity::default();
    };
    // At load no other thread reads the environment yet, unless the library is loaded late.
    std::env::remove_var(VARIABLE);
    if is_secure() {
        return Identity::default();
    }
    let mut identity = text.to_str().and_then(decode).unwrap_or_default();
    // A wrapper between parent and child may have closed some descriptors.
    identity.handles.retain(|handle| close_on_exec(handle.fd));
    identity
}

/// The text for a child: `v1;name=Process-1;daemon=0;h=jobs:4:5,results:4:6`.
pub(super) fn encode(name: &str, daemon: bool, handles: &[(&InheritHandle, RawFd)]) -> String {
    let mut text = String::from("v1;name=");
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text.push_str(if daemon { ";daemon=1" } else { ";daemon=0" });
    for (at, (handle, fd)) in handles.iter().enumerate() {
        text.push_str(if at == 0 { ";h=" } else { "," });
        text.push_str(&format!("{}:{}:{fd}", handle.name, handle.kind.code()));
    }
    text
}

/// `None` for anything but the output of [`encode`]; unknown fields of a newer parent are ignored.
fn decode(text: &str) -> Option<Identity> {
    let mut fields = text.split(';');
    if fields.next() != Some("v1") {
        return None;
    }
    let mut identity = Identity::default();
    for field in fields {
        match field.split_once('=')? {
            ("name", name) => identity.name = Some(unescape(name)?),
            ("daemon", flag) => identity.daemon = flag == "1",
            ("h", list) => {
                for item in list.split(',') {
                    identity.handles.push(decode_handle(item)?);
                }
            }
            _ => {}
        }
    }
    Some(identity)
}

fn decode_handle(item: &str) -> Option<Inherited> {
    let mut parts = item.split(':');
    let name = parts.next().filter(|name| is_handle_name(name))?.to_owned();
    let kind = parts.next()?.parse::<i32>().ok()?;
    let fd = parts.next()?.parse::<RawFd>().ok()?;
    let fits = fd > libc::STDERR_FILENO && parts.next().is_none();
    fits.then_some(Inherited { name, kind, fd })
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|name| is_process_name(name))
}

/// The descriptors that a child inherits, all above the standard ones, which the child may replace.
pub(super) struct Carried<'a> {
    pub(super) handles: Vec<(&'a InheritHandle, RawFd)>,
    /// The copies that were made.
    copies: Vec<OwnedFd>,
}

impl<'a> Carried<'a> {
    /// For a program: the numbers stay, so only a handle among the standard descriptors is copied.
    pub(super) fn to_program(handles: &'a [InheritHandle]) -> Result<Carried<'a>> {
        Carried::copying(handles, |fd| fd <= libc::STDERR_FILENO)
    }

    /// For a fork: every descriptor is copied, because the child may close the handle that it
    /// shares with its parent.
    pub(super) fn to_fork(handles: &'a [InheritHandle]) -> Result<Carried<'a>> {
        Carried::copying(handles, |_| true)
    }

    fn copying(handles: &'a [InheritHandle], needs_copy: fn(RawFd) -> bool) -> Result<Carried<'a>> {
        let mut carried = Carried {
            handles: Vec::with_capacity(handles.len()),
            copies: Vec::new(),
        };
        for handle in handles {
            let mut fd = handle.fd;
            if needs_copy(fd) {
                let copy = duplicate(fd)?;
                fd = copy.as_raw_fd();
                carried.copies.push(copy);
            }
            carried.handles.push((handle, fd));
        }
        Ok(carried)
    }

    /// In the forked child: keep the descriptors until it ends.
    pub(super) fn into_inherited(self) -> Vec<Inherited> {
        for copy in self.copies {
            let _kept = copy.into_raw_fd();
        }
        let keep = |(handle, fd): (&InheritHandle, RawFd)| {
            leave_open_to_others(handle.kind, handle.fd);
            Inherited {
                name: handle.name.clone(),
                kind: handle.kind.code(),
                fd,
            }
        };
        self.handles.into_iter().map(keep).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_is_told_comes_back() {
        let jobs = InheritHandle {
            name: "jobs".into(),
            kind: Kind::Queue,
            fd: 5,
        };
        let lock = InheritHandle {
            name: "a-lock.1".into(),
            kind: Kind::Lock,
            fd: 9,
        };
        let text = encode("包子 100%;=,", true, &[(&jobs, 5), (&lock, 7)]);
        assert!(text.is_ascii());
        let identity = decode(&text).expect("its own text");
        assert_eq!(identity.name.as_deref(), Some("包子 100%;=,"));
        assert!(identity.daemon);
        let [first, second] = &identity.handles[..] else {
            panic!("two handles")
        };
        assert_eq!((first.name.as_str(), first.kind, first.fd), ("jobs", 4, 5));
        assert_eq!(
            (second.name.as_str(), second.kind, second.fd),
            ("a-lock.1", 1, 7)
        );
        assert_eq!(
            encode("Process-1", false, &[]),
            "v1;name=Process-1;daemon=0"
        );
    }

    #[test]
    fn a_text_of_nobody_is_passed_over() {
        for text in [
            "",
            "v2;name=a",
            "v1;name",
            "v1;name=",
            "v1;name=%0a",
            "v1;name=%f",
            "v1;name=%ff",
            "v1;h=",
            "v1;h=a:4",
            "v1;h=a:4:2",
            "v1;h=a:4:-1",
            "v1;h=a:4:99999999999",
            "v1;h=a:4:5:6",
            "v1;h=a/b:4:5",
            "v1;h=a:4:5,",
            "v1;h=:4:5",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert!(decode("v1;later=1").is_some());
    }
}
