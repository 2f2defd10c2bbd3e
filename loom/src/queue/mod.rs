//! The part of `../src/queue` for cursors and records.

mod ends;
pub(crate) mod layout;
mod models;
