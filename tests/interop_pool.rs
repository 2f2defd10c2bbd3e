//! A pool in each language with workers in each: results, failures with their message, unknown
//! functions.
//!
//! The programs are built before (`make test` does that); `interop/c/pool.c` describes them. A
//! missing program is a failure, so that no pair is left out unnoticed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Generous: a pair takes about a second on an idle machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// Returns each language's program for `main WORKER...` and `worker`: its name and its command.
fn languages() -> [(&'static str, Vec<PathBuf>); 5] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [
        ("c", vec![root.join("build/interop/c-pool")]),
        ("cpp", vec![root.join("build/interop/cpp-pool")]),
        ("go", vec![root.join("build/interop/go-pool")]),
        (
            "node",
            vec![
                PathBuf::from("node"),
                root.join("tests/interop/node/pool.js"),
            ],
        ),
        (
            "python",
            vec![
                root.join("build/python/venv/bin/python"),
                root.join("tests/interop/python/pool.py"),
            ],
        ),
    ]
}

/// Returns what a pool of these workers prints, once it has exited with 0.
fn run(main: &[PathBuf], worker: &[PathBuf], pair: &str) -> String {
    for program in main.iter().chain(worker).filter(|path| path.is_absolute()) {
        let path = program.display();
        assert!(
            program.exists(),
            "{path} is missing: `make interop` builds it"
        );
    }
    let mut child = Command::new(&main[0])
        .args(&main[1..])
        .arg("main")
        .args(worker)
        .arg("worker")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{pair}: cannot start: {error}"));
    let end = Instant::now() + DEADLINE;
    while child.try_wait().expect("wait").is_none() {
        if Instant::now() > end {
            // The workers end with it.
            child.kill().expect("kill");
            panic!("{pair}: not done within {DEADLINE:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "{pair}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn a_pool_in_each_language_has_workers_in_each() {
    for (main, main_command) in &languages() {
        for (worker, worker_command) in &languages() {
            let pair = format!("a pool in {main}, workers in {worker}");
            let started = Instant::now();
            assert_eq!(run(main_command, worker_command, &pair), "ok\n", "{pair}");
            println!("{pair}: {:.1?}", started.elapsed());
        }
    }
}
