//! Tests of the pictures of shared memory in `ARCHITECTURE.md` and in the modules, against the
//! code's offsets.

use std::fmt::Write;
use std::mem::offset_of;
use std::path::Path;

use super::header::{Header, PARTICIPANTS_AT};
use super::participants::Participant;
use super::Kind;

pub(crate) use super::header::body_at;

/// Append one line: an offset and a description.
pub(crate) fn line(picture: &mut String, indent: usize, at: usize, text: &str) {
    let _ = writeln!(picture, "{at:>9}  {:indent$}{text}", "");
}

/// Check that `ARCHITECTURE.md` and a module's documentation contain this picture.
pub(crate) fn check(picture: &str, module: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file");
    let is_in_page = read("ARCHITECTURE.md").contains(picture);
    let documentation = read(module).replace("//! ", "");
    assert!(
        is_in_page && documentation.contains(picture),
        "the picture for ARCHITECTURE.md and {module} is:\n{picture}"
    );
}

#[test]
fn the_picture_of_a_segment_is_true() {
    let mut picture = String::new();
    let at = |offset| offset;
    line(&mut picture, 0, 0, "header");
    line(
        &mut picture,
        2,
        at(offset_of!(Header, magic)),
        "magic: polyproc",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Header, layout)),
        "layout: the version of what lies here",
    );
    line(&mut picture, 2, at(offset_of!(Header, kind)), "kind");
    line(
        &mut picture,
        2,
        at(offset_of!(Header, participants)),
        "participants: how many slots",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Header, body)),
        "body: its size",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Header, mode)),
        "mode: the permissions asked for",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Header, used_slots)),
        "used_slots: where a scan may stop",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Header, recoveries)),
        "recoveries",
    );
    let each = size_of::<Participant>();
    line(
        &mut picture,
        0,
        PARTICIPANTS_AT,
        &format!("participants, {each} bytes each"),
    );
    let at = |offset: usize| PARTICIPANTS_AT + offset;
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, word)),
        "life, the futex that the kernel marks, and generation",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, watch)),
        "watchers and nudge: of sleepers in a crowd",
    );
    line(&mut picture, 2, at(offset_of!(Participant, pid)), "pid");
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, sleepers)),
        "sleepers",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, namespaces)),
        "namespaces of pid and started",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, ghost)),
        "ghost: traces of an earlier occupant",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, oldest_got)),
        "oldest_got: of a queue",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, holders)),
        "holders: of an rlock",
    );
    line(
        &mut picture,
        2,
        at(offset_of!(Participant, started)),
        "started: without a keeper",
    );
    line(
        &mut picture,
        0,
        body_at(Kind::Lock),
        "the object's own words: of a lock",
    );
    check(&picture, "src/segment/header.rs");
}
