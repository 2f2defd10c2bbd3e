//! `run`: a pipeline whose processes are killed, and that leaves nothing behind.

mod support;

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use support::{children, own_shm, until, Folder, POLYPROC};

/// Starts a pipeline from a file with this text.
fn run(folder: &Folder, text: &str) -> (Child, PathBuf) {
    let file = folder.0.join("pipeline.toml");
    std::fs::write(&file, text).expect("a file");
    let child = Command::new(POLYPROC)
        .arg("run")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("polyproc");
    (child, file)
}

fn end(child: Child) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("a child");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// The processes whose working directory is the folder.
fn inside(folder: &Folder) -> Vec<i32> {
    let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_inside = |pid: &i32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|directory| directory == folder.0)
    };
    pids.filter(is_inside).collect()
}

#[test]
fn messages_go_through_and_the_pipeline_ends() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("run-through");
    let (child, _) = run(
        &folder,
        r#"
        [queue.numbers]
        joinable = true
        max_items = 10
        [queue.squares]
        name = "squares"
        [process.count]
        run = "seq 100 | polyproc put numbers --lines"
        puts = ["numbers"]
        [process.square]
        run = ["polyproc", "take", "numbers", "--follow", "--", "sh", "-c", "polyproc put squares $(($1 * $1))", "sh", "{}"]
        count = 3
        puts = ["squares"]
        [process.sum]
        run = "polyproc get squares --follow | awk '{ sum += $1 } END { print sum }'"
        "#,
    );
    let (code, stdout, stderr) = end(child);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout, "sum      | 338350\n", "{stderr}");
    assert!(polyproc::list().expect("a list").is_empty());
}

#[test]
fn what_is_killed_starts_again_and_nothing_is_lost() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("run-killed");
    let (child, _) = run(
        &folder,
        r#"
        [queue.jobs]
        joinable = true
        [process.put]
        run = "seq 200 | polyproc put jobs --lines"
        puts = ["jobs"]
        [process.work]
        run = ["polyproc", "take", "jobs", "--follow", "--", "sh", "-c", "sleep 0.02; echo $1 >> done", "sh", "{}"]
        count = 2
        "#,
    );
    let takes = || {
        let is_take = |pid: &i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(b"polyproc\0take\0")
        };
        children(child.id())
            .into_iter()
            .filter(is_take)
            .collect::<Vec<_>>()
    };
    for _ in 0..3 {
        until("two work", || takes().len() == 2);
        // SAFETY: no preconditions. It is a process of this test.
        unsafe { libc::kill(takes()[0], libc::SIGKILL) };
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let (code, _, stderr) = end(child);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        stderr
            .matches("was ended by signal 9; it is started again")
            .count(),
        3,
        "{stderr}"
    );
    let text = std::fs::read_to_string(folder.0.join("done")).expect("the work");
    for number in 1..=200 {
        let number = number.to_string();
        assert!(text.lines().any(|line| line == number), "{number} is lost");
    }
}

#[test]
fn a_signal_ends_all_and_leaves_nothing() {
    if !own_shm() {
        return;
    }
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        let folder = Folder::new("run-signal");
        let (child, _) = run(
            &folder,
            r#"
            [queue.jobs]
            name = "jobs"
            [process.waits]
            run = "polyproc get jobs; echo never"
            [process.stubborn]
            run = "trap '' TERM; setsid sleep 1000 & : > started; sleep 1000"
            [process.quick]
            run = "sleep 1000"
            count = 2
            "#,
        );
        until("all run", || {
            folder.0.join("started").exists() && inside(&folder).len() >= 6
        });
        // SAFETY: no preconditions. It is a child of this test.
        unsafe { libc::kill(child.id() as i32, signal) };
        // The second one ends the patience with the stubborn.
        until("the others have ended", || inside(&folder).len() <= 3);
        // SAFETY: as above.
        unsafe { libc::kill(child.id() as i32, signal) };
        let (ended, stdout, stderr) = end(child);
        assert_eq!((ended, stdout.as_str()), (Some(code), ""), "{stderr}");
        assert!(inside(&folder).is_empty());
        assert!(polyproc::list().expect("a list").is_empty());
    }
}

#[test]
fn what_a_shell_starts_while_run_is_killed_ends_too() {
    if !own_shm() {
        return;
    }
    for _ in 0..20 {
        let folder = Folder::new("run-dies-early");
        let text = "[queue.q]\n[process.shell]\nrun = 'polyproc get q; echo never'\ncount = 4";
        let (mut child, _) = run(&folder, text);
        until("some run", || inside(&folder).len() >= 5);
        child.kill().expect("a child");
        child.wait().expect("a child");
        until("all have ended", || inside(&folder).is_empty());
    }
}

#[test]
fn a_killed_run_takes_its_processes_along() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("run-dies");
    let text = "[queue.q]\n[process.a]\nrun = ['sleep', '1000']\ncount = 3\n\
        [process.shell]\nrun = 'polyproc get q; echo never'";
    let (mut child, _) = run(&folder, text);
    until("all run", || inside(&folder).len() == 5);
    child.kill().expect("a child");
    child.wait().expect("a child");
    until("all have ended", || inside(&folder).is_empty());
}

#[test]
fn what_cannot_work_ends_with_a_reason() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("run-wrong");
    for (text, code, reason) in [
        (
            "[process.a]\nrun = ['no-such-program']",
            1,
            "a: spawn program \"no-such-program\": not found",
        ),
        (
            "[process.a]\nrun = 'exit 3'\nrestart = 'never'\n[process.b]\nrun = 'sleep 1000'",
            1,
            "exited with 3",
        ),
        ("[process.a]\nrun = 'exit 3'", 1, "again and again"),
        ("[process.a]\nrun = 'x'\nputs = ['q']", 2, "no queue here"),
        ("[process.a]\n", 2, "run"),
    ] {
        let (ended, _, stderr) = end(run(&folder, text).0);
        assert_eq!(ended, Some(code), "{text}: {stderr}");
        assert!(stderr.contains(reason), "{text}: {stderr}");
        assert!(inside(&folder).is_empty(), "{text}");
    }
}
