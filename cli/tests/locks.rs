//! `lock`, `sem` and `event`.

mod support;

use support::{code, ok, own_shm, start, until, Folder};

#[test]
fn a_program_under_a_lock_is_alone() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("lock");
    let file = folder.0.join("number");
    std::fs::write(&file, "0").expect("a file");
    let add = format!("n=$(cat {0}); echo $((n + 1)) > {0}", file.display());
    let loop_ = format!("for i in $(seq 20); do polyproc lock counter -- sh -c '{add}'; done");
    ok(&format!("({loop_}) & ({loop_}) & ({loop_}) & wait"));
    assert_eq!(
        std::fs::read_to_string(file).expect("the file").trim(),
        "60"
    );
}

#[test]
fn the_exit_code_is_that_of_the_program() {
    if !own_shm() {
        return;
    }
    let exits = |line: &str| code(&format!("polyproc {line}")).0;
    assert_eq!(exits("lock l -- sh -c 'exit 7'"), 7);
    assert_eq!(exits("lock l -- sh -c 'kill -9 $$'"), 137);
    assert_eq!(exits("lock l -- no-such-program"), 127);
    assert_eq!(exits("lock l -- /etc/passwd"), 126);
    assert_eq!(exits("sem s --permits 2 -- sh -c 'exit 7'"), 7);
    assert_eq!(exits("sem missing -- true"), 4);
    assert_eq!(exits("lock s -- true"), 1);
    assert_eq!(exits("lock l"), 2);
    // Held while the program runs.
    assert_eq!(exits("lock l -- polyproc lock l -n -- true"), 3);
    assert_eq!(exits("lock l -- polyproc lock l --timeout 10ms -- true"), 3);
    assert_eq!(
        exits("sem s -- polyproc sem s -- polyproc sem s -n -- true"),
        3
    );
    assert_eq!(exits("sem s -- polyproc sem s -n -- true"), 0);
}

#[test]
fn a_killed_holder_takes_its_program_along_and_the_next_goes_on() {
    if !own_shm() {
        return;
    }
    for held in [&["lock", "l"][..], &["sem", "s", "--permits", "1"]] {
        let folder = Folder::new(&format!("killed-{}", held[0]));
        let started = folder.0.join("pid");
        let program = format!("echo $$ > {}; exec sleep 1000", started.display());
        let mut holder = start(&[held, &["--", "sh", "-c", &program]].concat());
        let pid = || std::fs::read_to_string(&started).unwrap_or_default();
        until("the program runs", || pid().ends_with('\n'));
        let pid = pid();
        holder.kill().expect("a child");
        let line = format!("polyproc {} -- echo next", held.join(" "));
        assert_eq!(ok(&line), "next\n");
        holder.wait().expect("a child");
        let stat = format!("/proc/{}/stat", pid.trim());
        until("the program has ended", || {
            std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
        });
    }
}

#[test]
fn sigterm_goes_to_the_program_and_the_lock_is_held_until_it_ends() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("term");
    let started = folder.0.join("started");
    let program = format!(
        "trap 'echo ended; exit 5' TERM; : > {}; while :; do sleep 0.01; done",
        started.display()
    );
    let mut holder = start(&["lock", "l", "--", "sh", "-c", &program]);
    until("the program runs", || started.exists());
    ok(&format!("kill {}", holder.id()));
    assert_eq!(holder.wait().expect("a child").code(), Some(5));
    ok("polyproc lock l -n -- true");
}

#[test]
fn an_event_is_waited_for() {
    if !own_shm() {
        return;
    }
    assert_eq!(code("polyproc event wait ready").0, 4);
    assert_eq!(
        code("polyproc event wait ready --create --timeout 10ms").0,
        3
    );
    ok("polyproc event wait ready --timeout 1m & polyproc event set ready; wait $!");
    ok("polyproc event wait ready");
    ok("polyproc event clear ready");
    assert_eq!(code("polyproc event wait ready --timeout 0").0, 3);
}
