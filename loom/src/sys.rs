//! The part of the layer below that the algorithms use.

/// Types made of atomics, which begin as zeros.
pub(crate) trait Zero {
    fn zero() -> Self;
}

impl<T: Zero, const N: usize> Zero for [T; N] {
    fn zero() -> Self {
        std::array::from_fn(|_| T::zero())
    }
}

pub(crate) mod thread {
    pub(crate) fn give_way() {
        loom::thread::yield_now();
    }
}

pub(crate) fn errno() -> i32 {
    0
}
