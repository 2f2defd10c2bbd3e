//! The macro for types in shared memory.

/// As in the library, except the size: these atomics are larger.
macro_rules! shared {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_attribute:meta])* $field_visibility:vis $field:ident: $type:ty,)*
    }) => {
        $(#[$attribute])*
        $visibility struct $name {
            $($(#[$field_attribute])* $field_visibility $field: $type,)*
        }

        impl $crate::sys::Zero for $name {
            fn zero() -> Self {
                $name { $($field: $crate::sys::Zero::zero(),)* }
            }
        }
    };
}
pub(crate) use shared;
