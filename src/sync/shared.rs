//! Types that may lie in memory to which other processes write.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

/// A type that may lie in memory to which other processes write at any moment.
///
/// # Safety
/// The type is `repr(C)` and made of atomics only, every bit pattern is valid, and there is nothing
/// to drop. The macro [`shared!`] checks all of it.
pub(crate) unsafe trait Shared {}

// SAFETY: atomics, every bit pattern valid.
unsafe impl Shared for AtomicU32 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU64 {}
// SAFETY: as above.
unsafe impl Shared for AtomicI64 {}
// SAFETY: an array of `Shared` elements satisfies the same conditions.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {}

/// Define a struct that is [`Shared`]: it is `repr(C)`, and each of its fields is `Shared`.
macro_rules! shared {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_attribute:meta])* $field_visibility:vis $field:ident: $type:ty,)*
    }) => {
        $(#[$attribute])*
        #[repr(C)]
        $visibility struct $name {
            $($(#[$field_attribute])* $field_visibility $field: $type,)*
        }

        const _: () = {
            const fn is_shared<T: $crate::sync::shared::Shared>() {}
            $(is_shared::<$type>();)*
        };

        #[allow(unsafe_code)]
        // SAFETY: repr(C), and every field is Shared, which the lines above check.
        unsafe impl $crate::sync::shared::Shared for $name {}
    };
}
pub(crate) use shared;
