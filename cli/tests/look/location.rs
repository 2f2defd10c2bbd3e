//! Objects in another directory or under another prefix: `POLYPROC_SHM_DIR`,
//! `POLYPROC_SHM_PREFIX`.

use crate::json;
use crate::support::{code, ok, own_shm, shell};

/// Runs a line with these variables; the directory exists.
fn with(variables: &str, line: &str) -> String {
    ok(&format!("export {variables}; {line}"))
}

#[test]
fn processes_meet_where_their_variables_agree() {
    if !own_shm() {
        return;
    }
    ok("mkdir /dev/shm/team");
    let places = [
        ("POLYPROC_SHM_DIR=/dev/shm/team", "team/polyproc.jobs"),
        ("POLYPROC_SHM_PREFIX=snap.letters.", "snap.letters.jobs"),
        (
            "POLYPROC_SHM_DIR=/dev/shm/team POLYPROC_SHM_PREFIX=a-",
            "team/a-jobs",
        ),
        ("POLYPROC_SHM_DIR= POLYPROC_SHM_PREFIX=", "polyproc.jobs"),
    ];
    // Four queues of one name. Each process finds its own.
    for (variables, file) in places {
        with(variables, &format!("polyproc put --create jobs {file}"));
        ok(&format!("test -f /dev/shm/{file}"));
    }
    for (variables, file) in places {
        let seen = json(&format!("export {variables}; polyproc ls --json"));
        assert_eq!(seen.len(), 1, "{variables}");
        assert_eq!(seen[0]["name"], "jobs", "{variables}");
        assert_eq!(with(variables, "polyproc get jobs"), format!("{file}\n"));
        with(variables, "polyproc rm jobs");
        assert_eq!(code(&format!("test -e /dev/shm/{file}")).0, 1);
    }
    assert!(json("polyproc ls --json").is_empty());
}

#[test]
fn doctor_shows_the_directory() {
    if !own_shm() {
        return;
    }
    ok("mkdir /dev/shm/team");
    let text = with("POLYPROC_SHM_DIR=/dev/shm/team", "polyproc doctor");
    assert!(text.contains("/dev/shm/team"), "{text}");
    let (failed, text) = code("POLYPROC_SHM_DIR=/dev/shm/nobody polyproc doctor");
    assert_eq!(failed, 1, "{text}");
    assert!(text.contains("mkdir -p /dev/shm/nobody"), "{text}");
    let (failed, text) = code("POLYPROC_SHM_DIR=/proc polyproc doctor");
    assert!(failed == 1 && text.contains("not in memory"), "{text}");
    let (failed, text) = code("POLYPROC_SHM_PREFIX=a/b polyproc doctor");
    assert_eq!(failed, 1, "{text}");
    assert!(
        text.contains("unset POLYPROC_SHM_DIR POLYPROC_SHM_PREFIX"),
        "{text}"
    );
}

#[test]
fn a_value_that_cannot_be_used_is_an_error_that_names_it() {
    if !own_shm() {
        return;
    }
    let disk = std::env::temp_dir();
    let disk = format!("POLYPROC_SHM_DIR={}", disk.display());
    let values = [
        ("POLYPROC_SHM_DIR=shm", "it is an absolute path"),
        ("POLYPROC_SHM_PREFIX=../a", "bytes of A-Z"),
        ("POLYPROC_SHM_PREFIX=.a", "no dot first"),
        (&*disk, "which is not in memory"),
        (
            "POLYPROC_SHM_DIR=/dev/shm/nobody",
            "there is no /dev/shm/nobody",
        ),
    ];
    for (variable, why) in values {
        // A temporary folder may be a tmpfs, where an object is at home.
        if variable == disk && ok("stat -f -c %T ${TMPDIR:-/tmp}") == "tmpfs\n" {
            continue;
        }
        let output = shell(&format!("{variable} polyproc put --create jobs x"));
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && text.contains(why),
            "{variable}: {text}"
        );
        assert!(!text.contains("panicked"), "{variable}: {text}");
    }
    assert!(json("polyproc ls --json").is_empty());
}
