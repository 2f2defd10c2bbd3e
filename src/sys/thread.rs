//! Starting small threads with every signal blocked, and identifying threads.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::status::detail;
use crate::status::{Result, Status};

/// Stack size of a keeper, which is 64 KiB with the guard page behind it. A keeper does very
/// little, so this is enough, and it costs little.
const STACK_BYTES: usize = 60 * 1024;

/// This thread's id, as the kernel writes it to futex words.
pub(crate) fn tid() -> u32 {
    // SAFETY: no preconditions.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}

/// This thread's number within this process. It is never 0 and, unlike a thread id, never used
/// again.
pub(crate) fn number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}

/// The body of a small thread.
pub(crate) trait Body: Sync + 'static {
    /// Must not unwind.
    fn run(&'static self);
}

extern "C" fn enter<B: Body>(body: *mut c_void) -> *mut c_void {
    // SAFETY: `start` passes a `&'static B`.
    let body = unsafe { &*body.cast::<B>() };
    body.run();
    std::ptr::null_mut()
}

/// Start a detached thread on a small stack with all signals blocked.
///
/// # Errors
/// `E_LIMIT` if the system starts no more threads, `E_NO_MEMORY`. On failure nothing is left
/// behind.
pub(crate) fn start<B: Body>(body: &'static B) -> Result<()> {
    let arg = std::ptr::from_ref(body).cast_mut().cast::<c_void>();
    create(enter::<B>, arg, STACK_BYTES)
}

/// The body of a thread that ends when the body returns.
type Once = Box<dyn FnOnce() + Send>;

extern "C" fn enter_once(body: *mut c_void) -> *mut c_void {
    // SAFETY: `start_once` passes ownership of the box.
    let body = unsafe { Box::from_raw(body.cast::<Once>()) };
    body();
    std::ptr::null_mut()
}

/// As [`start`], for a thread that ends and that calls more of this library than a keeper does.
/// `body` must not unwind.
///
/// # Errors
/// As for [`start`].
pub(crate) fn start_once(body: Once) -> Result<()> {
    let arg = Box::into_raw(Box::new(body)).cast::<c_void>();
    create(enter_once, arg, 4 * STACK_BYTES).inspect_err(|_| {
        // SAFETY: no thread was started, so the box still belongs to this call.
        drop(unsafe { Box::from_raw(arg.cast::<Once>()) });
    })
}

/// The function that pthread_create runs.
type Entry = extern "C" fn(*mut c_void) -> *mut c_void;

fn create(entry: Entry, arg: *mut c_void, stack: usize) -> Result<()> {
    // SAFETY: each out-parameter is a local that outlives the calls; `arg` is the argument for
    // `entry`.
    unsafe {
        let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setdetachstate(&mut attributes, libc::PTHREAD_CREATE_DETACHED);
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let mut failed = libc::EAGAIN;
        // A program with much thread-local storage needs a larger stack to hold it.
        for stack in [stack, 4 * stack, 16 * stack] {
            libc::pthread_attr_setstacksize(&mut attributes, stack);
            let mut thread = std::mem::zeroed::<libc::pthread_t>();
            failed = libc::pthread_create(&mut thread, &attributes, entry, arg);
            if failed != libc::EINVAL {
                break;
            }
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        libc::pthread_attr_destroy(&mut attributes);
        match failed {
            0 => Ok(()),
            libc::ENOMEM => Err(detail::failed("pthread_create", libc::ENOMEM)),
            // EAGAIN stands for every limit: RLIMIT_NPROC, pids.max of a cgroup, and also missing
            // memory for a stack. A filter of system calls refuses with an errno of its own choice.
            errno => Err(detail::failed_as(Status::E_LIMIT, "pthread_create", errno)),
        }
    }
}

/// Call `body` with `value`, which must not be null, when this thread ends. Return false if the
/// system cannot register the call. There is one body for the whole program and one value per
/// thread.
///
/// A destructor of a `thread_local` would abort the process if malloc(3) failed to register it.
pub(crate) fn at_its_end(body: extern "C" fn(*mut c_void), value: *mut c_void) -> bool {
    /// One more than the key; 0 until the key is made.
    static KEY: AtomicU64 = AtomicU64::new(0);
    if KEY.load(Ordering::Acquire) == 0 {
        let mut fresh = 0;
        // SAFETY: a local, and a function of this library, which is never unloaded.
        if unsafe { libc::pthread_key_create(&mut fresh, Some(body)) } != 0 {
            return false;
        }
        let named = u64::from(fresh) + 1;
        if KEY
            .compare_exchange(0, named, Ordering::AcqRel, Ordering::Acquire)
            .is_err()
        {
            // SAFETY: made just now and not used: another thread was first.
            unsafe { libc::pthread_key_delete(fresh) };
        }
    }
    let key = (KEY.load(Ordering::Acquire) - 1) as libc::pthread_key_t;
    // SAFETY: a key that was made.
    unsafe { libc::pthread_setspecific(key, value) == 0 }
}

/// Yield this core to another thread that can run.
pub(crate) fn give_way() {
    // SAFETY: no preconditions.
    unsafe { libc::sched_yield() };
}

/// Name the calling thread, for people and tools.
pub(crate) fn set_name(name: &std::ffi::CStr) {
    // SAFETY: the name ends in NUL; the kernel cuts it at 15 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// The core on which the calling thread runs at the moment.
pub(crate) fn core() -> usize {
    // SAFETY: no preconditions.
    usize::try_from(unsafe { libc::sched_getcpu() }).unwrap_or_default()
}

/// The set of cores on which a thread may run.
pub(crate) struct Cores(libc::cpu_set_t);

/// Move the calling thread to a core other than `core`, among those that the system allows. Return
/// the set of cores on which it could run before; `None` if it stays where it is.
pub(crate) fn leave_core(core: usize) -> Option<Cores> {
    // SAFETY: plain data.
    let mut before = unsafe { std::mem::zeroed::<libc::cpu_set_t>() };
    // SAFETY: a local of that size.
    let known = unsafe { libc::sched_getaffinity(0, size_of_val(&before), &mut before) };
    let mut others = before;
    // SAFETY: within a set, `CPU_SET` and `CPU_CLR` check the number.
    unsafe {
        for core in 0..libc::CPU_SETSIZE as usize {
            libc::CPU_SET(core, &mut others);
        }
        libc::CPU_CLR(core, &mut others);
    }
    let before = Cores(before);
    (known == 0 && Cores(others).restore()).then_some(before)
}

impl Cores {
    /// Let the calling thread run on these cores. Return whether the system allows it.
    pub(crate) fn restore(&self) -> bool {
        // SAFETY: a set of that size.
        unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &self.0) == 0 }
    }
}
