//! Addresses: `tcp://127.0.0.1:5000`, `tcp://[::1]:5000`, `unix:/path`, `unix:@name`.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::status::detail::because;
use crate::status::Result;
use crate::sys::socket::Name;

/// The address of a listener.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    /// A path in the file system.
    Path(String),
    /// A name in the abstract namespace.
    Abstract(String),
}

impl Address {
    /// # Errors
    /// `E_INVALID`. Host names are not resolved, except `localhost`: a lookup can block without
    /// limit.
    pub(crate) fn parse(text: &str) -> Result<Address> {
        if let Some(address) = text.strip_prefix("tcp://") {
            let local = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let parsed = match address.strip_prefix("localhost:") {
                Some(port) => port.parse().ok().map(local),
                None => address.parse().ok(),
            };
            return parsed.map(Address::Tcp).ok_or_else(|| {
                because!(
                    E_INVALID,
                    "address is \"{}\": tcp:// is followed by an IP address or localhost, and a port",
                    text.escape_default()
                )
            });
        }
        match text.strip_prefix("unix:") {
            Some(path) => match path.strip_prefix('@') {
                Some(name) => Ok(Address::Abstract(name.to_owned())),
                None => Ok(Address::Path(path.to_owned())),
            },
            None => Err(because!(
                E_INVALID,
                "address is \"{}\": it begins with tcp:// or unix:",
                text.escape_default()
            )),
        }
    }

    pub(crate) fn name(&self) -> Result<Name> {
        match self {
            Address::Tcp(address) => Ok(Name::ip(*address)),
            Address::Path(path) => Name::unix(path.as_bytes(), false),
            Address::Abstract(name) => Name::unix(name.as_bytes(), true),
        }
    }

    /// Whether only processes of this machine can connect here.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Address::Path(_) | Address::Abstract(_) => true,
        }
    }

    /// The socket file at this address, for a path.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Address::Path(path) => Some(Path::new(path)),
            Address::Tcp(_) | Address::Abstract(_) => None,
        }
    }

    /// This address with the port that the kernel chose.
    pub(crate) fn as_bound(&self, name: Name) -> Address {
        match (self, name.to_ip()) {
            (Address::Tcp(_), Some(bound)) => Address::Tcp(bound),
            _ => self.clone(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => write!(f, "tcp://{address}"),
            Address::Path(path) => write!(f, "unix:{path}"),
            Address::Abstract(name) => write!(f, "unix:@{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    #[test]
    fn each_form_comes_back() {
        for text in [
            "tcp://127.0.0.1:0",
            "tcp://[::1]:65535",
            "unix:/tmp/a b",
            "unix:@名",
            "unix:rel",
        ] {
            let address = Address::parse(text).expect("an address");
            assert_eq!(address.to_string(), text);
            assert!(address.is_local() && address.name().is_ok());
        }
        let local = Address::parse("tcp://localhost:7").expect("an address");
        assert_eq!(local.to_string(), "tcp://127.0.0.1:7");
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "127.0.0.1:1",
            "tcp://",
            "tcp://a.example:1",
            "tcp://127.0.0.1",
            "tcp://::1:5",
            "tcp://127.0.0.1:65536",
            "udp://127.0.0.1:1",
        ] {
            assert_eq!(Address::parse(text), Err(Status::E_INVALID), "{text}");
        }
        for text in ["unix:", "unix:@"] {
            assert!(
                Address::parse(text).expect("a form").name().is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn who_can_come() {
        for (text, local) in [
            ("tcp://127.8.9.1:1", true),
            ("tcp://[::ffff:127.0.0.1]:1", true),
            ("tcp://0.0.0.0:1", false),
            ("tcp://[::]:1", false),
            ("tcp://192.168.0.1:1", false),
        ] {
            assert_eq!(
                Address::parse(text).map(|address| address.is_local()),
                Ok(local),
                "{text}"
            );
        }
    }
}
