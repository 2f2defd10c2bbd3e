//! `polyproc page`

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use polyproc::inspect::{self, State};
use serde_json::{json, Value};

use crate::failure::Outcome;
use crate::http::{Listen, Reply};
use crate::leases::Leases;
use crate::view::json;

const PAGE: &str = include_str!("page.html");

/// Serve a page to look at: queues with charts, and who holds which lock.
///
/// The page changes nothing and needs nothing from elsewhere. What it shows is also at
/// /objects.json.
#[derive(Args)]
#[command(after_help = "\
Example:
  polyproc page --for 1s")]
pub struct Page {
    /// The address. Whoever can reach it sees the names and commands of all objects and processes
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9478")]
    listen: SocketAddr,
    #[command(flatten)]
    server: Listen,
}

impl Page {
    pub fn run(self) -> Outcome {
        let mut leases = Leases::default();
        self.server.serve(self.listen, "/", |path| match path {
            "/" => page().ok(),
            "/objects.json" => objects(&mut leases).ok(),
            _ => None,
        })
    }
}

/// The page. Its script and its style have a number that is used once, and nothing else runs.
fn page() -> io::Result<Reply> {
    let nonce = nonce()?;
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    Ok(Reply {
        body: PAGE.replace("NONCE", &nonce),
        headers: vec![
            ("Content-Type", "text/html; charset=utf-8".to_owned()),
            ("Content-Security-Policy", policy),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
            ("Cache-Control", "no-store".to_owned()),
        ],
    })
}

fn nonce() -> io::Result<String> {
    use io::Read;
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn objects(leases: &mut Leases) -> polyproc::Result<Reply> {
    let objects = inspect::objects()?;
    let ages = leases.ages(&objects);
    let objects = objects.iter().map(|object| {
        let mut fields = json::object(object);
        let participants = object.participants.iter().map(json::participant);
        fields.insert("participants".to_owned(), participants.collect());
        if let Some(State::Queue(_)) = object.state {
            let age = ages.get(&object.name).map(Duration::as_secs_f64);
            fields.insert("oldest_lease_seconds".to_owned(), json!(age));
        }
        Value::Object(fields)
    });
    let body = json!({ "objects": objects.collect::<Vec<_>>() }).to_string();
    Ok(Reply {
        body,
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("Cache-Control", "no-store".to_owned()),
        ],
    })
}
