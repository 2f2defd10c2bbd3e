//! `top`, in a terminal that script(1) makes.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use polyproc::{CreateOptions, Lock, Queue};

use crate::joinable;
use crate::support::{code, own_shm, POLYPROC};

#[test]
fn top_lists_sorts_filters_and_looks_into_an_object() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    jobs.put(b"unmistakable").unwrap();
    drop(Lock::create(Some("another"), CreateOptions::default()).unwrap());
    assert_eq!(code("polyproc top").0, 2);
    let mut terminal = Command::new("timeout")
        .args(["120", "script", "-qec"])
        .arg(format!("stty rows 40 cols 150; exec {POLYPROC} top -d 0.1"))
        .arg("/dev/null")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("timeout, script");
    let mut keys = terminal.stdin.take().expect("piped");
    let mut output = terminal.stdout.take().expect("piped");
    let mut screen = String::new();
    // The screen is drawn by its differences: no character of a part was at its place before.
    let mut shows = |part: &str| {
        let mut bytes = [0; 4096];
        while !screen.contains(part) {
            let count = output.read(&mut bytes).expect("readable");
            assert!(count > 0, "no {part}: {screen}");
            screen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        screen.clear();
    };
    shows("another");
    for (key, part) in [
        ("/job", "filter:"),
        ("\r", "none)"),
        ("\r", "redelivered,"),
        ("p", "unmistakable"),
        ("\x1b", "none)"),
    ] {
        keys.write_all(key.as_bytes()).expect("a key");
        shows(part);
    }
    keys.write_all(b"q").expect("a key");
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    assert!(terminal.wait().expect("its end").success());
}
