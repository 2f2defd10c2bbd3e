//! The open segments of this process: two handles of one object share one participant.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use super::Segment;
use crate::status::Result;
use crate::sync::local_lock::LocalLock;

/// Segments by device and inode.
type OpenSegments = BTreeMap<(u64, u64), Weak<Segment>>;

pub(super) static OPEN: LocalLock<OpenSegments> = LocalLock::new(BTreeMap::new());

/// The open segment with this identity, or else the segment that `open` makes.
pub(super) fn find_or(
    identity: (u64, u64),
    open: impl FnOnce() -> Result<Segment>,
) -> Result<Arc<Segment>> {
    super::hold_tables_across_forks();
    let known = OPEN.lock().get(&identity).and_then(Weak::upgrade);
    if let Some(known) = known {
        return Ok(known);
    }
    let fresh = Arc::new(open()?);
    let mut table = OPEN.lock();
    // Another thread may have opened the object meanwhile: the first segment stays.
    if let Some(known) = table.get(&identity).and_then(Weak::upgrade) {
        drop(table);
        return Ok(known);
    }
    table.insert(identity, Arc::downgrade(&fresh));
    Ok(fresh)
}

/// Call `act` with every open segment. No table of this layer is locked meanwhile.
pub(super) fn for_each(act: impl Fn(&Segment)) {
    super::hold_tables_across_forks();
    let open: Vec<_> = OPEN.lock().values().filter_map(Weak::upgrade).collect();
    for segment in open {
        act(&segment);
    }
}

/// Forget the segment with this identity, if it has been dropped.
pub(super) fn forget(identity: (u64, u64)) {
    let mut table = OPEN.lock();
    if table
        .get(&identity)
        .is_some_and(|weak| weak.strong_count() == 0)
    {
        table.remove(&identity);
    }
}
