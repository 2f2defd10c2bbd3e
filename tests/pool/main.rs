//! Pools as programs use them: results, failures, deaths, ends.

mod calls;
mod deaths;
mod support;
