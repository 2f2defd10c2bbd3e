//! What lies in shared memory.

pub(super) mod body;
pub(super) mod cursor;
#[allow(unsafe_code)]
pub(super) mod payload;
pub(super) mod position;
pub(super) mod record;
pub(super) mod ring;
