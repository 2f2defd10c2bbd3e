//! The texts of the statuses as C strings, made from `status` when the crate is compiled.

use std::ffi::{c_char, CStr};

use crate::status::Status;

/// Room for the longest text and its NUL.
const WIDTH: usize = 64;
const COUNT: usize = Status::TABLE.len();

static TEXTS: [[u8; WIDTH]; COUNT] = ended_by_nul();

#[allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, where a panic is an error"
)]
const fn ended_by_nul() -> [[u8; WIDTH]; COUNT] {
    let mut texts = [[0; WIDTH]; COUNT];
    let mut row = 0;
    while row < COUNT {
        let text = Status::TABLE[row].2.as_bytes();
        assert!(text.len() < WIDTH);
        let mut at = 0;
        while at < text.len() {
            texts[row][at] = text[at];
            at += 1;
        }
        row += 1;
    }
    texts
}

/// Return [`Status::text`], ended by a NUL.
pub(crate) fn of(status: Status) -> &'static CStr {
    let known = Status::TABLE.iter().position(|row| row.0 == status.code());
    let text = known.and_then(|row| TEXTS.get(row));
    match text.and_then(|text| CStr::from_bytes_until_nul(text).ok()) {
        Some(text) => text,
        None if status.errno().is_some() => c"operating system error",
        None => c"unknown status",
    }
}

/// Bytes as a C string in an array, cut so that a NUL ends them.
pub(crate) fn text<const N: usize>(bytes: &[u8]) -> [c_char; N] {
    let mut text = [0; N];
    for (to, from) in text.iter_mut().take(N - 1).zip(bytes) {
        *to = *from as c_char;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_reads_what_rust_reads() {
        for code in (-200..20).chain([-1000 - libc::EBADF, i32::MIN, i32::MAX]) {
            let status = Status::from_code(code);
            assert_eq!(of(status).to_str(), Ok(status.text()), "{code}");
        }
    }
}
