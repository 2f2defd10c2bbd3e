//! loom's atomics, each operation of which may be the last one of its thread.

use loom::sync::atomic as checked;
pub(crate) use std::sync::atomic::Ordering;

use crate::model::step;
use crate::sys::Zero;

macro_rules! atomic {
    ($name:ident, $of:ty) => {
        #[derive(Debug)]
        pub(crate) struct $name(checked::$name);

        impl Zero for $name {
            fn zero() -> Self {
                $name(checked::$name::new(0))
            }
        }

        impl $name {
            pub(crate) fn load(&self, order: Ordering) -> $of {
                step();
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: $of, order: Ordering) {
                step();
                self.0.store(value, order);
            }

            pub(crate) fn swap(&self, value: $of, order: Ordering) -> $of {
                step();
                self.0.swap(value, order)
            }

            pub(crate) fn compare_exchange(
                &self,
                from: $of,
                to: $of,
                order: Ordering,
                failed: Ordering,
            ) -> Result<$of, $of> {
                step();
                self.0.compare_exchange(from, to, order, failed)
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                from: $of,
                to: $of,
                order: Ordering,
                failed: Ordering,
            ) -> Result<$of, $of> {
                self.compare_exchange(from, to, order, failed)
            }

            pub(crate) fn fetch_add(&self, value: $of, order: Ordering) -> $of {
                step();
                self.0.fetch_add(value, order)
            }

            pub(crate) fn fetch_and(&self, value: $of, order: Ordering) -> $of {
                step();
                self.0.fetch_and(value, order)
            }

            pub(crate) fn fetch_or(&self, value: $of, order: Ordering) -> $of {
                step();
                self.0.fetch_or(value, order)
            }

            pub(crate) fn fetch_max(&self, value: $of, order: Ordering) -> $of {
                step();
                self.0.fetch_max(value, order)
            }

            /// Reads as the kernel or a test does: no thread dies here.
            pub(crate) fn peek(&self) -> $of {
                self.0.load(Ordering::SeqCst)
            }
        }
    };
}

atomic!(AtomicI64, i64);
atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);

pub(crate) fn fence(order: Ordering) {
    checked::fence(order);
}

pub(crate) fn address(word: &AtomicU32) -> *const u32 {
    std::ptr::from_ref(word).cast()
}

/// No machine of this model is weaker than this.
pub(crate) fn barrier_after_rmw() {
    checked::fence(Ordering::SeqCst);
}
