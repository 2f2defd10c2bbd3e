//! Frames: a message is sent as its length, then its bytes.
//!
//! The length is a signed 32-bit number, big-endian. -1 means that the length follows as an
//! unsigned 64-bit number; no other negative length is valid.

use crate::status::{Result, Status};

/// The longest message, as in a pipe.
pub(crate) const LONGEST: u64 = u32::MAX as u64;

const SHORT: usize = 4;
const LONG: usize = 12;

/// The head of a frame, as far as it has arrived.
#[derive(Clone, Copy, Default)]
pub(crate) struct Head {
    bytes: [u8; LONG],
    known: usize,
}

impl Head {
    /// The head for a message of `len` bytes.
    pub(crate) fn of(len: usize) -> Head {
        let mut head = Head::default();
        match i32::try_from(len) {
            Ok(len) => head.push(&len.to_be_bytes()),
            Err(_) => {
                head.push(&(-1i32).to_be_bytes());
                head.push(&(len as u64).to_be_bytes());
            }
        }
        head
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.known).unwrap_or(&self.bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// How many bytes are missing before more of the head can be decoded.
    pub(crate) fn missing(&self) -> usize {
        match self.known {
            0..SHORT => SHORT - self.known,
            _ => LONG - self.known,
        }
    }

    /// Add bytes, at most `missing()` of them.
    pub(crate) fn push(&mut self, more: &[u8]) {
        for (place, byte) in self.bytes.iter_mut().skip(self.known).zip(more) {
            *place = *byte;
        }
        self.known = (self.known + more.len()).min(LONG);
    }

    /// The length of the message, `None` while the head is incomplete.
    ///
    /// # Errors
    /// `E_CORRUPT` for a negative length. `E_TOO_LARGE` for more than `limit` bytes.
    pub(crate) fn length(&self, limit: u64) -> Result<Option<usize>> {
        let [a, b, c, d, long @ ..] = self.bytes;
        if self.known < SHORT {
            return Ok(None);
        }
        let len = match i32::from_be_bytes([a, b, c, d]) {
            -1 if self.known < LONG => return Ok(None),
            -1 => u64::from_be_bytes(long),
            short => u64::try_from(short).map_err(|_| Status::E_CORRUPT)?,
        };
        if len > limit {
            return Err(Status::E_TOO_LARGE);
        }
        usize::try_from(len)
            .map(Some)
            .map_err(|_| Status::E_TOO_LARGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8]) -> Head {
        let mut head = Head::default();
        for byte in bytes {
            assert!(head.missing() > 0);
            head.push(&[*byte]);
        }
        head
    }

    #[test]
    fn a_length_comes_back() {
        for len in [0, 1, 16_384, 0x7fff_ffff, 0x8000_0000, u32::MAX as usize] {
            let sent = Head::of(len);
            assert_eq!(sent.bytes().len(), if len < 1 << 31 { 4 } else { 12 });
            assert_eq!(head(sent.bytes()).length(LONGEST), Ok(Some(len)), "{len}");
        }
    }

    #[test]
    fn nonsense_is_told_before_anything_is_made_of_it() {
        assert_eq!(head(&[0, 0, 0]).length(LONGEST), Ok(None));
        assert_eq!(head(&[0xff; 11]).length(LONGEST), Ok(None));
        assert_eq!(
            head(&[0xff, 0xff, 0xff, 0xfe]).length(LONGEST),
            Err(Status::E_CORRUPT)
        );
        assert_eq!(
            head(&[0x80, 0, 0, 0]).length(LONGEST),
            Err(Status::E_CORRUPT)
        );
        let mut giant = vec![0xff; 4];
        giant.extend((1u64 << 63).to_be_bytes());
        assert_eq!(head(&giant).length(LONGEST), Err(Status::E_TOO_LARGE));
        assert_eq!(head(&[0, 0, 1, 1]).length(256), Err(Status::E_TOO_LARGE));
        assert_eq!(head(&[0, 0, 1, 0]).length(256), Ok(Some(256)));
    }
}
