//! What the algorithms use of the layer below.

/// Types made of atomics, which begin as zeros.
pub(crate) trait Zero {
    fn zero() -> Self;
}

impl<T: Zero, const N: usize> Zero for [T; N] {
    fn zero() -> Self {
        std::array::from_fn(|_| T::zero())
    }
}

pub(crate) mod shared {
    /// As in the library, but for the size: these atomics are not what lies in shared memory.
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
}

pub(crate) mod thread {
    pub(crate) fn give_way() {
        loom::thread::yield_now();
    }
}

pub(crate) fn errno() -> i32 {
    0
}
