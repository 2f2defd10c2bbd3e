//! The fixed part of a segment: header, participants and the object's own words.

use std::ops::Deref;

use super::Mapping;
use crate::segment::header::BODY_ALIGN;
use crate::status::{Result, Status};
use crate::sync::shared::Shared;

/// The fixed part of a segment. The place of the object's own words is checked once, so that a call
/// need not check it again.
pub(crate) struct Fixed {
    mapping: Mapping,
    body: *const u8,
    body_size: usize,
}

// SAFETY: the address lies in the mapping, which may be used by all threads.
unsafe impl Send for Fixed {}
// SAFETY: as above.
unsafe impl Sync for Fixed {}

impl Fixed {
    /// `E_CORRUPT` if the words do not lie within the mapping.
    pub(crate) fn new(mapping: Mapping, body_at: usize, body_size: usize) -> Result<Fixed> {
        let body = mapping.bytes(body_at, body_size)?.address.cast_const();
        if !body.addr().is_multiple_of(BODY_ALIGN) {
            return Err(Status::E_CORRUPT);
        }
        Ok(Fixed {
            mapping,
            body,
            body_size,
        })
    }

    /// The object's own words; `E_CORRUPT` if there are fewer than a `T` has.
    #[inline]
    pub(crate) fn body<T: Shared>(&self) -> Result<&T> {
        const { assert!(align_of::<T>() <= BODY_ALIGN) };
        if size_of::<T>() > self.body_size {
            return Err(Status::E_CORRUPT);
        }
        // SAFETY: in bounds and aligned, as `new` has checked; for the rest as in `view`.
        Ok(unsafe { &*self.body.cast::<T>() })
    }
}

impl Deref for Fixed {
    type Target = Mapping;

    fn deref(&self) -> &Mapping {
        &self.mapping
    }
}
