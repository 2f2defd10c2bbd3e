//! What a handle of every kind of object can do.

/// Give an object's handle the functions that all have. The handle has its `segment`, and makes one of itself
/// with `opened`.
macro_rules! common_methods {
    ($handle:ident, $object:path) => {
        impl $handle {
            /// Open the object that has this name.
            ///
            /// # Errors
            /// `E_INVALID`, `E_NOT_FOUND`, `E_MISMATCH`, `E_PERMISSION`, `E_CORRUPT`.
            pub fn open(name: &str) -> Result<$handle> {
                $handle::opened($crate::segment::Segment::open(&$object, name)?)
            }

            /// The object behind a descriptor of [`share_fd`](Self::share_fd).
            ///
            /// # Errors
            /// `E_MISMATCH`, `E_CORRUPT`.
            pub fn from_fd(fd: std::os::fd::OwnedFd) -> Result<$handle> {
                $handle::opened($crate::segment::Segment::from_fd(&$object, fd.into())?)
            }

            /// A descriptor to hand to another process.
            ///
            /// # Errors
            /// `E_LIMIT` when this process has no descriptor left.
            pub fn share_fd(&self) -> Result<std::os::fd::OwnedFd> {
                self.segment.share_fd().map(Into::into)
            }

            /// The object's own descriptor; it stays the object's.
            pub fn raw_fd(&self) -> std::os::fd::RawFd {
                self.segment.raw_fd()
            }
        }
    };
}
pub(crate) use common_methods;
