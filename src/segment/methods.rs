//! The methods that the handles of all objects have.

/// Define the methods that all handles have. The handle type has a field `segment` and a function
/// `opened` that makes a handle of a segment.
macro_rules! common_methods {
    ($handle:ident, $object:path) => {
        impl $handle {
            /// Open the object with this name: 1 to 200 bytes of `A-Z a-z 0-9 . _ -`, no dot first.
            ///
            /// # Errors
            /// `E_INVALID`, `E_NOT_FOUND`, `E_MISMATCH`, `E_PERMISSION`, `E_CORRUPT`.
            pub fn open(name: &str) -> Result<$handle> {
                let segment = $crate::segment::Segment::open(&$object, name);
                segment.and_then($handle::opened).map_err(|status| {
                    $crate::status::detail::at(status, "open", $object.kind.name(), Some(name))
                })
            }

            /// Open the object behind a descriptor that [`share_fd`](Self::share_fd) returned.
            ///
            /// # Errors
            /// `E_MISMATCH`, `E_CORRUPT`.
            pub fn from_fd(fd: std::os::fd::OwnedFd) -> Result<$handle> {
                let segment = $crate::segment::Segment::from_fd(&$object, fd.into());
                segment.and_then($handle::opened).map_err(|status| {
                    $crate::status::detail::at(status, "open", $object.kind.name(), None)
                })
            }

            /// Return a new descriptor of the object, to hand to another process.
            ///
            /// # Errors
            /// `E_LIMIT` if this process has no descriptor left.
            pub fn share_fd(&self) -> Result<std::os::fd::OwnedFd> {
                self.segment.share_fd().map(Into::into)
            }

            /// The object's own descriptor. The object keeps it: do not close it.
            pub fn raw_fd(&self) -> std::os::fd::RawFd {
                self.segment.raw_fd()
            }
        }

        impl std::fmt::Debug for $handle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($handle))
                    .field("fd", &self.raw_fd())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use common_methods;
