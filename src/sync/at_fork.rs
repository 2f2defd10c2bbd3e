//! Process-local tables that a forked child must find consistent: they are locked across every
//! fork.

use std::ptr;

use super::local_lock::LocalLock;
use crate::sys::fork;

/// A process-wide table that must be consistent in a forked child: it is locked across every fork.
pub(crate) trait HeldAcrossFork: Sync {
    fn hold(&self);
    fn let_go(&self);
}

impl<T: Send> HeldAcrossFork for LocalLock<T> {
    fn hold(&self) {
        self.lock_raw();
    }
    fn let_go(&self) {
        self.unlock_raw();
    }
}

/// The tables, in the order in which they are locked.
struct Tables {
    has_handlers: bool,
    all: [Option<&'static dyn HeldAcrossFork>; MAX_TABLES],
}

const MAX_TABLES: usize = 12;

static TABLES: LocalLock<Tables> = LocalLock::new(Tables {
    has_handlers: false,
    all: [None; MAX_TABLES],
});

/// Lock `table` across every fork from now on. Outer locks must be registered before inner ones,
/// and no thread may register a table while it holds one: a fork in progress holds them all.
pub(crate) fn hold_across_forks(table: &'static dyn HeldAcrossFork) {
    let mut tables = TABLES.lock();
    if !tables.has_handlers {
        fork::at_fork(&fork::Handlers {
            before: prepare,
            in_parent: parent,
            in_child: child,
        });
        tables.has_handlers = true;
    }
    if tables
        .all
        .iter()
        .flatten()
        .any(|other| ptr::addr_eq(*other, table))
    {
        return;
    }
    match tables.all.iter_mut().find(|place| place.is_none()) {
        Some(place) => *place = Some(table),
        None => debug_assert!(false, "MAX_TABLES is too small"),
    }
}

extern "C" fn prepare() {
    TABLES.lock_raw();
    held().for_each(|table| table.hold());
}

extern "C" fn parent() {
    held().for_each(|table| table.let_go());
    TABLES.unlock_raw();
}

extern "C" fn child() {
    fork::forget_epoch();
    parent();
}

/// The registered tables; the caller holds TABLES by `lock_raw`.
fn held() -> impl Iterator<Item = &'static dyn HeldAcrossFork> {
    // SAFETY: between prepare and parent/child this thread alone holds TABLES.
    let tables = unsafe { TABLES.value_while_held() };
    tables.all.iter().copied().flatten()
}
