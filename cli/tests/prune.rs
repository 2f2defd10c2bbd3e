//! `prune`: what nobody uses.

mod support;

use support::{code, ok, own_shm, start, until};

fn names() -> Vec<String> {
    let objects = polyproc::list().expect("a list");
    objects.into_iter().map(|object| object.name).collect()
}

#[test]
fn what_is_used_or_has_messages_stays() {
    if !own_shm() {
        return;
    }
    ok("polyproc put letters one --create; polyproc put empty x --create; polyproc get empty");
    ok("polyproc event clear never --create; polyproc event set unused --create");
    let mut waits = start(&["event", "wait", "never"]);
    let uses = || {
        polyproc::inspect::object("never")
            .expect("the event")
            .participants
    };
    until("it waits", || {
        uses().iter().any(|one| one.pid == waits.id())
    });
    assert_eq!(ok("polyproc prune --unused --dry-run"), "empty\nunused\n");
    assert_eq!(ok("polyproc prune --unused --older 1h"), "");
    assert_eq!(names().len(), 4);
    assert_eq!(
        ok("polyproc prune --unused --json"),
        "{\"name\":\"empty\",\"kind\":\"queue\",\"removed\":true}\n\
         {\"name\":\"unused\",\"kind\":\"event\",\"removed\":true}\n"
    );
    assert_eq!(ok("polyproc prune --older 0"), "letters\n");
    assert_eq!(names(), ["never"]);
    waits.kill().expect("a child");
    waits.wait().expect("a child");
    // A killed user is none.
    assert_eq!(ok("polyproc prune --unused"), "never\n");
    assert_eq!(code("polyproc prune").0, 2);
}

/// A process is a participant only from its first use on. `doctor` advised to remove a queue that a
/// process had open to read it later, and `prune` did; the results went into a new queue.
#[test]
fn what_a_process_has_open_and_has_not_used_yet_stays() {
    if !own_shm() {
        return;
    }
    ok("polyproc put results one --create; polyproc get results");
    let queue = polyproc::Queue::open("results").expect("the queue");
    let participants = || {
        polyproc::inspect::object("results")
            .expect("it")
            .participants
    };
    assert!(participants().is_empty(), "{:?}", participants());
    assert!(!code("polyproc doctor").1.contains("open"));
    assert_eq!(ok("polyproc prune --unused --older 0"), "");
    drop(queue);
    assert_eq!(ok("polyproc prune --unused --older 0"), "results\n");
}
