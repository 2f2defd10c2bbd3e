//! Checks the map of the layers in `src/lib.rs`: no file imports from a layer above its own, and no
//! files import each other in a circle, except a module and those inside it.
//!
//! It reads the paths in all of a file, also in its macros, and follows re-exports to the file that
//! defines a name. It does not see methods, which have no path.

mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use modules::Crate;

/// From a file to the files that it imports from.
type Arrows = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the rows of a map between ```text and ```: the rooms of each row, the topmost row first.
fn rows_of(map: &str) -> Vec<Vec<String>> {
    let lines = map
        .lines()
        .map(|line| line.trim_start_matches("//!").trim_start_matches(' '));
    let lines = lines.skip_while(|line| *line != "```text").skip(1);
    let lines = lines.take_while(|line| *line != "```");
    let rooms = lines.map(|line| line.split("  ").next().unwrap_or_default());
    rooms
        .map(|rooms| rooms.split_whitespace().map(String::from).collect())
        .collect()
}

/// The room of a file: its folder in src, or itself.
fn room_of(file: &str) -> &str {
    let inside = file.strip_prefix("src/").expect("a file of src");
    let first = inside.split('/').next().expect("a name");
    first.strip_suffix(".rs").unwrap_or(first)
}

fn arrows(modules: &Crate) -> Arrows {
    let mut arrows = Arrows::new();
    for (index, module) in modules.0.iter().enumerate() {
        let from = arrows.entry(module.file.clone()).or_default();
        for to in modules.named_by(index) {
            let contains = modules.0[to].name.starts_with(&module.name);
            let file = &modules.0[to].file;
            if !contains && *file != module.file {
                from.insert(file.clone());
            }
        }
    }
    arrows
}

#[test]
fn no_file_imports_from_a_layer_above() {
    let modules = Crate::read(root());
    let map = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let rows = rows_of(&map);
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the page");
    assert_eq!(rows_of(&page), rows, "ARCHITECTURE.md has another map");
    let row_of = |file: &str| {
        let room = room_of(file);
        let found = rows
            .iter()
            .position(|row| row.iter().any(|one| one == room));
        found.unwrap_or_else(|| panic!("{room} is not on the map in src/lib.rs"))
    };
    let mut upwards = String::new();
    let (mut files, mut imports) = (0, 0);
    for (from, to) in arrows(&modules)
        .iter()
        .filter(|(from, _)| *from != "src/lib.rs")
    {
        files += 1;
        for to in to.iter().filter(|to| room_of(to) != room_of(from)) {
            imports += 1;
            if row_of(to) <= row_of(from) {
                let _ = writeln!(upwards, "{from} -> {to}");
            }
        }
    }
    assert!(
        files > 100 && imports > 300,
        "{files} files, {imports} imports: is all read?"
    );
    assert!(
        upwards.is_empty(),
        "imports that go up or aside:\n{upwards}"
    );
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let arrows = arrows(&Crate::read(root()));
    let mut circles = BTreeSet::new();
    for start in arrows.keys() {
        let mates: BTreeSet<&String> = reached(&arrows, start)
            .into_iter()
            .filter(|other| reached(&arrows, other).contains(start))
            .collect();
        if !mates.is_empty() {
            circles.insert(mates);
        }
    }
    let mut text = String::new();
    for circle in &circles {
        let _ = writeln!(text, "a circle of {} files:", circle.len());
        for file in circle {
            let inside = arrows[*file].iter().filter(|to| circle.contains(to));
            let inside: Vec<&str> = inside.map(String::as_str).collect();
            let _ = writeln!(text, "    {file} -> {}", inside.join(", "));
        }
    }
    assert!(circles.is_empty(), "{text}");
}

/// Every file that can be reached from `start` by one arrow or more.
fn reached<'a>(arrows: &'a Arrows, start: &str) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&String> = arrows[start].iter().collect();
    while let Some(file) = next.pop() {
        if found.insert(file) {
            next.extend(&arrows[file]);
        }
    }
    found
}
