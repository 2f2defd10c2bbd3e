//! The names under which a worker finds what it is given.

/// The environment variable that tells a worker its seat.
pub(crate) const SEAT_VARIABLE: &str = "POLYPROC_WORKER";
/// Under these names a worker inherits its pool.
pub(crate) const BOARD: &str = "polyproc-pool";
pub(crate) const TASKS: &str = "polyproc-pool-tasks";
pub(crate) const REPORTS: &str = "polyproc-pool-reports";
