//! `harness/peer.h` for Rust.

use std::ffi::{c_char, c_int, CStr, CString};

#[repr(C)]
pub struct Setup {
    mode: *const c_char,
    pub size: usize,
    pub capacity: usize,
    pub channels: c_int,
    pub producers: c_int,
    pub consumers: c_int,
}

impl Setup {
    pub fn is(&self, mode: &str) -> bool {
        unsafe { CStr::from_ptr(self.mode) }.to_str() == Ok(mode)
    }
}

#[repr(C)]
pub struct View {
    pub data: *const u8,
    pub len: usize,
}

pub const PRODUCER: c_int = 0;

#[repr(C)]
pub struct Peer {
    pub name: *const c_char,
    pub create: unsafe extern "C" fn(&'static Setup),
    pub join: unsafe extern "C" fn(c_int, c_int, c_int),
    pub destroy: Option<unsafe extern "C" fn()>,
    pub put: Option<unsafe extern "C" fn(c_int, *const u8, usize)>,
    pub get: Option<unsafe extern "C" fn(c_int, *mut u8, usize) -> usize>,
    pub reserve: Option<unsafe extern "C" fn(c_int, usize) -> *mut u8>,
    pub commit: Option<unsafe extern "C" fn(c_int, usize)>,
    pub take: Option<unsafe extern "C" fn(c_int, &mut usize) -> *const u8>,
    pub done: Option<unsafe extern "C" fn(c_int)>,
    pub put_many: Option<unsafe extern "C" fn(c_int, *const View, usize)>,
    pub take_many: Option<unsafe extern "C" fn(c_int, *mut View, usize) -> usize>,
    /// Locks and calls, which no peer here offers.
    pub rest: [Option<unsafe extern "C" fn()>; 7],
}

// SAFETY: it is never written, and its pointer is to a literal.
unsafe impl Sync for Peer {}

impl Peer {
    pub const fn new(
        name: &'static CStr,
        create: unsafe extern "C" fn(&'static Setup),
        join: unsafe extern "C" fn(c_int, c_int, c_int),
    ) -> Self {
        Self {
            name: name.as_ptr(),
            create,
            join,
            destroy: None,
            put: None,
            get: None,
            reserve: None,
            commit: None,
            take: None,
            done: None,
            put_many: None,
            take_many: None,
            rest: [None; 7],
        }
    }
}

#[repr(C)]
pub struct Ways {
    pub loan_in: c_int,
    pub loan_out: c_int,
    pub batch: c_int,
    pub capacity: usize,
}

extern "C" {
    pub static mut ways: Ways;
    fn harness_main(argc: c_int, argv: *const *const c_char) -> c_int;
    fn unique_name(suffix: *const c_char) -> *const c_char;
}

/// Returns a name that no other run has.
pub fn unique(suffix: &CStr) -> String {
    unsafe { CStr::from_ptr(unique_name(suffix.as_ptr())) }
        .to_str()
        .unwrap()
        .to_owned()
}

/// The main function of every peer.
pub fn run() -> ! {
    // A panic in a process of the benchmark is a failure of the run, not of a thread.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    let args: Vec<CString> = std::env::args()
        .map(|arg| CString::new(arg).unwrap())
        .collect();
    let mut argv: Vec<*const c_char> = args.iter().map(|arg| arg.as_ptr()).collect();
    argv.push(std::ptr::null());
    let code = unsafe { harness_main(args.len() as c_int, argv.as_ptr()) };
    std::process::exit(code)
}

/// Waits a little before the next poll.
pub fn back_off(tries: &mut u32) {
    *tries += 1;
    if *tries % 128 == 0 {
        std::thread::yield_now();
    } else {
        std::hint::spin_loop();
    }
}

/// The state of a benchmark process, which has only one thread.
pub struct Local<T>(std::cell::UnsafeCell<Option<T>>);

// SAFETY: each process uses its own value from one thread.
unsafe impl<T> Sync for Local<T> {}

impl<T> Local<T> {
    pub const fn empty() -> Self {
        Self(std::cell::UnsafeCell::new(None))
    }

    #[allow(clippy::mut_from_ref)]
    pub fn set(&self, value: T) -> &mut T {
        unsafe { &mut *self.0.get() }.insert(value)
    }

    #[allow(clippy::mut_from_ref)]
    pub fn get(&self) -> &mut T {
        unsafe { &mut *self.0.get() }.as_mut().unwrap()
    }

    #[allow(clippy::mut_from_ref)]
    pub fn get_or_set(&self, make: impl FnOnce() -> T) -> &mut T {
        unsafe { &mut *self.0.get() }.get_or_insert_with(make)
    }
}
