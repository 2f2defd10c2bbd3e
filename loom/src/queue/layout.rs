//! The part of `../src/queue/layout` that the models use.

#[path = "../../../src/queue/layout/cursor.rs"]
pub(crate) mod cursor;
#[path = "../../../src/queue/layout/ends.rs"]
pub(crate) mod ends;
#[path = "../../../src/queue/layout/record.rs"]
pub(crate) mod record;
