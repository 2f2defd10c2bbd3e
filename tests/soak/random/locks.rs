//! Locks and owned permits in the log: each has one living holder, and a death while holding is
//! reported.

use std::collections::{HashMap, HashSet};

use super::log::{op, Record};

/// The place of the owned permits; the others are locks, of one holder each.
const PERMITS: i32 = 2;
const OWNER_DIED: i32 = 1;
/// Held; the record does not say whether the last holder died.
const HELD: i32 = 1000;

#[derive(Default)]
struct Lock {
    /// The holders, and whether each has begun to release it.
    holders: HashMap<u32, bool>,
    /// The processes that were in the middle of taking or releasing it.
    within: HashSet<u32>,
}

#[derive(Default)]
pub struct Locks {
    places: HashMap<i32, Lock>,
    pub permits: usize,
    pub turns: u64,
}

impl Locks {
    pub fn take_in(&mut self, record: Record, is_gone: &dyn Fn(u32) -> bool) -> Result<(), String> {
        let lock = self.places.entry(record.place).or_default();
        let actor = record.actor;
        match record.op {
            op::LOCK_BEGIN => {
                lock.within.insert(actor);
            }
            op::LOCK_END => {
                // A process that was killed while it waited to write is in the log too late.
                if is_gone(actor) {
                    return Ok(());
                }
                lock.within.remove(&actor);
                if record.status < 0 {
                    return Ok(());
                }
                self.turns += 1;
                let room = if record.place == PERMITS {
                    self.permits
                } else {
                    1
                };
                let is_locked =
                    |(holder, releasing): (&u32, &bool)| !releasing && !is_gone(*holder);
                if lock.holders.iter().filter(|one| is_locked(*one)).count() >= room {
                    return Err(format!("lock {}: more than {room} have it", record.place));
                }
                let died = |releasing: bool| {
                    let mut holders = lock.holders.iter();
                    holders.any(|(holder, is)| *is == releasing && is_gone(*holder))
                };
                let died_within = lock.within.iter().any(|one| is_gone(*one));
                let is_told = record.status == OWNER_DIED;
                if record.place != PERMITS && record.status != HELD {
                    if died(false) && !is_told && !died_within {
                        return Err(format!(
                            "lock {}: nobody says that its owner died",
                            record.place
                        ));
                    }
                    if is_told && !died(false) && !died(true) && !died_within {
                        return Err(format!("lock {}: nobody died with it", record.place));
                    }
                }
                lock.holders
                    .retain(|holder, releasing| !*releasing && !is_gone(*holder));
                lock.holders.insert(actor, false);
            }
            op::UNLOCK_BEGIN => {
                if let Some(releasing) = lock.holders.get_mut(&actor) {
                    *releasing = true;
                }
            }
            _ => {
                if record.place == PERMITS || lock.holders.get(&actor) == Some(&true) {
                    lock.holders.remove(&actor);
                }
            }
        }
        Ok(())
    }
}
