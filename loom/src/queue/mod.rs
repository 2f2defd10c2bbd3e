//! `../src/queue`: what the cursors and the records are.

mod models;
#[path = "../../../src/queue/position.rs"]
pub(crate) mod position;
#[path = "../../../src/queue/record.rs"]
pub(crate) mod record;
#[path = "../../../src/queue/side.rs"]
pub(crate) mod side;
