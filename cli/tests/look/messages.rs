//! `peek` and `tail`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use polyproc::{CreateOptions, Lock, Queue};

use crate::support::{code, ok, own_shm, until, POLYPROC};
use crate::{joinable, json};

#[test]
fn peek_shows_messages_and_takes_none() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    assert_eq!(code("polyproc peek jobs").0, 3);
    for text in ["bad", "held", "a\x1b[2Jb", "four"] {
        jobs.put(text.as_bytes()).unwrap();
    }
    jobs.take().unwrap().give_back().unwrap();
    let _held = jobs.take().unwrap();
    let text = ok("polyproc peek jobs -n 1");
    assert!(
        text.contains("a\\u{1b}[2Jb") && text.lines().count() == 1,
        "{text}"
    );
    let dead = &json("polyproc peek jobs --from dead --json")[0];
    assert_eq!(
        (&dead["text"], &dead["deliveries"]),
        (&"bad".into(), &1.into())
    );
    let held = &json("polyproc peek jobs --from inflight --as hex --json")[0];
    assert_eq!(held["hex"], "68656c64");
    assert_eq!(held["pid"], std::process::id());
    deliveries_count_the_one_that_lasts();
    let no_json = &json("polyproc peek jobs --as json --json")[1];
    assert_eq!(no_json["value"]["hex"], "666f7572");
    let cut = ok("polyproc peek jobs --most 2 -n 1");
    assert!(cut.ends_with("a\\u{1b}… 4 bytes more\n"), "{cut}");
    assert_eq!(jobs.len().unwrap(), 2);
    Lock::create(Some("lock"), CreateOptions::default()).unwrap();
    assert_eq!(code("polyproc peek nothing").0, 4);
    assert_eq!(code("polyproc peek lock").0, 1);
}

/// As `deliveries` of a message that was taken: 1 the first time. A message that waits has none yet.
fn deliveries_count_the_one_that_lasts() {
    let field = |command: &str| json(command)[0]["deliveries"].clone();
    let lease = || json("polyproc stat jobs --json")[0]["oldest_lease"]["deliveries"].clone();
    assert_eq!(field("polyproc peek jobs --json"), 0);
    assert_eq!(field("polyproc peek jobs --from inflight --json"), 1);
    assert_eq!(lease(), 1);
    let text = ok("polyproc peek jobs --from inflight");
    assert!(!text.contains("came back"), "{text}");
}

#[test]
fn tail_shows_what_is_put_and_takes_none() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    jobs.put(b"one").unwrap();
    jobs.put(b"two").unwrap();
    let all = ok("polyproc tail jobs --all --timeout 100ms");
    assert_eq!(all.lines().count(), 2, "{all}");
    assert_eq!(code("polyproc tail jobs --timeout 100ms").0, 3);
    assert_eq!(code("polyproc tail nothing").0, 4);
    assert_eq!(jobs.len().unwrap(), 2);

    let mut tail = Command::new(POLYPROC)
        .args(["tail", "jobs"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It may begin a little later: until it has shown one, there is another message.
    let mut out = BufReader::new(tail.stdout.take().unwrap());
    let (sender, first) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        sender.send(()).unwrap();
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        line
    });
    until("a line", || {
        jobs.put(b"another").unwrap();
        first.recv_timeout(Duration::from_millis(20)).is_ok()
    });
    jobs.shutdown(false).unwrap();
    assert!(tail.wait().unwrap().success(), "it ends with the queue");
    assert!(reader.join().unwrap().contains("another"));
}
