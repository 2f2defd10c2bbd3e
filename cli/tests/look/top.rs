//! `top`, in a terminal that script(1) makes.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use polyproc::{CreateOptions, Lock, Queue};

use crate::joinable;
use crate::support::{code, own_shm, POLYPROC};

/// `top` in a terminal of 40 lines.
struct Screen {
    terminal: Child,
    keys: ChildStdin,
    output: ChildStdout,
    /// The output since the end of the last wait.
    drawn: String,
}

impl Screen {
    fn new() -> Screen {
        let mut terminal = Command::new("timeout")
            .args(["120", "script", "-qec"])
            .arg(format!("stty rows 40 cols 150; exec {POLYPROC} top -d 0.1"))
            .arg("/dev/null")
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("timeout, script");
        Screen {
            keys: terminal.stdin.take().expect("piped"),
            output: terminal.stdout.take().expect("piped"),
            terminal,
            drawn: String::new(),
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a key");
    }

    /// Wait until a part is drawn, and return what was drawn up to it. The screen is drawn by its
    /// differences: no character of a part was at its place before.
    fn shows(&mut self, part: &str) -> String {
        let mut bytes = [0; 4096];
        while !self.drawn.contains(part) {
            let count = self.output.read(&mut bytes).expect("readable");
            assert!(count > 0, "no {part}: {}", self.drawn);
            self.drawn
                .push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
        std::mem::take(&mut self.drawn)
    }

    fn quit(mut self) {
        self.press("q");
        std::thread::spawn(move || std::io::copy(&mut self.output, &mut std::io::sink()));
        assert!(self.terminal.wait().expect("its end").success());
    }
}

/// The characters that a terminal shows: without the commands `ESC [ … letter`.
fn characters(drawn: &str) -> String {
    let mut parts = drawn.split("\x1b[");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|end: char| end.is_ascii_alphabetic());
        shown.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    shown
}

#[test]
fn top_lists_sorts_filters_and_looks_into_an_object() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    jobs.put(b"unmistakable").unwrap();
    drop(Lock::create(Some("another"), CreateOptions::default()).unwrap());
    assert_eq!(code("polyproc top").0, 2);
    let mut screen = Screen::new();
    screen.shows("another");
    for (key, part) in [
        ("/job", "filter:"),
        ("\r", "none)"),
        ("\r", "redelivered,"),
        ("p", "unmistakable"),
        ("\x1b", "none)"),
    ] {
        screen.press(key);
        screen.shows(part);
    }
    screen.quit();
}

/// The head of the table was `[1m  PID [0m[1m AGE [0m`: the screen left the escapes out of bold
/// titles, and drew the rest.
#[test]
fn the_whole_object_in_top_has_no_rests_of_escape_sequences() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    jobs.put(b"one").unwrap();
    let mut screen = Screen::new();
    screen.shows("filter");
    screen.press("\r");
    let shown = characters(&screen.shows("COMMAND"));
    assert!(shown.contains("PID"), "{shown:?}");
    assert!(!shown.contains(['[', '\x1b']), "{shown:?}");
    screen.quit();
}

/// The screen called every queue a queue, and `ls` this one a joinable queue.
#[test]
fn top_calls_a_joinable_queue_as_ls_does() {
    if !own_shm() {
        return;
    }
    drop(Queue::create(Some("jobs"), &joinable()).unwrap());
    let mut screen = Screen::new();
    // The last line, below the list. A terminal does not draw spaces where nothing was.
    let shown = characters(&screen.shows("filter"));
    assert!(shown.contains("joinable"), "{shown:?}");
    screen.quit();
}
