//! A small server for what `exporter` and `page` show: read-only, a few paths.

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use tiny_http::{Header, Method, Request, Response, Server};

use crate::failure::{Failure, Outcome, ERROR};
use crate::span;

/// Where to listen, and for how long.
#[derive(Args)]
pub struct Listen {
    /// Stop after this time: 5s, 1h; without it at Ctrl-C
    #[arg(long = "for", value_name = "TIME", value_parser = span::duration)]
    limit: Option<Duration>,
}

/// The answer to a request.
pub struct Reply {
    pub body: String,
    /// `Content-Type`, and other headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Listen {
    /// Serve the paths for which `answer` has a reply. `path` is said to the user.
    pub fn serve(
        &self,
        address: SocketAddr,
        path: &str,
        mut answer: impl FnMut(&str) -> Option<Reply>,
    ) -> Outcome {
        let failed = |error| Failure::new(ERROR, format_args!("{address}: {error}"));
        let server = Server::http(address).map_err(failed)?;
        let address = server.server_addr().to_ip().unwrap_or(address);
        eprintln!("http://{address}{path}");
        let end = self.limit.map(|limit| Instant::now() + limit);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(ExitCode::SUCCESS);
            }
            let wait = left.unwrap_or(Duration::from_secs(3600));
            if let Some(request) = server.recv_timeout(wait)? {
                reply(request, address.ip(), &mut answer);
            }
        }
    }
}

fn reply(request: Request, own: IpAddr, answer: &mut impl FnMut(&str) -> Option<Reply>) {
    let path = request.url().split('?').next().unwrap_or_default();
    let found = match request.method() {
        _ if !is_for_us(&request, own) => Err(403),
        Method::Get | Method::Head => answer(path).ok_or(404),
        _ => Err(405),
    };
    // A client that has gone away is no failure of this program.
    let _ = match found {
        Ok(reply) => {
            let mut response = Response::from_string(reply.body);
            for (name, value) in &reply.headers {
                if let Ok(header) = Header::from_bytes(name.as_bytes(), value.as_bytes()) {
                    response.add_header(header);
                }
            }
            request.respond(response)
        }
        Err(code) => request.respond(Response::empty(code)),
    };
}

/// On a loopback address only requests for this machine by name are answered: a page of another
/// site could have its name point here.
fn is_for_us(request: &Request, own: IpAddr) -> bool {
    if !own.is_loopback() {
        return true;
    }
    let mut headers = request.headers().iter();
    let host = headers.find(|header| header.field.equiv("Host"));
    let host = host.map_or("", |header| header.value.as_str());
    is_loopback(host)
}

/// Whether a `Host` names this machine itself, with a port or without.
fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    name.eq_ignore_ascii_case("localhost") || is_address
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn a_host_is_this_machine_or_not() {
        for own in [
            "localhost",
            "LocalHost:9478",
            "127.0.0.1:9478",
            "127.0.0.1",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "",
            "evil.example",
            "evil.example:80",
            "10.0.0.1:80",
            "localhost.evil.example",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
