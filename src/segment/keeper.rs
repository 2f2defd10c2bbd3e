//! The keeper: a small thread of each process. When the process ends, the kernel reports this to the
//! other participants through the keeper's robust list. A thread has one such list, so a process
//! that needs several lists has several keepers.
//!
//! The robust list names one entry per segment to which the process is attached. Only the keeper
//! changes the list, on behalf of the other threads: while the keeper runs, the kernel has not read
//! the list yet. The keeper also runs the few jobs that must not depend on a thread that may end
//! before the process (starting a daemonic child: PR_SET_PDEATHSIG follows the thread that forks).
//!
//! The kernel stops at the first entry whose word it cannot read, for example because a user
//! truncated the word's file. So objects share a list only if the same users can write their files:
//! damage to one object then hides no death in an object that these users cannot write. See
//! [`CoUsers`]. The kernel also stops after a number of entries, so a full list is followed by
//! another one.
//!
//! If the kernel refuses robust lists, a keeper still runs those jobs, but its entries are not
//! linked: the other participants find out themselves that the process has ended (see
//! `participants`).
//!
//! The keeper allocates nothing and takes no lock of a runtime once it runs, so a fork is safe at
//! any moment. A forked child has no keeper: it starts its own at its first use of an object.

use std::ffi::CStr;
use std::sync::atomic::{AtomicU32, Ordering};

use super::co_users::CoUsers;
use super::participants::{Life, Occupant};
use crate::pace::wake_cost;
use crate::status::Result;
use crate::sync::local_lock::LocalLock;
use crate::sync::mailbox::Mailbox;
use crate::sys::fork;
use crate::sys::futex;
use crate::sys::membarrier;
use crate::sys::procfs;
use crate::sys::robust_list::{self, Entry, RobustList};
use crate::sys::thread;

const NAME: &CStr = c"polyproc-keeper";

const STARTING: u32 = 0;
/// The kernel has accepted the list.
const WATCHED: u32 = 1;
/// The kernel has refused the list.
const UNWATCHED: u32 = 2;

/// State that a keeper thread shares with the rest of the process. Never freed, since the kernel
/// has its address.
pub(super) struct Keeper {
    list: LocalLock<RobustList>,
    list_address: u64,
    state: AtomicU32,
    tid: AtomicU32,
    mailbox: Mailbox,
}

/// The keepers of this process, each with the epoch in which it was started. A keeper of another
/// epoch belongs to a parent, and this process has only a copy of its memory. A process has several
/// keepers of its own only for objects with different co-users, or if one list cannot hold every
/// entry.
type Keepers = Vec<(u32, CoUsers, &'static Keeper)>;

/// Stands for an epoch: no thread could be started for this keeper. The next start uses the keeper
/// again.
const NEVER_STARTED: u32 = 0;

pub(super) static KEEPERS: LocalLock<Keepers> = LocalLock::new(Vec::new());

/// The keeper whose list has an entry; needed to unlink the entry.
#[derive(Clone, Copy)]
pub(crate) struct Link(&'static Keeper);

/// Link `entry` to a keeper for these co-users. `set` receives the occupant for the entry's word,
/// changes the word, and returns whether it did. The caller has registered the tables that are held
/// across forks.
///
/// # Errors
/// `E_LIMIT` if no thread can be started.
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

/// Unlink `entry`, which [`link`] linked in this process, and change the entry's word with `clear`.
pub(super) fn unlink(link: Link, entry: &Entry, clear: impl FnOnce() + Send) {
    let _held = KEEPERS.lock();
    if link.0.is_watched() {
        let mut list = link.0.list.lock();
        link.0.run(|| list.unlink(entry, clear));
    } else {
        clear();
    }
}

/// Report whether the process with this id has the keeper that `life` names. A participant without
/// a keeper counts as one that has it.
pub(super) fn is_in_proc(pid: u32, life: Life) -> bool {
    let is_keeper = |tid| procfs::thread_name(pid, tid).is_some_and(|name| name == NAME.to_bytes());
    life.keeper().is_none_or(is_keeper)
}

/// Run `job` on the keeper thread, and wait until it has run.
///
/// # Errors
/// Those of starting a keeper.
pub(crate) fn run_on_keeper(job: &mut (dyn FnMut() + Send)) -> Result<()> {
    super::hold_tables_across_forks();
    let keeper = with_room(&mut KEEPERS.lock(), None)?;
    keeper.mailbox.call(job);
    Ok(())
}

/// A keeper of this process with room in its list; start one if there is none. `None` accepts any
/// keeper.
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
    // Before another thread exists: then it is done at once.
    membarrier::register_if_quick();
    thread::start(keeper)?;
    // If the system allows one more thread, that is the keeper.
    super::register_for_barriers();
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

    /// Run a job on the keeper's thread, and wait until it has run.
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
        thread::set_name(NAME);
        self.tid.store(thread::tid(), Ordering::Relaxed);
        let adopted = robust_list::adopt(self.list_address);
        self.state
            .store(if adopted { WATCHED } else { UNWATCHED }, Ordering::Release);
        futex::wake(&self.state, u32::MAX);
        self.mailbox.serve();
    }
}
