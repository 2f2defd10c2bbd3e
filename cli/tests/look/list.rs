//! `ls` and `stat`.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use polyproc::{CreateOptions, Event, Lock, Queue};
use serde_json::Value;

use crate::support::{code, ok, own_shm, POLYPROC};
use crate::{joinable, json, named};

#[test]
fn ls_and_stat_show_what_is_there() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    for text in ["one", "two", "three"] {
        jobs.put(text.as_bytes()).unwrap();
    }
    let _taken = jobs.take().unwrap();
    let lock = Lock::create(Some("lock"), CreateOptions::default()).unwrap();
    let _guard = lock.lock().unwrap();
    Event::create(Some("event"), CreateOptions::default()).unwrap();

    let text = ok("polyproc ls");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0][..3], ["NAME", "KIND", "WAITING"]);
    assert_eq!(rows[1][..3], ["event", "event", "0"]);
    assert_eq!(rows[2][..6], ["jobs", "joinable", "queue", "2", "1", "0"]);
    let pid = std::process::id().to_string();
    assert!(text.contains(&format!("held by {pid}")), "{text}");

    let objects = json("polyproc ls --json");
    let queue = named(&objects, "name", "jobs");
    assert_eq!(
        (&queue["waiting"], &queue["in_flight"]),
        (&2.into(), &1.into())
    );
    assert_eq!(named(&objects, "name", "lock")["held"], true);
    assert_eq!(named(&objects, "name", "event")["set"], false);
    assert_eq!(ok("polyproc ls -o name").lines().count(), 4);
    // It lists until nobody reads it.
    let watch = |options: &str, filter: &str| {
        format!("{{ polyproc ls --watch 0.05 {options} || [ $? = 141 ]; }} | {filter}")
    };
    let seen = ok(&watch("-o name,get/s", "grep -m 3 jobs"));
    assert_eq!(seen.lines().count(), 3, "{seen}");
    let again = json(&watch("--json", "grep -m 2 jobs | tail -n 1"));
    assert_eq!(again[0]["gets_per_second"], 0.0);
    let rates = json("polyproc ls -o name,put/s --json");
    assert_eq!(named(&rates, "name", "jobs")["puts_per_second"], 0.0);

    let text = ok("polyproc stat jobs lock");
    assert!(text.contains("1 message "), "{text}");
    assert!(text.contains("PID  AGE  PUT  GOT  HOLDS"), "{text}");
    assert!(text.contains("the lock"), "{text}");
    let stat = &json("polyproc stat jobs --json")[0];
    let participant = &stat["participants"][0];
    assert_eq!(participant["pid"].to_string(), pid);
    let holds = |field: &str| participant["holds"][field].as_u64();
    assert_eq!(holds("messages"), Some(1));
    for field in ["lock", "permits", "reservations", "dead_letters"] {
        assert_eq!(holds(field), Some(0), "{field}");
    }
    assert_eq!(
        (&participant["puts"], &participant["gets"]),
        (&3.into(), &1.into())
    );
    let command = participant["command"].as_str().expect("a command");
    assert!(command.contains("look"), "{command}");
    assert_eq!(stat["oldest_lease"]["pid"].to_string(), pid);
    let age = stat["oldest_lease"]["at_most_seconds"].as_f64();
    assert!(
        age.is_some_and(|age| (0.0..600.0).contains(&age)),
        "{age:?}"
    );
    let lock = &json("polyproc stat lock --json")[0];
    assert!(lock["participants"][0]["puts"].is_null(), "{lock}");
    assert_eq!(code("polyproc stat nothing").0, 4);
    assert_eq!(code("polyproc stat a/b").0, 2);
}

#[test]
fn a_thousand_objects_are_listed_in_a_moment() {
    if !own_shm() {
        return;
    }
    let events = (0..700).map(|number| {
        let name = format!("event-{number}");
        Event::create(Some(&name), CreateOptions::default()).map(drop)
    });
    events.for_each(|made| made.unwrap());
    let queues = (0..300).map(|number| {
        let queue = Queue::create(Some(&format!("queue-{number}")), &joinable())?;
        queue.put(b"message")
    });
    queues.for_each(|made| made.unwrap());
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begin = Instant::now();
        assert_eq!(ok("polyproc ls --json").lines().count(), 1000);
        best = best.min(begin.elapsed());
    }
    println!("ls of 1,000 objects: {best:?}, the shell included");
    assert!(best < Duration::from_secs(5), "{best:?}");
}

#[test]
fn objects_of_another_user_are_listed_as_such() {
    if !own_shm() {
        return;
    }
    let _lock = Lock::create(Some("lock"), CreateOptions::default()).unwrap();
    // A copy that any user can run: the directories above the target may be closed to others.
    let copy = std::env::temp_dir().join(format!("polyproc-look-{}", std::process::id()));
    std::fs::copy(POLYPROC, &copy).unwrap();
    ok("chmod 1777 /dev/shm");
    let run = |arguments: &[&str]| {
        let output = Command::new(&copy)
            .args(arguments)
            .uid(65534)
            .gid(65534)
            .output();
        output.expect("the copy")
    };
    let listed = String::from_utf8(run(&["ls", "--json"]).stdout).unwrap();
    let stat = run(&["stat", "lock"]);
    let doctor = String::from_utf8(run(&["doctor"]).stdout).unwrap();
    std::fs::remove_file(&copy).unwrap();
    let object: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(
        (&object["verdict"], &object["user"]),
        (&"unreadable".into(), &0.into())
    );
    assert_eq!(stat.status.code(), Some(1));
    assert!(doctor.contains("lock of root"), "{doctor}");
}
