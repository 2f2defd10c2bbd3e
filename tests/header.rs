//! `include/polyproc.h`: every function is documented in one form, also every field and constant;
//! structs are as in Rust; and the library has exactly the symbols that the header declares.

#[path = "compiled_c/library.rs"]
mod library;

use std::collections::BTreeSet;
use std::fs;
use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use polyproc::ffi::library::polyproc_object_info;
use polyproc::ffi::options::*;
use polyproc::ffi::pool::options::{
    polyproc_pool_info, polyproc_pool_options, polyproc_task_options,
};
use polyproc::ffi::pool::worker::polyproc_job;
use polyproc::ffi::process::options::*;
use polyproc::ffi::queue::many::polyproc_slice;
use polyproc::ffi::queue::message::{polyproc_message, polyproc_slot};
use polyproc::ffi::queue::options::*;
use polyproc::ffi::semaphore::polyproc_semaphore_options;
use polyproc::ffi::wait::polyproc_waitable;
use polyproc::Status;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A declaration and the comment above it.
struct Function {
    name: String,
    returns_nothing: bool,
    parameters: Vec<String>,
    comment: String,
}

/// Every function of the header.
fn functions() -> Vec<Function> {
    let header = read("include/polyproc.h");
    let mut functions = Vec::new();
    for block in header.split("\n/**\n").skip(1) {
        let Some((comment, declaration)) = block.split_once("*/\n") else {
            continue;
        };
        let declaration = declaration
            .split(';')
            .next()
            .unwrap_or_default()
            .replace('\n', " ");
        let Some((head, parameters)) = declaration.split_once('(') else {
            continue;
        };
        let is_function = head.contains("polyproc_") && !head.contains('#') && !head.contains('{');
        if !is_function {
            continue;
        }
        let name = head
            .rsplit([' ', '*'])
            .next()
            .unwrap_or_default()
            .to_owned();
        functions.push(Function {
            name,
            returns_nothing: head.starts_with("void "),
            parameters: parameter_names(parameters),
            comment: comment.to_owned(),
        });
    }
    functions
}

/// `const char *name, int32_t (*target)(void *arg), size_t n)` gives `name target n`.
fn parameter_names(list: &str) -> Vec<String> {
    let list = list.strip_suffix(')').unwrap_or(list);
    let mut depth = 0;
    let separate = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    };
    let parameters = list.split(separate).map(str::trim);
    let named = parameters.filter(|parameter| *parameter != "void");
    named
        .map(|parameter| {
            let name = match parameter.split_once("(*") {
                Some((_, function)) => function.split(')').next(),
                None => parameter.rsplit([' ', '*']).next(),
            };
            name.unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn every_function_says_what_it_returns_and_when() {
    let functions = functions();
    assert!(
        functions.len() > 60,
        "only {} functions were found",
        functions.len()
    );
    for function in &functions {
        let Function { name, comment, .. } = function;
        let has = |part: &str| comment.contains(part);
        assert!(has("\n * Returns  "), "{name} has no Returns");
        assert!(
            has("\n * Blocks   no. ") || has("\n * Blocks   yes. "),
            "{name} has no Blocks"
        );
        assert!(has("Threads: any. "), "{name} has no Threads");
        assert!(
            has("Signal-safe: no. ") || has("Signal-safe: yes. "),
            "{name} has no Signal-safe"
        );
        assert!(has("Since: 0.1\n"), "{name} has no Since");
        if function.returns_nothing {
            assert!(
                has("\n * Returns  nothing."),
                "{name} is void: it returns nothing"
            );
        }
    }
}

#[test]
fn every_parameter_has_its_line() {
    for Function {
        name,
        parameters,
        comment,
        ..
    } in functions()
    {
        let (table, _) = comment.split_once("\n * Returns").expect("Returns");
        for parameter in parameters {
            let explains = |line: &str| {
                let line = line.trim_start_matches(" * ");
                line.strip_prefix(&parameter)
                    .is_some_and(|rest| rest.starts_with("  "))
            };
            assert!(
                table.lines().any(explains),
                "{name} does not explain {parameter}"
            );
        }
    }
}

#[test]
fn every_status_that_is_named_exists() {
    let known: BTreeSet<_> = Status::TABLE.iter().map(|row| row.1).collect();
    for Function { name, comment, .. } in functions() {
        let words = comment.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for status in words.filter(|word| word.starts_with("E_")) {
            assert!(known.contains(status), "{name} speaks of {status}");
        }
    }
}

#[test]
fn a_function_that_waits_says_so() {
    for Function {
        name,
        parameters,
        comment,
        ..
    } in functions()
    {
        let waits = parameters.iter().any(|parameter| parameter == "timeout_ns");
        // A worker's whole work is one call; an exit waits for its children without a limit.
        let blocks = waits || name == "polyproc_worker_run" || name == "polyproc_exit_children";
        assert_eq!(blocks, comment.contains("Blocks   yes."), "{name}");
        for status in ["E_CANCELED", "E_CLOSED", "E_INTERRUPTED"] {
            // It waits on no handle that could be closed meanwhile.
            let cannot = name == "polyproc_connect" && status == "E_CLOSED";
            assert!(
                !waits || cannot || comment.contains(status),
                "{name} waits and does not speak of {status}"
            );
        }
    }
}

#[test]
fn every_field_and_constant_has_a_comment() {
    let header = read("include/polyproc.h");
    let (_, header) = header
        .split_once("/* ---- Version")
        .expect("the first section");
    let mut before = "";
    for line in header.lines() {
        let is_field = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(';');
        let is_constant = line.starts_with("#define POLYPROC_");
        let is_type = line.starts_with("typedef ");
        if is_field || is_constant || is_type {
            assert!(before.ends_with("*/"), "no comment above: {line}");
        }
        before = line;
    }
}

#[test]
fn every_macro_is_evaluated_by_the_c_test() {
    let test = read("tests/c/header.c");
    let words: BTreeSet<_> = test
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    for line in read("include/polyproc.h").lines() {
        let Some(definition) = line.strip_prefix("#define ") else {
            continue;
        };
        let name = definition.split([' ', '(']).next().unwrap_or_default();
        assert!(
            name == "POLYPROC_H" || words.contains(name),
            "{name} is not in tests/c/header.c"
        );
    }
}

#[test]
fn the_opening_page_is_short_and_the_guide_has_the_rest() {
    let header = read("include/polyproc.h");
    let (page, _) = header
        .split_once("#ifndef POLYPROC_H")
        .expect("an include guard");
    let guide = read("docs/book/guide.md");
    for subject in [
        "Statuses.",
        "Objects and names.",
        "Permissions.",
        "Handles.",
        "Loans.",
        "Death of a peer.",
        "Fork.",
        "Threads.",
        "Signals.",
        "Time.",
        "Limits.",
        "Stop of a peer.",
        "Options.",
    ] {
        assert!(
            page.contains(&format!(" * {subject} ")),
            "the opening page says nothing of {subject}"
        );
        let heading = format!("\n## {}\n", subject.trim_end_matches('.'));
        assert!(
            guide.contains(&heading),
            "docs/book/guide.md has no section of {subject}"
        );
    }
    assert!(page.contains("\n * QUICK START\n"));
    let lines = page.lines().count();
    assert!(lines <= 41, "the opening page has {lines} lines");
}

#[test]
fn the_golden_list_is_what_the_header_declares() {
    let mut declared: Vec<_> = functions()
        .into_iter()
        .map(|function| function.name)
        .collect();
    declared.sort();
    let golden = read("tests/c/symbols.txt");
    assert_eq!(golden.lines().collect::<Vec<_>>(), declared);
}

#[test]
fn the_library_exports_the_golden_list() {
    let library = library::path();
    let nm = Command::new("nm")
        .args(["-D", "--defined-only"])
        .arg(&library)
        .output();
    let nm = nm.expect("nm of the binutils");
    assert!(nm.status.success());
    let symbols = String::from_utf8(nm.stdout).expect("plain text");
    let mut exported: Vec<_> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    exported.sort_unstable();
    let golden = read("tests/c/symbols.txt");
    assert_eq!(
        exported,
        golden.lines().collect::<Vec<_>>(),
        "{}",
        library.display()
    );
}

/// The Rust side of the assertions of tests/c/header.c about the C structs.
macro_rules! layout {
    ($($type:ident: $size:literal { $($field:ident at $offset:literal),* $(,)? })*) => {
        $(
            const _: () = assert!(size_of::<$type>() == $size);
            $(const _: () = assert!(offset_of!($type, $field) == $offset);)*
        )*
    };
}

layout! {
    polyproc_options: 16 { size at 0, flags at 8, mode at 12 }
    polyproc_semaphore_options: 32 { size at 0, flags at 8, mode at 12, initial at 16, maximum at 24 }
    polyproc_queue_options: 72 {
        size at 0, flags at 8, mode at 12, max_items at 16, max_bytes at 24, max_deliveries at 32,
        spin_ns at 36, format at 40,
    }
    polyproc_queue_info: 176 {
        size at 0, items at 8, bytes at 16, in_flight at 24, unfinished at 32, puts at 40, gets at 48,
        redelivered at 56, discarded at 64, recoveries at 72, dead_letters at 80, max_items at 88,
        max_bytes at 96, max_deliveries at 104, flags at 108, waiting at 112, participants at 116,
        shutdown at 120, spin_ns at 124, format at 128, identity at 160,
    }
    polyproc_slice: 16 { data at 0, len at 8 }
    polyproc_slot: 32 { data at 0, len at 8, opaque at 16 }
    polyproc_message: 48 {
        data at 0, len at 8, id at 16, deliveries at 24, reserved at 28, opaque at 32,
    }
    polyproc_handle: 24 { name at 0, kind at 8, object at 16 }
    polyproc_waitable: 16 { kind at 0, ready at 4, object at 8 }
    polyproc_process_options: 80 {
        size at 0, flags at 8, name at 16, cwd at 24, argv at 32, env at 40, stdin_fd at 48,
        stdout_fd at 52, stderr_fd at 56, handles at 64, handle_count at 72,
    }
    polyproc_process_info: 88 {
        size at 0, pid at 8, parent_pid at 12, daemon at 16, reserved at 20, name at 24,
    }
    polyproc_pool_options: 80 {
        size at 0, workers at 8, flags at 12, argv at 16, env at 24, max_tasks_per_worker at 32,
        max_attempts at 36, initialiser at 40, initialiser_data at 48, initialiser_len at 56, handles at 64,
        handle_count at 72,
    }
    polyproc_task_options: 32 { size at 0, flags at 8, timeout_ns at 16, tag at 24 }
    polyproc_pool_info: 80 {
        size at 0, workers at 8, alive at 12, outstanding at 16, queued at 24, submitted at 32,
        succeeded at 40, failed at 48, retried at 56, started_workers at 64, died_workers at 72,
    }
    polyproc_job: 48 {
        function at 0, data at 8, len at 16, count at 24, attempt at 28, opaque at 32,
    }
    polyproc_object_info: 248 {
        kind at 0, mode at 4, processes at 8, waiting at 12, bytes at 16, reserved at 24, name at 40,
    }
}
