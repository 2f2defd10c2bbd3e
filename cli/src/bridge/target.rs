//! `nats://HOST/STREAM`, and the names that follow from it.

use std::str::FromStr;

use async_nats::ServerAddr;

/// A stream, and the servers that have it.
#[derive(Clone, Debug)]
pub struct Target {
    pub servers: Vec<ServerAddr>,
    pub stream: String,
}

/// All bridges into queues share this consumer of the stream.
pub const CONSUMER: &str = "polyproc";

impl Target {
    /// The subject of the stream: that of its name.
    pub fn subject(&self) -> String {
        self.stream.clone()
    }

    /// The stream of the dead letters.
    pub fn dead_stream(&self) -> String {
        format!("{}_DEAD", self.stream)
    }

    /// The subject of the dead letters.
    pub fn dead_subject(&self) -> String {
        format!("{}.dead", self.stream)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let form = || String::from("a stream is nats://HOST/STREAM");
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        let (hosts, stream) = rest.rsplit_once('/').ok_or_else(form)?;
        if hosts.split(',').any(str::is_empty) {
            return Err(form());
        }
        if !["nats", "tls"].contains(&scheme) {
            return Err("a stream is at nats:// or tls://".into());
        }
        // Everybody can read the arguments of a process.
        if hosts.contains('@') {
            return Err(
                "credentials are in a file or in the environment: see polyproc bridge --help"
                    .into(),
            );
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if stream.is_empty() || !stream.bytes().all(is_part) {
            return Err("the name of a stream is letters, digits, - and _".into());
        }
        let servers = hosts.split(',').map(|host| {
            let server = format!("{scheme}://{host}").parse::<ServerAddr>();
            server.map_err(|error| format!("{host}: {error}"))
        });
        Ok(Target {
            servers: servers.collect::<Result<_, _>>()?,
            stream: stream.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_servers_and_a_name() {
        let target: Target = "nats://a,b:4300/JOBS".parse().expect("a stream");
        let ports = target.servers.iter().map(|server| server.port());
        assert_eq!(ports.collect::<Vec<_>>(), [4222, 4300]);
        assert_eq!(
            (target.stream.as_str(), target.dead_subject()),
            ("JOBS", "JOBS.dead".into())
        );
    }

    #[test]
    fn what_is_no_stream_is_refused() {
        let wrong = [
            "JOBS",
            "nats://a",
            "nats://a/",
            "nats://a/A.B",
            "http://a/A",
            "nats:///A",
        ];
        for text in wrong {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
        let secret = "nats://me:secret@a/A"
            .parse::<Target>()
            .expect_err("a password");
        assert!(secret.contains("in a file"), "{secret}");
    }
}
