//! Starting a program at the cost of posix_spawn: the child uses the parent's memory (CLONE_VM |
//! CLONE_VFORK), on a stack of its own, until it executes.
//!
//! Until then the child makes system calls only: no allocation, no lock, and no C function that
//! could touch state of the parent's other threads. It must not run their signal handlers either,
//! so every signal is blocked meanwhile.
//!
//! If the kernel or a filter refuses such a clone, the child is a copy of this process instead.

use std::ffi::{c_char, c_int, c_long, c_ulong, c_void, CStr, CString};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::{borrow, collect, die_with_parent, open, status_of, without_pidfd};
use crate::status::Result;
use crate::sys::descriptor::OwnedFd;
use crate::sys::{descriptor, errno, socketpair};

/// The origin of one of the child's standard descriptors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    Inherit,
    Null,
    Fd(RawFd),
}

/// A set of signals in the kernel's format, including the signals that libc hides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SignalMask(u64);

impl SignalMask {
    const ALL: SignalMask = SignalMask(u64::MAX);
    /// The mask of a new program. No signal is blocked, since the program does not expect the mask
    /// of this process.
    const NONE: SignalMask = SignalMask(0);

    /// The mask of a copy of this process: the mask of the calling thread without SIGTERM, since
    /// SIGTERM has to reach the copy.
    pub(crate) fn of_a_copy() -> SignalMask {
        let mut mask = SignalMask::NONE;
        mask_signals(None, Some(&mut mask));
        SignalMask(mask.0 & !(1 << (libc::SIGTERM - 1)))
    }

    /// Make this the mask of the calling thread.
    pub(super) fn apply(self) {
        mask_signals(Some(self), None);
    }
}

/// A program and how to execute it. Everything is prepared beforehand, so [`start`] allocates
/// nothing.
pub(crate) struct Program<'a> {
    /// Files to try in turn.
    pub(crate) paths: &'a [CString],
    pub(crate) argv: &'a NullEnded<'a>,
    pub(crate) env: &'a NullEnded<'a>,
    pub(crate) cwd: Option<&'a CStr>,
    pub(crate) stdio: [Source; 3],
    /// Descriptors above the standard ones that stay open in the program.
    pub(crate) keep: &'a [RawFd],
    /// Whether it leads a process group of its own.
    pub(crate) leads_group: bool,
    /// Whether the kernel sends it SIGKILL when the thread that calls [`start`] ends.
    pub(crate) dies_with_parent: bool,
}

/// An array of C strings in the form of execve(2).
pub(crate) struct NullEnded<'a> {
    pointers: Vec<*const c_char>,
    strings: std::marker::PhantomData<&'a CString>,
}

// SAFETY: the pointers refer to strings borrowed for 'a, which are only read.
unsafe impl Send for NullEnded<'_> {}
// SAFETY: as above.
unsafe impl Sync for NullEnded<'_> {}

impl<'a> NullEnded<'a> {
    pub(crate) fn new(strings: &'a [CString]) -> NullEnded<'a> {
        let ends = std::iter::once(null());
        let pointers = strings
            .iter()
            .map(|string| string.as_ptr())
            .chain(ends)
            .collect();
        NullEnded {
            pointers,
            strings: std::marker::PhantomData,
        }
    }

    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// A program that has started.
pub(crate) struct Started {
    pub(crate) pid: i32,
    pub(crate) pidfd: Option<OwnedFd>,
}

/// The data that the child reads, and the word for its errno.
struct Task<'a> {
    program: &'a Program<'a>,
    parent: i32,
    failed: &'a AtomicI32,
    /// If the child is a copy: the end of a channel to which it sends its errno.
    channel: RawFd,
}

/// The ways to make the child. Sandboxes refuse some of them. A copy of the process, as fork(2)
/// makes it, is the slowest way and the one that every sandbox allows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// CLONE_VM, CLONE_VFORK and CLONE_PIDFD.
    WithDescriptor,
    /// CLONE_VM and CLONE_VFORK.
    Borrowing,
    Copy,
}

/// Execute `program` in a new child of the calling thread.
///
/// On failure nothing is left behind. If this process is killed at any point, it leaves at most the
/// requested child: a child that has not executed yet needs nothing more from its parent.
pub(crate) fn start(program: &Program<'_>) -> Result<Started> {
    let room = Room::new()?;
    let mut task = Task {
        program,
        parent: super::pid(),
        failed: room.failed(),
        channel: NO_CHANNEL,
    };
    let mut before = SignalMask::NONE;
    mask_signals(Some(SignalMask::ALL), Some(&mut before));
    let cloned = make_child(&room, &mut task);
    before.apply();
    let (pid, pidfd) = cloned?;

    match task.failed.load(Ordering::Acquire) {
        0 if pidfd.is_some() => Ok(Started { pid, pidfd }),
        // Kernels before 5.2 ignore CLONE_PIDFD. If other code has reaped the child by now, the
        // kernel gives no descriptor of it any more, and its process id may belong to another
        // process.
        0 => Ok(Started {
            pid,
            pidfd: open(pid).unwrap_or(None),
        }),
        errno => {
            collect(pid, borrow(&pidfd));
            Err(status_of(
                "execve, or what comes before it in the child,",
                errno,
            ))
        }
    }
}

const NO_CHANNEL: RawFd = -1;

/// Make the child in the best way that is not refused. Return when it has executed or failed.
fn make_child(room: &Room, task: &mut Task<'_>) -> Result<(i32, Option<OwnedFd>)> {
    for way in [Way::WithDescriptor, Way::Borrowing] {
        if way == Way::WithDescriptor && without_pidfd() {
            continue;
        }
        match clone_into(room, task, way) {
            // The kernel lacks resources and does not refuse the way, so another would not help.
            Err(errno @ (libc::EAGAIN | libc::ENOMEM)) => return Err(status_of("clone", errno)),
            Err(_) => {}
            Ok(made) => return Ok(made),
        }
    }
    let (ours, theirs) = socketpair::pair()?;
    task.channel = theirs.as_raw_fd();
    let made = clone_into(room, task, Way::Copy).map_err(|errno| status_of("clone", errno))?;
    drop(theirs);
    // A child that has executed sends nothing: exec has closed its end of the channel.
    if let Ok(errno) = socketpair::receive(&ours) {
        task.failed.store(errno, Ordering::Release);
    }
    Ok(made)
}

/// Make the child. Except for a copy, return when the child has executed or failed.
fn clone_into(
    room: &Room,
    task: &Task<'_>,
    way: Way,
) -> std::result::Result<(i32, Option<OwnedFd>), c_int> {
    let mut fd: c_int = -1;
    let flags = libc::SIGCHLD
        | match way {
            Way::WithDescriptor => libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD,
            Way::Borrowing => libc::CLONE_VM | libc::CLONE_VFORK,
            Way::Copy => 0,
        };
    let task = std::ptr::from_ref(task).cast_mut().cast::<c_void>();
    // SAFETY: the stack belongs to this call alone and is large enough for `child`. Either the
    // child has a copy of it, or the kernel keeps this thread here until the child has executed or
    // ended, so `task` and `fd` outlive the child's use of them.
    let pid = unsafe { libc::clone(child, room.stack_top(), flags, task, &mut fd) };
    if pid < 0 {
        return Err(errno());
    }
    // If no number above the standard descriptors is left for it, `start` does without this
    // descriptor.
    let pidfd = (fd >= 0).then(|| descriptor::adopt(fd).ok()).flatten();
    Ok((pid, pidfd))
}

extern "C" fn child(task: *mut c_void) -> c_int {
    // SAFETY: `clone_into` passes a Task that lives until this process executes or ends.
    let task = unsafe { &*task.cast::<Task<'_>>() };
    CLONES_SHARE_MEMORY.store(true, Ordering::Relaxed);
    let errno = run(task);
    task.failed.store(errno, Ordering::Release);
    if task.channel != NO_CHANNEL {
        let bytes = errno.to_ne_bytes();
        let from = bytes.as_ptr() as c_long;
        call(libc::SYS_write, [arg(task.channel), from, 4]);
    }
    call(libc::SYS_exit_group, [127, 0, 0]);
    127
}

/// Run from the clone to the new program. Returns only the errno of a failure.
fn run(task: &Task<'_>) -> c_int {
    let program = task.program;
    if program.dies_with_parent && !die_with_parent(task.parent) {
        return libc::ESRCH;
    }
    if program.leads_group {
        call(libc::SYS_setpgid, [0, 0, 0]);
    }
    reset_handlers();
    match prepare(program) {
        Ok(()) => {}
        Err(errno) => return errno,
    }
    SignalMask::NONE.apply();
    execute(program)
}

/// Reset signal handlers to the default, since they are the parent's code and signals are about to
/// be unblocked. An ignored signal stays ignored through the exec, with two exceptions: SIGPIPE,
/// which language runtimes ignore for themselves and which a program that writes to a pipe expects,
/// and SIGTERM, with which this library asks a child to end.
fn reset_handlers() {
    /// `struct sigaction` of the kernel, on x86-64 and aarch64.
    #[repr(C)]
    #[derive(Default)]
    struct Action {
        handler: usize,
        flags: c_ulong,
        restorer: usize,
        mask: u64,
    }
    let default = Action::default();
    for signal in 1..=64 {
        let mut action = Action::default();
        // SAFETY: the kernel writes one Action and reads one. The C function would take a lock.
        unsafe {
            let (size, none) = (8usize, null::<Action>());
            libc::syscall(libc::SYS_rt_sigaction, signal, none, &mut action, size);
            let stays = !matches!(signal, libc::SIGPIPE | libc::SIGTERM);
            let ignored = action.handler == libc::SIG_IGN && stays;
            if action.handler != libc::SIG_DFL && !ignored {
                let old = null_mut::<Action>();
                libc::syscall(libc::SYS_rt_sigaction, signal, &default, old, size);
            }
        }
    }
}

/// Prepare descriptors and directory. The child has its own table of descriptors.
fn prepare(program: &Program<'_>) -> std::result::Result<(), c_int> {
    for fd in program.keep {
        checked(call(libc::SYS_fcntl, [arg(*fd), arg(libc::F_SETFD), 0]))?;
    }
    place_stdio(program.stdio)?;
    if let Some(cwd) = program.cwd {
        checked(call(libc::SYS_chdir, [cwd.as_ptr() as c_long, 0, 0]))?;
    }
    Ok(())
}

/// Set up the standard descriptors of this process. Return the errno of a failure.
pub(super) fn place_stdio(mut sources: [Source; 3]) -> std::result::Result<(), c_int> {
    for (target, source) in sources.iter_mut().enumerate() {
        // First move a source that is one of the targets, since another source could overwrite it.
        if let Source::Fd(fd @ 0..=2) = *source {
            if fd as usize != target {
                let copy = [arg(fd), arg(libc::F_DUPFD_CLOEXEC), 3];
                *source = Source::Fd(checked(call(libc::SYS_fcntl, copy))? as RawFd);
            }
        }
    }
    for (target, source) in (0..).zip(sources) {
        match source {
            Source::Inherit => keep_open(target)?,
            Source::Null => open_null(target)?,
            Source::Fd(fd) => put_at(fd, target)?,
        }
    }
    Ok(())
}

/// Pass the caller's own descriptor to the program. A runtime may have marked it close-on-exec
/// (Node does). If it is not open, it stays closed.
fn keep_open(target: RawFd) -> std::result::Result<(), c_int> {
    let done = call(libc::SYS_fcntl, [arg(target), arg(libc::F_SETFD), 0]);
    match checked(done) {
        Err(libc::EBADF) => Ok(()),
        other => other.map(drop),
    }
}

fn open_null(target: RawFd) -> std::result::Result<(), c_int> {
    let path = c"/dev/null".as_ptr();
    // SAFETY: the path ends in NUL, and the other arguments are numbers.
    let fd = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDWR, 0) };
    let fd = checked(fd)? as RawFd;
    if fd != target {
        put_at(fd, target)?;
        call(libc::SYS_close, [arg(fd), 0, 0]);
    }
    Ok(())
}

/// Make `target` a copy of `fd` that stays open in the program.
fn put_at(fd: RawFd, target: RawFd) -> std::result::Result<(), c_int> {
    let done = if fd == target {
        call(libc::SYS_fcntl, [arg(fd), arg(libc::F_SETFD), 0])
    } else {
        call(libc::SYS_dup3, [arg(fd), arg(target), 0])
    };
    checked(done).map(drop)
}

/// Try each file in turn, like execvp: skip files that do not exist, and report a refusal if no
/// file could be executed.
fn execute(program: &Program<'_>) -> c_int {
    let (argv, env) = (program.argv.as_ptr(), program.env.as_ptr());
    let mut failed = libc::ENOENT;
    for path in program.paths {
        // SAFETY: the path ends in NUL and both arrays in NULL, all made by the parent.
        unsafe { libc::syscall(libc::SYS_execve, path.as_ptr(), argv, env) };
        match errno() {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES => failed = libc::EACCES,
            other => return other,
        }
    }
    failed
}

/// Set this thread's mask, and return the previous one in `before`.
fn mask_signals(new: Option<SignalMask>, before: Option<&mut SignalMask>) {
    let new = new
        .as_ref()
        .map_or(null(), |mask| std::ptr::from_ref(&mask.0));
    let before = before.map_or(null_mut(), |mask| std::ptr::from_mut(&mut mask.0));
    // SAFETY: both are null or locals of eight bytes. The C function would leave two signals out.
    unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            new,
            before,
            8usize,
        )
    };
}

fn arg(number: c_int) -> c_long {
    c_long::from(number)
}

/// A system call with numbers, or with pointers that the caller keeps valid.
fn call(number: c_long, args: [c_long; 3]) -> c_long {
    let [first, second, third] = args;
    // SAFETY: every caller passes numbers, or the address of a string that outlives the call.
    unsafe { libc::syscall(number, first, second, third) }
}

fn checked(done: c_long) -> std::result::Result<c_long, c_int> {
    if done < 0 {
        Err(errno())
    } else {
        Ok(done)
    }
}

/// Whether a child is known to have written to this process's own memory.
static CLONES_SHARE_MEMORY: AtomicBool = AtomicBool::new(false);

/// The child's stack, and above it the word for its errno.
///
/// If CLONE_VM has no effect (under valgrind, or in sandboxes that turn a vfork into a fork), the
/// errno comes back through a shared mapping. A shared mapping costs more than a private one, so it
/// is used only until CLONE_VM has been seen to work.
struct Room {
    base: *mut c_void,
}

impl Room {
    /// Far more than `run` needs: a few frames of system calls, whose depth does not vary.
    const SIZE: usize = 32 * 1024;
    const WORD: usize = Room::SIZE - 64;

    fn new() -> Result<Room> {
        let proven = CLONES_SHARE_MEMORY.load(Ordering::Relaxed);
        let sharing = if proven {
            libc::MAP_PRIVATE
        } else {
            libc::MAP_SHARED
        };
        let (access, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            sharing | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base = unsafe { libc::mmap(null_mut(), Room::SIZE, access, flags, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(status_of("mmap", errno()));
        }
        Ok(Room { base })
    }

    /// Zero until the child fails.
    fn failed(&self) -> &AtomicI32 {
        // SAFETY: aligned, inside the mapping, initially zero, and used only as this atomic.
        unsafe { &*self.base.cast::<u8>().add(Room::WORD).cast::<AtomicI32>() }
    }

    /// The top of the stack, aligned as both ABIs require.
    fn stack_top(&self) -> *mut c_void {
        // SAFETY: inside the mapping.
        unsafe { self.base.cast::<u8>().add(Room::WORD).cast() }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this size; the child has executed or ended.
        unsafe { libc::munmap(self.base, Room::SIZE) };
    }
}
