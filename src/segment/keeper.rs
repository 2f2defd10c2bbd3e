//! The keeper: one small thread per process whose end the kernel reports to everybody.
//!
//! A keeper's robust list names one entry per segment that the process has attached. Threads of the
//! process link and unlink entries themselves, under one lock; the keeper only has to exist, and it runs
//! the few things that must not depend on a thread that may end before the process (starting a daemonic
//! child: PR_SET_PDEATHSIG follows the thread that forks).
//!
//! Where the kernel refuses robust lists, a keeper runs those things all the same, and its entries are not
//! linked: the others find out by themselves that the process has ended (see `participants`).
//!
//! The keeper allocates nothing and takes no lock of a runtime once it runs, so a fork at any moment is
//! safe. A forked child has no keeper: it starts its own at its first use of an object.

use std::sync::atomic::{AtomicU32, Ordering};

use super::participants::Occupant;
use crate::status::{Result, Status};
use crate::sys::fork;
use crate::sys::futex;
use crate::sys::local_lock::LocalLock;
use crate::sys::mailbox::Mailbox;
use crate::sys::membarrier;
use crate::sys::robust_list::{self, Entry, RobustList};
use crate::sys::thread;
use crate::sys::wake_cost;

const STARTING: u32 = 0;
/// The kernel has the list.
const WATCHED: u32 = 1;
/// It has refused it.
const UNWATCHED: u32 = 2;

/// What a keeper thread and the rest of the process share. Never freed: the kernel has its address.
pub(super) struct Keeper {
    list: LocalLock<RobustList>,
    list_address: u64,
    state: AtomicU32,
    tid: AtomicU32,
    mailbox: Mailbox,
}

/// The keepers of this process, each with the epoch in which it was started: those of another epoch
/// are a parent's, which this process has only as memory. More than one of its own only where one list
/// cannot hold every entry.
type Keepers = Vec<(u32, &'static Keeper)>;

pub(super) static KEEPERS: LocalLock<Keepers> = LocalLock::new(Vec::new());

/// A linked entry's list; needed to unlink it.
#[derive(Clone, Copy)]
pub(crate) struct Link(&'static Keeper);

/// Link `entry` to a keeper: `set` gets what its word is to hold, changes it and says whether it did.
/// The tables are held across forks by then.
///
/// # Errors
/// `E_LIMIT` where no thread can be started.
pub(super) fn link(entry: &Entry, set: impl FnOnce(Occupant) -> bool) -> Result<Option<Link>> {
    let mut keepers = KEEPERS.lock();
    let keeper = with_room(&mut keepers)?;
    let linked = if keeper.is_watched() {
        let tid = keeper.tid.load(Ordering::Relaxed);
        keeper
            .list
            .lock()
            .link(entry, || set(Occupant::Watched(tid)))
    } else {
        set(Occupant::Unwatched(std::process::id()))
    };
    Ok(linked.then_some(Link(keeper)))
}

/// Unlink `entry`, which [`link`] linked in this process, and change its word with `clear`.
pub(super) fn unlink(link: Link, entry: &Entry, clear: impl FnOnce()) {
    let _held = KEEPERS.lock();
    if link.0.is_watched() {
        link.0.list.lock().unlink(entry, clear);
    } else {
        clear();
    }
}

/// Run `job` on the keeper thread and wait for it.
///
/// # Errors
/// Those of starting a keeper.
pub(crate) fn run_on_keeper(job: &mut (dyn FnMut() + Send)) -> Result<()> {
    super::hold_tables_across_forks();
    let keeper = with_room(&mut KEEPERS.lock())?;
    keeper.mailbox.call(job);
    Ok(())
}

/// A keeper of this very process with room in its list, started when there is none.
fn with_room(keepers: &mut Keepers) -> Result<&'static Keeper> {
    let epoch = fork::epoch();
    let mut own = keepers.iter().filter(|(started, _)| *started == epoch);
    if let Some((_, keeper)) = own.find(|(_, keeper)| !keeper.list.lock().is_full()) {
        return Ok(keeper);
    }
    let keeper = start()?;
    keepers.push((epoch, keeper));
    Ok(keeper)
}

fn start() -> Result<&'static Keeper> {
    let list = RobustList::new();
    let keeper: &'static Keeper = Box::leak(Box::new(Keeper {
        list_address: list.address(),
        list: LocalLock::new(list),
        state: AtomicU32::new(STARTING),
        tid: AtomicU32::new(0),
        mailbox: Mailbox::new(),
    }));
    // Before there is another thread: where there is, the kernel lets the caller wait for many milliseconds.
    membarrier::register();
    thread::start(keeper).map_err(Status::from_errno)?;
    while keeper.state.load(Ordering::Acquire) == STARTING {
        futex::wait(&keeper.state, STARTING, None);
    }
    wake_cost::measure(|job| keeper.mailbox.call(job));
    Ok(keeper)
}

impl Keeper {
    fn is_watched(&self) -> bool {
        self.state.load(Ordering::Acquire) == WATCHED
    }
}

impl thread::Body for Keeper {
    fn run(&'static self) {
        thread::set_name(c"polyproc-keeper");
        self.tid.store(thread::tid(), Ordering::Relaxed);
        let adopted = robust_list::adopt(self.list_address);
        self.state
            .store(if adopted { WATCHED } else { UNWATCHED }, Ordering::Release);
        futex::wake(&self.state, u32::MAX);
        self.mailbox.serve();
    }
}
