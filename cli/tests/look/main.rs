//! The commands that look: what they print, and that nothing makes them fail or wait.

mod colour;
mod damage;
mod doctor;
mod list;
mod location;
mod messages;
mod serve;
#[path = "../support/mod.rs"]
mod support;
mod top;

use polyproc::QueueOptions;
use serde_json::Value;
use support::ok;

fn joinable() -> QueueOptions {
    QueueOptions {
        joinable: true,
        max_deliveries: 1,
        ..QueueOptions::default()
    }
}

/// The lines of JSON that a command prints.
fn json(line: &str) -> Vec<Value> {
    let text = ok(line);
    let lines = text.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("JSON")).collect()
}

fn named<'v>(values: &'v [Value], field: &str, name: &str) -> &'v Value {
    let mut found = values.iter().filter(|value| value[field] == name);
    found
        .next()
        .unwrap_or_else(|| panic!("no {name}: {values:?}"))
}
