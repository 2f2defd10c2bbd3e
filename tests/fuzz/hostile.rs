//! Writes nonsense into an object's shared memory, as a damaged or hostile process would: between
//! two operations, and while they run.

use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use polyproc::{Barrier, Condition, Connection, Event, Lock, Queue, Rlock, Semaphore, Wait};

/// A place in shared memory, and the value to write there.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Poke {
    region: Region,
    at: u16,
    value: Value,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Region {
    Header,
    Participants,
    Words,
    /// The beginning of the memory after the object's own words.
    Data,
    End,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Any(u64),
    Small(u8),
    Negative(u8),
    Bit(u8),
    Halves(u32, u32),
    /// The present value, and a little more or less.
    Moved(i16),
    /// The value at another place of the region.
    Copied(u16),
    Swapped,
}

/// The writes of a second process, which go on while the operations run.
///
/// The places and values follow from the input; the machine decides between which instructions they
/// are written.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Storm {
    blows: bool,
    pokes: [Poke; 5],
    /// The time between two writes, so that operations make progress.
    pause: u8,
}

impl Storm {
    /// Runs the steps beside these writes; each step must return soon.
    pub fn around<S>(&self, target: &Target, steps: impl Iterator<Item = S>, act: impl FnMut(S)) {
        if !self.blows {
            return steps.for_each(act);
        }
        let _writer = Writer::start(|| {
            for poke in self.pokes.iter().cycle() {
                target.poke(*poke);
                for _ in 0..u32::from(self.pause) * 8 {
                    std::hint::spin_loop();
                }
            }
        });
        let mut act = act;
        for step in steps.take(STEPS_IN_A_STORM) {
            let began = Instant::now();
            act(step);
            assert!(
                began.elapsed() < SOON_ENOUGH,
                "a call took {:?}",
                began.elapsed()
            );
        }
    }
}

/// A process that does one thing until it is killed: when this value is dropped, also after a
/// panic.
struct Writer(libc::pid_t);

impl Writer {
    /// `write` makes system calls only, because a forked child of a process with several threads
    /// may do nothing else.
    fn start(write: impl FnOnce()) -> Writer {
        // SAFETY: see above.
        match unsafe { libc::fork() } {
            -1 => panic!("{}", std::io::Error::last_os_error()),
            0 => {
                // SAFETY: it ends with the thread that forked it.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
                write();
                // SAFETY: a child's end.
                unsafe { libc::_exit(0) }
            }
            child => Writer(child),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: a child that nobody else waits for.
        unsafe {
            libc::kill(self.0, libc::SIGKILL);
            while libc::waitpid(self.0, std::ptr::null_mut(), 0) != self.0 {}
        }
    }
}

/// Each step may wait a moment for a lock that the writes make look held.
const STEPS_IN_A_STORM: usize = 60;

/// Far more than a step takes on any machine.
const SOON_ENOUGH: Duration = Duration::from_secs(5);

/// An object whose memory is overwritten.
pub struct Target {
    file: File,
    /// Its own words that its calls believe, and the memory after all of them.
    words: Range<u64>,
    data: u64,
    /// This process as an owner, in the first slot.
    me: u32,
}

const PARTICIPANTS: u64 = 256;
const SLOT: u64 = 64;
const OWNER_DIED: u32 = 0x4000_0000;
const TID_MASK: u32 = 0x3fff_ffff;
const OWNER_MASK: u32 = 0x3fff_ffff;

/// The generation of the slot that this process will take: a number that hardly comes up by chance.
const GENERATION: u32 = 0x2_4681;

impl Target {
    /// An object that no other process uses.
    pub fn new(fd: RawFd, words: Range<u64>, data: u64) -> Target {
        // A descriptor of its own: that of a pipe's end keeps the end open.
        let path = format!("/proc/self/fd/{fd}");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        let mut target = Target {
            file,
            words,
            data,
            me: 1,
        };
        // Some objects are in use by then.
        if target.read(PARTICIPANTS) == 0 {
            target.write(PARTICIPANTS, u64::from(GENERATION) << 32);
            target.me = (GENERATION << 11 | 1) & OWNER_MASK;
        }
        target
    }

    pub fn poke(&self, poke: Poke) {
        let (begin, len) = match poke.region {
            Region::Header => (0, PARTICIPANTS),
            Region::Participants => (PARTICIPANTS, 4 * SLOT),
            Region::Words => (self.words.start, self.words.end - self.words.start),
            Region::Data => (self.data, 16 * 1024),
            Region::End => (self.size().saturating_sub(4096).max(self.data), 4096),
        };
        let place = |at: u16| begin + u64::from(at) * 8 % len;
        let at = place(poke.at);
        let before = self.read(at);
        let value = match poke.value {
            Value::Any(number) => number,
            Value::Small(number) => u64::from(number),
            Value::Negative(number) => !u64::from(number),
            Value::Bit(number) => before ^ 1 << (number % 64),
            Value::Halves(low, high) => u64::from(high) << 32 | u64::from(low),
            Value::Moved(by) => before.wrapping_add_signed(i64::from(by)),
            Value::Copied(from) => self.read(place(from)),
            Value::Swapped => before.rotate_left(32),
        };
        if at < self.size() {
            self.write(at, self.plausible(at, value));
        }
    }

    fn size(&self) -> u64 {
        self.file.metadata().unwrap().len()
    }

    /// Returns 0 beyond the end of the file.
    fn read(&self, at: u64) -> u64 {
        let mut number = [0; 8];
        self.file.read_at(&mut number, at).unwrap();
        u64::from_ne_bytes(number)
    }

    fn write(&self, at: u64, number: u64) {
        self.file.write_all_at(&number.to_ne_bytes(), at).unwrap();
    }
}

impl Target {
    /// Leaves out the one value that no check can tell from the truth: that a living process holds
    /// what a call without a timeout waits for. The call would wait, as it does for a stopped
    /// process.
    fn plausible(&self, at: u64, value: u64) -> u64 {
        let not_me = |half: u32| match half & OWNER_MASK == self.me {
            true => half ^ 1 << 20,
            false => half,
        };
        let (mut low, high) = (not_me(value as u32), not_me((value >> 32) as u32));
        let is_life = (PARTICIPANTS..self.words.start).contains(&at) && at.is_multiple_of(SLOT);
        if is_life && low & TID_MASK != 0 {
            low |= OWNER_DIED;
        }
        u64::from(high) << 32 | u64::from(low)
    }
}

impl Target {
    /// Opens the present memory, or the beginning of it, as another process would that received its
    /// descriptor.
    pub fn open(&self, cut: Option<u16>) {
        let file = || self.copy(cut);
        if let Ok(queue) = Queue::from_fd(file()) {
            answered((queue.try_put(b"message"), queue.take_raw(Wait::TRY)));
            answered((queue.info(), queue.task_done(), queue.take_dead_raw()));
        }
        if let Ok(lock) = Lock::from_fd(file()) {
            answered((lock.acquire_timeout(SOON), lock.release()));
        }
        if let Ok(rlock) = Rlock::from_fd(file()) {
            answered((rlock.acquire_timeout(SOON), rlock.release()));
        }
        if let Ok(semaphore) = Semaphore::from_fd(file()) {
            answered((semaphore.acquire_timeout(SOON), semaphore.release(1)));
        }
        if let Ok(event) = Event::from_fd(file()) {
            answered((event.wait_timeout(SOON), event.set()));
        }
        if let Ok(condition) = Condition::from_fd(file()) {
            answered(condition.notify_all());
        }
        if let Ok(barrier) = Barrier::from_fd(file()) {
            answered((barrier.wait_timeout(SOON), barrier.reset()));
        }
        answered(Connection::from_fd(file()));
    }

    fn copy(&self, cut: Option<u16>) -> OwnedFd {
        // SAFETY: the name ends in NUL; the descriptor is checked.
        let fd = unsafe { libc::memfd_create(c"fuzz".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(fd >= 0);
        // SAFETY: new.
        let copy = File::from(unsafe { OwnedFd::from_raw_fd(fd) });
        let size = self.size();
        let mut bytes = vec![0; size.min(256 * 1024) as usize];
        let read = self.file.read_at(&mut bytes, 0).unwrap();
        copy.write_all_at(&bytes[..read], 0).unwrap();
        copy.set_len(cut.map_or(size, |cut| size.min(u64::from(cut) * 16)))
            .unwrap();
        copy.into()
    }
}

/// A short wait that is not a try.
pub const SOON: Wait<'static> = Wait::for_ns(20_000);

/// Any result is right: the call has returned.
pub fn answered<T>(_: T) {}
