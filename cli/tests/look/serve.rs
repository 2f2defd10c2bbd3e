//! `exporter` and `page`: what they serve, and to whom.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use polyproc::{CreateOptions, Lock, Queue};
use serde_json::Value;

use crate::support::{ok, own_shm, until, POLYPROC};
use crate::{joinable, named};

/// A server that runs until it is dropped.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(command: &str) -> Server {
        let mut process = Command::new(POLYPROC)
            .args([command, "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("polyproc");
        // It prints its address.
        let error = process.stderr.as_mut().expect("piped");
        let mut line = Vec::new();
        while !line.ends_with(b"\n") {
            let mut byte = [0];
            error.read_exact(&mut byte).expect("a line");
            line.push(byte[0]);
        }
        let line = String::from_utf8(line).expect("UTF-8");
        let host = line.strip_prefix("http://").expect("an address");
        let address = host.split('/').next().expect("a host").to_owned();
        Server { process, address }
    }

    /// The head and the body of the answer to a request that names `host`.
    fn get_as(&self, host: &str, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("a server");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str) -> (String, String) {
        self.get_as(&self.address, path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes a queue with a message that waits and another one in flight, and looks at it.
fn with_objects(look: impl FnOnce()) {
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    jobs.put(b"one").unwrap();
    jobs.put(b"two").unwrap();
    let _taken = jobs.take().unwrap();
    let _lock = Lock::create(Some("lock"), CreateOptions::default()).unwrap();
    look();
}

#[test]
fn the_exporter_serves_metrics() {
    if !own_shm() {
        return;
    }
    with_objects(|| {
        let exporter = Server::start("exporter");
        let (head, body) = exporter.get("/metrics");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("openmetrics-text"), "{head}");
        for line in [
            "polyproc_queue_items{name=\"jobs\",kind=\"queue\"} 1",
            "polyproc_queue_in_flight{name=\"jobs\",kind=\"queue\"} 1",
            "polyproc_queue_puts_total{name=\"jobs\",kind=\"queue\"} 2",
            "polyproc_queue_participants{name=\"jobs\",kind=\"queue\"} 1",
            "polyproc_lock_held{name=\"lock\",kind=\"lock\"} 0",
            "# TYPE polyproc_queue_puts counter",
            "# EOF",
        ] {
            let is_line = |one: &str| one == line || one.strip_suffix(".0") == Some(line);
            assert!(body.lines().any(is_line), "{line}\n{body}");
        }
        let age = || -> f64 {
            let name = "polyproc_queue_oldest_lease_seconds{name=\"jobs\",kind=\"queue\"} ";
            let body = exporter.get("/metrics").1;
            let value = body.lines().find_map(|line| line.strip_prefix(name));
            value.expect("an age").parse().expect("a number")
        };
        until("older", || age() > 0.05);
        let refused = exporter.get_as("evil.example", "/metrics").0;
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
        assert!(exporter.get("/other").0.starts_with("HTTP/1.1 404"));
        let once = ok("polyproc exporter --once");
        assert!(once.ends_with("# EOF\n"), "{once}");
    });
}

#[test]
fn the_page_runs_nothing_but_its_own_script() {
    if !own_shm() {
        return;
    }
    with_objects(|| {
        let page = Server::start("page");
        let (head, body) = page.get("/");
        assert!(head.contains("default-src 'none'"), "{head}");
        assert!(!head.contains("unsafe"), "{head}");
        assert!(!body.contains("NONCE"));
        let (_, nonce) = head.split_once("script-src 'nonce-").expect("a nonce");
        let nonce = nonce.split('\'').next().expect("a nonce");
        assert!(body.contains(&format!("<script nonce=\"{nonce}\">")));
        assert!(!page.get("/").0.contains(nonce), "used once");
        let objects: Value = serde_json::from_str(&page.get("/objects.json").1).expect("JSON");
        let objects = objects["objects"].as_array().expect("objects");
        let queue = named(objects, "name", "jobs");
        assert_eq!((&queue["waiting"], &queue["puts"]), (&1.into(), &2.into()));
        let refused = page.get_as("evil.example", "/objects.json").0;
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    });
}

/// The names of metrics in an expression of Prometheus.
fn metrics(expression: &str) -> Vec<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = expression.split(|character| !is_part(character));
    let names = words.filter(|word| word.starts_with("polyproc_"));
    names.map(String::from).collect()
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_that_the_exporter_serves() {
    if !own_shm() {
        return;
    }
    let mut served = String::new();
    with_objects(|| served = ok("polyproc exporter --once"));
    let is_served = |name: &str| {
        let sample = format!("{name}{{name=\"");
        served.lines().any(|line| line.starts_with(&sample))
    };
    let file = |name: &str| {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../examples/patterns/production"
        );
        std::fs::read_to_string(format!("{folder}/{name}")).expect("a file")
    };
    let dashboard: Value = serde_json::from_str(&file("dashboard.json")).expect("JSON");
    let (mut ids, mut seen) = (Vec::new(), Vec::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        ids.push(panel["id"].as_u64().expect("a number"));
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            let names = metrics(expression);
            assert_eq!(names.len(), 1, "{expression}");
            seen.extend(names);
        }
    }
    let panels = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), panels, "each panel has a number of its own");
    let variables = dashboard["templating"]["list"]
        .as_array()
        .expect("variables");
    let queues = variables
        .iter()
        .find(|one| one["name"] == "queue")
        .expect("the queues");
    seen.extend(metrics(queues["query"]["query"].as_str().expect("a query")));
    let alerts = file("alerts.yml");
    let rules = alerts
        .lines()
        .filter(|line| line.trim().starts_with("expr:"));
    let in_rules: Vec<_> = rules.flat_map(metrics).collect();
    assert_eq!(in_rules.len(), 3);
    seen.extend(in_rules);
    for name in &seen {
        assert!(is_served(name), "{name} is not served:\n{served}");
    }
    // Each metric that is served has its place on the dashboard.
    let all = served.lines().filter(|line| !line.starts_with('#'));
    for name in all.filter_map(|line| line.split('{').next()) {
        assert!(seen.iter().any(|one| one == name), "{name} is in no panel");
    }
}
