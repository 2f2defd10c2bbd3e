//! Python's multiprocessing for every language, at the speed of memory, safe against `kill -9`.

pub mod status;

pub use status::{Result, Status};
