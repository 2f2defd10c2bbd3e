//! A listener in each language with a client in each, over TCP and over a Unix socket, with a key.
//! Python's are those of `polyproc.connection`, which are Python's own.
//!
//! The programs are built before (`make test` does that); `interop/c/listener.c` describes them. A
//! missing program is a failure, so that no pair is left out unnoticed.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Generous: a pair takes less than a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// Returns each language's program: its name and its command.
fn languages() -> [(&'static str, Vec<PathBuf>); 4] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let below = |path| root.join(path);
    [
        ("c", vec![below("build/interop/c-listener")]),
        ("go", vec![below("build/interop/go-listener")]),
        (
            "node",
            vec!["node".into(), below("tests/interop/node/listener.js")],
        ),
        (
            "python",
            vec![
                below("build/python/venv/bin/python"),
                below("tests/interop/python/listener.py"),
            ],
        ),
    ]
}

/// A program that does not outlive the test.
struct Side {
    child: Child,
    output: BufReader<ChildStdout>,
    what: String,
}

impl Side {
    fn start(command: &[PathBuf], role: &str, address: &str, what: String) -> Side {
        for program in command.iter().filter(|path| path.is_absolute()) {
            let path = program.display();
            assert!(
                program.exists(),
                "{path} is missing: `make interop` builds it"
            );
        }
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .args([role, address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{what}: cannot start: {error}"));
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Side {
            child,
            output,
            what,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        assert!(line.ends_with('\n'), "{} has printed nothing", self.what);
        line.truncate(line.len() - 1);
        line
    }

    /// Returns what it prints from here on, once it has exited with 0.
    fn rest(mut self) -> String {
        let end = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                break status;
            }
            assert!(
                Instant::now() < end,
                "{}: not done within {DEADLINE:?}",
                self.what
            );
            thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{}: {status}", self.what);
        let mut text = String::new();
        self.output.read_to_string(&mut text).expect("its output");
        text
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // Both fail if it has already ended, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_listener_in_each_language_has_a_client_in_each() {
    let folder = std::env::temp_dir().join(format!("polyproc-interop-{}", std::process::id()));
    std::fs::create_dir(&folder).expect("a folder");
    let mut count = 0;
    for (listens, listener) in &languages() {
        for (connects, client) in &languages() {
            let socket = folder.join(format!("{listens}-{connects}"));
            for place in [
                "tcp://127.0.0.1:0".to_owned(),
                format!("unix:{}", socket.display()),
            ] {
                let what = format!("{connects} with a listener in {listens} at {place}");
                let mut listener = Side::start(listener, "listen", &place, what.clone());
                let address = listener.line();
                let client = Side::start(client, "connect", &address, what.clone());
                assert_eq!(client.rest(), "ok\n", "{what}");
                assert_eq!(listener.rest(), "", "{what}");
                count += 1;
            }
        }
    }
    println!("{count} pairs");
    std::fs::remove_dir_all(&folder).expect("remove the folder");
}
