//! The C ABI: `extern "C"` functions over the safe API, one file or several for an object.
//!
//! `include/polyproc.h` is generated from these files (`make header`), so a doc comment here is what
//! a C programmer reads. Three conventions serve both readers: the table of arguments and results
//! stands in a `text` fence (`tools/header.sed` takes the fence off), statuses are named without
//! their `POLYPROC_` prefix there, and an HTML comment at the top of a doc comment becomes a section
//! heading of the header. What every caller must know first is the opening page in `cbindgen.toml`.
//!
//! A function does four things and no more: check its arguments (`boundary`), enter the handle
//! (`handle`), call the safe API, write its results.

#![allow(non_camel_case_types, clippy::missing_safety_doc)]

mod boundary;
mod handle;
mod presence;
mod process_request;
mod quarantine;
mod sized;
mod texts;

// The header follows this order: the simple tier first, the advanced one after it. The paragraphs
// keep rustfmt from sorting it.
pub mod constants;

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

pub mod process_child;

pub mod pool_options;

pub mod pool;

pub mod pool_submit;

pub mod pool_task;

pub mod pool_worker;

pub mod cancel;

pub mod queue_message;

pub mod queue_many;

pub mod wait;

pub mod barrier_steps;

pub mod share;

pub mod process_adopt;
