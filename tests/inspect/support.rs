//! What the tests of this program share.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use polyproc::inspect::{self, Object, QueueState, State, Verdict};
use polyproc::{unlink, CreateOptions, QueueOptions};

/// A name for one test, removed at its end.
pub struct Name(pub String);

impl Name {
    pub fn new() -> Name {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Name(format!("inspect-{}-{number}", std::process::id()))
    }

    pub fn file(&self) -> String {
        format!("/dev/shm/polyproc.{}", self.0)
    }

    pub fn look(&self) -> Object {
        inspect::object(&self.0).expect("an object")
    }

    pub fn queue(&self) -> QueueState {
        let object = self.look();
        assert_eq!(object.verdict, Verdict::Sound);
        let Some(State::Queue(queue)) = object.state else {
            panic!("no queue: {object:?}")
        };
        queue
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let _ = unlink(&self.0);
    }
}

pub const JOINABLE: QueueOptions = QueueOptions {
    create: CreateOptions {
        mode: 0,
        open_or_create: false,
    },
    joinable: true,
    max_items: 0,
    max_bytes: 0,
    max_deliveries: 0,
    spin_ns: 0,
    format: [0; 32],
};

pub fn options(change: impl FnOnce(&mut QueueOptions)) -> QueueOptions {
    let mut options = QueueOptions::default();
    change(&mut options);
    options
}

/// This test program once more, as another process that does `role` with the object of a name.
pub fn child(role: &str, name: &Name) -> Child {
    let this = std::env::current_exe().expect("this program");
    Command::new(this)
        .args(["--exact", "child_process", "--nocapture"])
        .env("INSPECT_ROLE", role)
        .env("INSPECT_NAME", &name.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a child")
}

pub fn eventually(mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "not within a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
}
