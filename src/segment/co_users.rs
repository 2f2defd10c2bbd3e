//! Who else can change the file of an object: make it shorter, above all, which no mapping survives.

use crate::status::Result;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory;

/// Bits for anybody but the owner.
const OTHERS: u32 = 0o066;

/// The users that can write a file. Equal for two files only if the same users can write both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CoUsers {
    owner: u32,
    group: u32,
    mode: u32,
}

impl CoUsers {
    /// Nobody who counts: this user alone, or nobody can make the file shorter.
    pub(super) const NONE: CoUsers = CoUsers {
        owner: 0,
        group: 0,
        mode: 0,
    };

    /// The co-users of an object's file.
    pub(super) fn of(fd: &OwnedFd) -> Result<CoUsers> {
        if memory::is_sealed_against_shrinking(fd) {
            return Ok(CoUsers::NONE);
        }
        let status = memory::status_of(fd)?;
        let mode = status.mode & OTHERS;
        if mode == 0 && status.owner == memory::effective_user() {
            return Ok(CoUsers::NONE);
        }
        Ok(CoUsers {
            owner: status.owner,
            group: status.group,
            // Differs from NONE also for a file of another user that is for nobody else.
            mode: mode | 0o600,
        })
    }
}
