//! What every function of the C API is made of.
//!
//! ```text
//! check      no panic crosses the border, and no pointer or text goes past it unchecked
//! growing    structs that can grow
//! constants  the numbers
//! text       the texts of the statuses, and texts in structs
//! ```

pub(crate) mod check;
pub mod constants;
pub(crate) mod growing;
pub(crate) mod text;
