//! The parts that every function of the C API uses.
//!
//! ```text
//! check      no panic crosses the boundary, and every pointer and text is checked
//! growing    structs that can grow
//! constants  the numbers
//! text       the texts of the statuses, and texts in structs
//! ```

pub(crate) mod check;
pub mod constants;
pub(crate) mod growing;
pub(crate) mod text;
