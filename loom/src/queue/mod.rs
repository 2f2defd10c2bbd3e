//! The part of `../src/queue` for cursors and records.

pub(crate) mod layout;
mod models;
