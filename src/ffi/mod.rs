//! The C ABI: `extern "C"` functions over the safe API, one file or several for an object.
//!
//! `include/polyproc.h` is generated from these files (`make header`), so a doc comment here is
//! what a C programmer reads. Three conventions serve both readers: the table of arguments and
//! results stands in a `text` fence (`tools/header.sed` takes the fence off), statuses are named
//! without their `POLYPROC_` prefix there, and an HTML comment at the top of a doc comment becomes
//! a section heading of the header. The opening page, the rules for every caller, is in
//! `cbindgen.toml`.
//!
//! A function does four things and no more: check its arguments (`abi::check`), enter the handle
//! (`handle`), call the safe API, write its results.

#![allow(non_camel_case_types, clippy::missing_safety_doc)]

mod handle;

// The header follows this order; the parts of a module follow the module. The empty lines keep
// rustfmt from sorting the list.
pub mod abi;

pub mod options;

pub mod library;

pub mod lock;

pub mod rlock;

pub mod semaphore;

pub mod event;

pub mod condition;

pub mod barrier;

pub mod queue;

pub mod connection;

pub mod listener;

pub mod process;

pub mod pool;

pub mod cancel;

pub mod wait;

pub mod share;
