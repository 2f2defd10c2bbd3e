//! The word-level algorithms of polyproc under a model checker.
//!
//! The files of `../src/sync` (and of `../src/queue` the cursors and the records) are compiled here
//! as they are, with three parts replaced: `sync::atomic`, whose operations loom interleaves in
//! every order and at each of which a thread can die; `sync::wait`, which has no clock; and
//! `world`, which sleeps, wakes and dies as futexes and robust lists do.

#![cfg(test)]
#![allow(dead_code, reason = "the models use a part of each algorithm")]

mod model;
mod models;
mod pace;
mod queue;
#[allow(unused_imports, reason = "of the errors of Rust nothing is used")]
#[path = "../../src/status.rs"]
mod status;
mod sync;
mod sys;
mod world;
