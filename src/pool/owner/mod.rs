//! The process of the pool: what is submitted, and the workers.
//!
//! ```text
//! tasks, table, submitted   tasks that are not over
//! reports, leadership       how reports are read, by one thread at a time
//! crew, monitor             the workers: starting, watching, replacing
//! fork_server               the process that forks them
//! ```

pub(super) mod crew;
mod fork_server;
pub(super) mod leadership;
mod monitor;
pub(super) mod reports;
pub(super) mod submitted;
mod table;
pub(super) mod tasks;
