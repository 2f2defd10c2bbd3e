//! Calls on a damaged, foreign or full /dev/shm: each returns a status, there is no SIGBUS, and
//! nothing changes.

mod environment;
mod files;
mod full;
mod missing;
mod nonsense;
mod users;

/// Says which role this test binary plays if a test has started it.
const ROLE: &str = "POLYPROC_TEST_ROLE";

/// Does nothing unless a test asks for a role.
#[test]
fn play() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    match role.as_str() {
        "full" => full::in_four_mebibytes(),
        "missing" => missing::without_dev_shm(),
        "full_sizes" => full::of_all_sizes(),
        "full_large" => full::large_ones(),
        "full_small" => full::small_ones(),
        "full_others" => full::beside_others(),
        "full_dead" => full::dead_letters(),
        "stranger" => users::stranger(),
        "umasks" => files::under_umasks(),
        "believes" => environment::believes(),
        "believes_nothing" => environment::believes_nothing(),
        other => panic!("no role {other}"),
    }
}

/// Returns a command that runs this binary in a role.
fn role(name: &str) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["play", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, name);
    command
}

fn assert_plays(mut command: std::process::Command) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {text}", output.status);
}

/// Returns whether a test that needs root can run; prints its name if it cannot.
fn is_root(test: &str) -> bool {
    // SAFETY: no preconditions.
    let is_root = unsafe { libc::geteuid() } == 0;
    if !is_root {
        println!("skipped {test}: needs root, for mount namespaces and a second user");
    }
    is_root
}

/// A name for one test, which is unlinked at its end.
struct Name(String);

impl Name {
    fn new(text: &str) -> Name {
        Name(format!("test.{text}.{}", std::process::id()))
    }

    fn path(&self) -> String {
        format!("/dev/shm/polyproc.{}", self.0)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.path());
    }
}
