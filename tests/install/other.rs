//! A static library of another Rust crate: it formats, allocates and unwinds, so it brings Rust's
//! runtime.

/// The digits of a number; -1 for a negative one, which panics inside.
#[no_mangle]
pub extern "C" fn other_digits(number: i64) -> i64 {
    let digits = std::panic::catch_unwind(|| {
        assert!(number >= 0, "negative");
        format!("{number}").len() as i64
    });
    digits.unwrap_or(-1)
}
