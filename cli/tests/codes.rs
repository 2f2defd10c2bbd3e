//! The exit codes, as docs/book/command.md lists them.

mod support;

use std::process::{Command, Stdio};

use support::{code, ok, own_shm, shell, POLYPROC};

fn exits(line: &str) -> i32 {
    code(&format!("polyproc {line}")).0
}

/// The commands that need an object of their name.
const EACH: [&str; 10] = [
    "stat NAME",
    "peek NAME",
    "tail NAME --timeout 0",
    "put NAME text",
    "get NAME --timeout 0",
    "take NAME -- true",
    "dead NAME",
    "dead NAME retry",
    "join NAME --timeout 0",
    "shutdown NAME",
];

#[test]
fn a_name_that_no_object_has_is_4_and_one_that_none_can_have_is_2() {
    if !own_shm() {
        return;
    }
    for command in EACH {
        assert_eq!(exits(&command.replace("NAME", "missing")), 4, "{command}");
        assert_eq!(exits(&command.replace("NAME", "a/b")), 2, "{command}");
        let name = command.split(' ').next().expect("a command");
        assert_eq!(exits(&format!("{name} --no-such-option")), 2, "{command}");
    }
    for command in EACH
        .iter()
        .chain(&["rm NAME", "event set NAME", "sem NAME -- true"])
    {
        let command = command.replace("NAME", "missing");
        let output = shell(&format!("polyproc {command}"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // The operation, and the name in quotes, as in every language.
        assert!(
            text.contains(" \"missing\": not found"),
            "{command}: {text}"
        );
    }
    assert_eq!(exits("event wait missing --timeout 0"), 4);
    assert_eq!(exits("sem missing -- true"), 4);
    assert_eq!(exits("rm missing"), 4);
    assert_eq!(exits("no-such-command"), 2);
}

#[test]
fn nothing_there_or_too_late_is_3() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs one --create --joinable --max-items 1");
    assert_eq!(exits("put jobs two --timeout 0"), 3);
    assert_eq!(exits("join jobs --timeout 10ms"), 3);
    assert_eq!(exits("dead jobs retry"), 3);
    assert_eq!(exits("tail jobs --timeout 1ms"), 3);
    ok("polyproc get jobs");
    assert_eq!(exits("get jobs --timeout 0"), 3);
    assert_eq!(exits("get jobs --all"), 3);
    assert_eq!(exits("take jobs -- true"), 3);
    assert_eq!(exits("peek jobs"), 3);
    ok("polyproc event clear ready --create");
    assert_eq!(exits("event wait ready --timeout 10ms"), 3);
    assert_eq!(exits("lock l -- polyproc lock l -n -- true"), 3);
}

#[test]
fn a_damaged_object_is_5_and_says_so() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs one --create --joinable");
    // The size of its own words.
    ok("printf '\\377' | dd of=/dev/shm/polyproc.jobs bs=1 seek=23 conv=notrunc status=none");
    for command in EACH {
        assert_eq!(exits(&command.replace("NAME", "jobs")), 5, "{command}");
    }
    assert_eq!(exits("ls"), 0);
    assert_eq!(exits("doctor"), 1);
    assert_eq!(exits("rm jobs"), 0);
}

/// Commands that print something.
const PRINTING: [&str; 16] = [
    "ls",
    "ls -o name,state",
    "ls --json",
    "stat jobs",
    "stat jobs --json",
    "doctor",
    "doctor --json",
    "peek jobs",
    "tail jobs --all --timeout 0",
    "prune --older 0 --dry-run",
    "exporter --once",
    "completions bash",
    "man",
    "--help",
    "ls --help",
    "--version",
];

#[test]
fn an_output_that_cannot_be_written_is_1_and_says_so() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs one --create --joinable");
    for command in PRINTING {
        for output in [">&-", "> /dev/full"] {
            let line = format!("polyproc {command} {output}");
            let done = shell(&line);
            let errors = String::from_utf8_lossy(&done.stderr);
            assert_eq!(done.status.code(), Some(1), "{line}: {errors}");
            assert!(errors.contains("standard output"), "{line}: {errors}");
        }
    }
    // A command that prints nothing needs no output.
    assert_eq!(exits("shutdown jobs >&-"), 0);
    assert_eq!(exits("rm jobs >&-"), 0);
}

#[test]
fn an_output_that_nobody_reads_is_as_after_sigpipe_and_silent() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs one --create --joinable");
    for command in PRINTING {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut polyproc = Command::new(POLYPROC);
        polyproc
            .args(command.split(' '))
            .stdout(Stdio::from(writer));
        let done = polyproc.output().expect("polyproc");
        let errors = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(141), "{command}: {errors}");
        assert_eq!(errors, "", "{command}");
    }
}
