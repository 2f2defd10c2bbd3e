//! The names of the objects that a worker inherits.

/// The environment variable that tells a worker its seat.
pub(crate) const SEAT_VARIABLE: &str = "POLYPROC_WORKER";
/// A worker inherits its pool's objects under these names.
pub(crate) const BOARD: &str = "polyproc-pool";
pub(crate) const TASKS: &str = "polyproc-pool-tasks";
pub(crate) const REPORTS: &str = "polyproc-pool-reports";
