//! `../src/queue`: what the cursors and the records are.

pub(crate) mod layout;
mod models;
