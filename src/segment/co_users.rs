//! The users that can change an object's file. They could make it shorter; then a process that
//! touches the missing memory of its mapping gets SIGBUS.

use crate::status::Result;
use crate::sys::descriptor::OwnedFd;
use crate::sys::memory;

/// Permission bits of all users but the owner.
const OTHERS: u32 = 0o066;

/// The users that can write a file. Equal for two files only if the same users can write both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct CoUsers {
    owner: u32,
    group: u32,
    mode: u32,
}

impl CoUsers {
    /// No co-users that matter: this user alone can make the file shorter, or nobody can.
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
            // A file of another user differs from NONE, even if it has no permissions for others.
            mode: mode | 0o600,
        })
    }
}
