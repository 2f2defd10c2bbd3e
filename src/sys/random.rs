//! Random bytes from the kernel.

use super::call;
use crate::status::{Result, Status};

/// Fill `bytes` with random ones, fit for secrets.
///
/// # Errors
/// Those of getrandom(2), which a sandbox may refuse.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match usize::try_from(call::getrandom(rest)) {
            Ok(count) => filled += count,
            Err(_) if super::errno() == libc::EINTR => {}
            Err(_) => return Err(Status::last_os_error()),
        }
    }
    Ok(())
}
