//! The keeper: one small thread per process whose end the kernel reports to everybody.
//!
//! A keeper's robust list names one entry per segment that the process has attached. The keeper changes the
//! list itself, for whoever asks: as long as it does, the kernel has not read the list yet. It also runs
//! the few things that must not depend on a thread that may end before the process (starting a daemonic
//! child: PR_SET_PDEATHSIG follows the thread that forks).
//!
//! The kernel stops at the first entry whose word it cannot read, as when somebody has truncated that
//! word's file. So objects have a list in common only if the same users can write their files: what they
//! do to one object hides no death in an object that is not theirs. See [`CoUsers`].
//!
//! Where the kernel refuses robust lists, a keeper runs those things all the same, and its entries are not
//! linked: the others find out by themselves that the process has ended (see `participants`).
//!
//! The keeper allocates nothing and takes no lock of a runtime once it runs, so a fork at any moment is
//! safe. A forked child has no keeper: it starts its own at its first use of an object.

use std::sync::atomic::{AtomicU32, Ordering};

use super::co_users::CoUsers;
use super::participants::Occupant;
use crate::pace::wake_cost;
use crate::status::Result;
use crate::sync::local_lock::LocalLock;
use crate::sync::mailbox::Mailbox;
use crate::sys::fork;
use crate::sys::futex;
use crate::sys::membarrier;
use crate::sys::robust_list::{self, Entry, RobustList};
use crate::sys::thread;

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
/// are a parent's, which this process has only as memory. More than one of its own only for objects of
/// different co-users, and where one list cannot hold every entry.
type Keepers = Vec<(u32, CoUsers, &'static Keeper)>;

/// In place of an epoch: no thread could be started for this keeper. The next start uses it again.
const NEVER_STARTED: u32 = 0;

pub(super) static KEEPERS: LocalLock<Keepers> = LocalLock::new(Vec::new());

/// A linked entry's list; needed to unlink it.
#[derive(Clone, Copy)]
pub(crate) struct Link(&'static Keeper);

/// Link `entry` to a keeper of those co-users: `set` gets what its word is to hold, changes it and says
/// whether it did. The tables are held across forks by then.
///
/// # Errors
/// `E_LIMIT` where no thread can be started.
pub(super) fn link(
    co_users: CoUsers,
    entry: &Entry,
    set: impl FnOnce(Occupant) -> bool + Send,
) -> Result<Option<Link>> {
    let mut keepers = KEEPERS.lock();
    let keeper = with_room(&mut keepers, Some(co_users))?;
    let linked = if keeper.is_watched() {
        let tid = keeper.tid.load(Ordering::Relaxed);
        let mut list = keeper.list.lock();
        list.make_room();
        keeper.run(|| list.link(entry, || set(Occupant::Watched(tid))))
    } else {
        set(Occupant::Unwatched(std::process::id()))
    };
    Ok(linked.then_some(Link(keeper)))
}

/// Unlink `entry`, which [`link`] linked in this process, and change its word with `clear`.
pub(super) fn unlink(link: Link, entry: &Entry, clear: impl FnOnce() + Send) {
    let _held = KEEPERS.lock();
    if link.0.is_watched() {
        let mut list = link.0.list.lock();
        link.0.run(|| list.unlink(entry, clear));
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
    let keeper = with_room(&mut KEEPERS.lock(), None)?;
    keeper.mailbox.call(job);
    Ok(())
}

/// A keeper of this very process with room in its list, started when there is none. `None`: any keeper.
fn with_room(keepers: &mut Keepers, co_users: Option<CoUsers>) -> Result<&'static Keeper> {
    let epoch = fork::epoch();
    let suits = |kept: &CoUsers, keeper: &Keeper| match co_users {
        Some(asked) => *kept == asked && !keeper.list.lock().is_full(),
        None => true,
    };
    let mut own = keepers.iter().filter(|(started, ..)| *started == epoch);
    if let Some((.., keeper)) = own.find(|(_, kept, keeper)| suits(kept, keeper)) {
        return Ok(keeper);
    }
    let unused = keepers
        .iter()
        .position(|(started, ..)| *started == NEVER_STARTED);
    let keeper = match unused {
        Some(at) => keepers.swap_remove(at).2,
        None => Keeper::new(),
    };
    let started = start(keeper);
    let then = started.map_or(NEVER_STARTED, |()| epoch);
    keepers.push((then, co_users.unwrap_or(CoUsers::NONE), keeper));
    started.map(|()| keeper)
}

fn start(keeper: &'static Keeper) -> Result<()> {
    // Before there is another thread: where there is, the kernel lets the caller wait for many milliseconds.
    membarrier::register();
    thread::start(keeper)?;
    while keeper.state.load(Ordering::Acquire) == STARTING {
        futex::wait(&keeper.state, STARTING, None);
    }
    wake_cost::measure(|job| keeper.mailbox.call(job));
    Ok(())
}

impl Keeper {
    fn new() -> &'static Keeper {
        let list = RobustList::new();
        Box::leak(Box::new(Keeper {
            list_address: list.address(),
            list: LocalLock::new(list),
            state: AtomicU32::new(STARTING),
            tid: AtomicU32::new(0),
            mailbox: Mailbox::new(),
        }))
    }

    /// Have the keeper's thread do something, and wait for it.
    fn run<T: Send>(&self, job: impl FnOnce() -> T + Send) -> T {
        let (mut job, mut done) = (Some(job), None);
        self.mailbox
            .call(&mut || done = job.take().map(|job| job()));
        match done {
            Some(done) => done,
            // The mailbox returns when the job has run.
            None => unreachable!("a job that was not run"),
        }
    }

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
