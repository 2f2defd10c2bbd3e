//! Socket addresses in the form that the kernel takes.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::status::detail::because;
use crate::status::Result;

/// The address of a socket.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    storage: libc::sockaddr_storage,
    len: libc::socklen_t,
}

/// Offset of the path in a unix address.
const PATH_AT: usize = std::mem::offset_of!(libc::sockaddr_un, sun_path);
/// Size of the path, including the NUL that ends a path or begins an abstract name.
const PATH_ROOM: usize = size_of::<libc::sockaddr_un>() - PATH_AT;

impl Name {
    fn empty() -> Name {
        Name {
            // SAFETY: plain data.
            storage: unsafe { std::mem::zeroed() },
            len: 0,
        }
    }

    fn of<T>(address: T) -> Name {
        const { assert!(size_of::<T>() <= size_of::<libc::sockaddr_storage>()) };
        const { assert!(align_of::<T>() <= align_of::<libc::sockaddr_storage>()) };
        let mut name = Name::empty();
        name.len = size_of::<T>() as libc::socklen_t;
        // SAFETY: it fits, as asserted above; the callers pass plain structs of the kernel.
        unsafe {
            std::ptr::from_mut(&mut name.storage)
                .cast::<T>()
                .write(address)
        };
        name
    }

    pub(crate) fn ip(address: SocketAddr) -> Name {
        match address {
            SocketAddr::V4(v4) => Name::of(libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => Name::of(libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            }),
        }
    }

    /// The name of a path, or, if `is_abstract`, a name outside of the file system. `E_INVALID` if
    /// it is too long.
    pub(crate) fn unix(path: &[u8], is_abstract: bool) -> Result<Name> {
        if path.is_empty() || path.len() >= PATH_ROOM || (!is_abstract && path.contains(&0)) {
            return Err(because!(
                E_INVALID,
                "the path of a unix socket has 1 to {} bytes, none of them 0",
                PATH_ROOM - 1
            ));
        }
        let mut room = [0 as libc::c_char; PATH_ROOM];
        for (place, byte) in room.iter_mut().skip(usize::from(is_abstract)).zip(path) {
            *place = *byte as libc::c_char;
        }
        let mut name = Name::of(libc::sockaddr_un {
            sun_family: libc::AF_UNIX as libc::sa_family_t,
            sun_path: room,
        });
        // An abstract name has exactly this length; a path ends with its NUL.
        name.len = (PATH_AT + path.len() + 1) as libc::socklen_t;
        Ok(name)
    }

    /// The name that a system call fills in.
    pub(super) fn filled(
        fill: impl FnOnce(*mut libc::sockaddr, *mut libc::socklen_t) -> Result<()>,
    ) -> Result<Name> {
        let mut name = Name::empty();
        name.len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        fill(std::ptr::from_mut(&mut name.storage).cast(), &mut name.len)?;
        Ok(name)
    }

    pub(super) fn family(&self) -> libc::c_int {
        libc::c_int::from(self.storage.ss_family)
    }

    pub(crate) fn is_unix(&self) -> bool {
        self.family() == libc::AF_UNIX
    }

    pub(super) fn raw(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        (std::ptr::from_ref(&self.storage).cast(), self.len)
    }

    /// The Internet address, if this is one.
    pub(crate) fn to_ip(self) -> Option<SocketAddr> {
        let storage = std::ptr::from_ref(&self.storage);
        match self.family() {
            libc::AF_INET => {
                // SAFETY: the family says that this is the type; the storage has room and alignment
                // for each type.
                let v4 = unsafe { storage.cast::<libc::sockaddr_in>().read() };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddrV4::new(ip, u16::from_be(v4.sin_port)).into())
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let v6 = unsafe { storage.cast::<libc::sockaddr_in6>().read() };
                let (ip, port) = (
                    Ipv6Addr::from(v6.sin6_addr.s6_addr),
                    u16::from_be(v6.sin6_port),
                );
                Some(SocketAddrV6::new(ip, port, v6.sin6_flowinfo, v6.sin6_scope_id).into())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_back() {
        for text in ["127.0.0.1:80", "[::1]:65535", "[fe80::1%3]:7"] {
            let address: SocketAddr = text.parse().expect("an address");
            assert_eq!(Name::ip(address).to_ip(), Some(address), "{text}");
        }
    }

    #[test]
    fn a_path_has_to_fit() {
        assert!(Name::unix(&[b'a'; PATH_ROOM - 1], false).is_ok());
        assert!(Name::unix(&[b'a'; PATH_ROOM], false).is_err());
        assert!(Name::unix(b"", true).is_err());
        assert!(Name::unix(b"a\0b", false).is_err());
        assert_eq!(
            Name::unix(b"ab", true).expect("a name").len as usize,
            PATH_AT + 3
        );
    }
}
