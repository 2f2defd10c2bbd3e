//! `polyproc stat NAME`

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::Table;
use polyproc::inspect::{
    self, Intake, Lease, Object, Participant, QueueState, State, Verdict, Whereabouts,
};
use serde_json::{json, Value};

use crate::failure::{Failure, Outcome, DAMAGED, ERROR, NO_SUCH_OBJECT};
use crate::form::clean;
use crate::streams;
use crate::view::{self, json, text};

/// Show one object whole: its numbers, and who uses it, holds it and waits for it.
///
/// What a process holds of a queue are its messages in flight and its reservations. PUT and GOT are
/// what it has put and what was delivered to it since it opened the queue.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc stat jobs
  polyproc stat jobs --json")]
pub struct Stat {
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Print an object a line, with exact numbers
    #[arg(long)]
    json: bool,
}

impl Stat {
    pub fn run(self) -> Outcome {
        let mut outcome = Ok(ExitCode::SUCCESS);
        for (index, name) in self.names.iter().enumerate() {
            let object = inspect::object(name).map_err(|status| {
                Failure::from(status).hint(NO_SUCH_OBJECT, "`polyproc ls` shows the names")
            })?;
            match self.json {
                true => println(&whole(&object).to_string())?,
                false => {
                    let between = if index > 0 { "\n" } else { "" };
                    println(&format!(
                        "{between}{}",
                        describe(&object, view::table).trim_end()
                    ))?;
                }
            }
            let (code, why) = match &object.verdict {
                Verdict::Sound => continue,
                Verdict::Damaged(why) => (DAMAGED, why),
                Verdict::Unreadable(why) | Verdict::Unknown(why) => (ERROR, why),
            };
            outcome = Err(Failure::new(code, format_args!("{name}: {why}")));
        }
        outcome
    }
}

fn println(text: &str) -> Result<(), Failure> {
    streams::print(format!("{text}\n").as_bytes())
}

/// The object as JSON, with its participants and the oldest lease.
pub fn whole(object: &Object) -> Value {
    let mut fields = json::object(object);
    let participants = object.participants.iter().map(json::participant);
    fields.insert("participants".to_owned(), participants.collect());
    if let Some(State::Queue(queue)) = &object.state {
        let lease = queue.oldest_lease.map(|lease| {
            let holder = holder_of(&lease, object);
            json!({
                "id": lease.id,
                "deliveries": lease.deliveries,
                "pid": holder.map(|one| one.pid),
                "at_most_seconds": longest(&lease, holder).map(|age| age.as_secs_f64()),
            })
        });
        fields.insert("oldest_lease".to_owned(), json!(lease));
        fields.insert("complete".to_owned(), json!(queue.is_complete));
    }
    Value::Object(fields)
}

fn holder_of<'o>(lease: &Lease, object: &'o Object) -> Option<&'o Participant> {
    let mut participants = object.participants.iter();
    participants.find(|one| one.slot == lease.slot)
}

/// How long the participant has had the message at most: no longer than its process runs.
fn longest(lease: &Lease, holder: Option<&Participant>) -> Option<Duration> {
    let age = match holder?.process() {
        Whereabouts::Here(process) => Some(process.age),
        _ => None,
    };
    [age, lease.at_most].into_iter().flatten().min()
}

/// The object as text, with a table that `table` makes.
pub fn describe(object: &Object, table: fn(&[&str]) -> Table) -> String {
    let state = text::state(object);
    let colon = if state.is_empty() { "" } else { ": " };
    let mut text = format!("{} ({}){colon}{state}\n\n", object.name, text::kind(object));
    let mut row = |title: &str, value: String| {
        text.push_str(&format!("  {title:<14}{value}\n"));
    };
    if let Some(State::Queue(queue)) = &object.state {
        describe_queue(&mut row, object, queue);
    }
    row(
        "memory",
        format!(
            "{}, mode {:04o}, user {}",
            view::size(object.memory),
            object.mode,
            view::user(object.user)
        ),
    );
    if object.recoveries > 0 {
        let recoveries = object.recoveries;
        row(
            "recoveries",
            format!("{recoveries}, of processes that had died"),
        );
    }
    text.push('\n');
    if object.participants.is_empty() {
        text.push_str("  no process uses it\n");
        return text;
    }
    for line in view::text_of(&participants(object, table)).lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn participants(object: &Object, table: fn(&[&str]) -> Table) -> Table {
    let is_queue = matches!(object.state, Some(State::Queue(_)));
    let so_far: &[&str] = if is_queue { &["PUT", "GOT"] } else { &[] };
    let titles = [&["PID", "AGE"], so_far, &["HOLDS", "WAITS FOR", "COMMAND"]].concat();
    let mut table = table(&titles);
    view::align_right(&mut table, 0);
    for column in 2..2 + so_far.len() {
        view::align_right(&mut table, column);
    }
    for one in &object.participants {
        let (command, age) = text::process(one);
        let mut row = vec![one.pid.to_string(), age];
        if is_queue {
            let number = |number: Option<u64>| number.map_or(String::new(), |n| n.to_string());
            row.push(number(one.so_far.map(|so_far| so_far.puts)));
            row.push(number(one.so_far.map(|so_far| so_far.gets)));
        }
        row.extend([
            text::holds(one),
            text::waits(one),
            view::short(&command, 60),
        ]);
        table.add_row(row);
    }
    table
}

fn describe_queue(row: &mut impl FnMut(&str, String), object: &Object, queue: &QueueState) {
    let options = &queue.options;
    row("waiting", queue.waiting.to_string());
    let mut in_flight = queue.in_flight.to_string();
    if let Some(lease) = queue.oldest_lease {
        let holder = holder_of(&lease, object);
        in_flight.push_str(&format!(", the oldest is message {}", lease.id));
        if let Some(holder) = holder {
            in_flight.push_str(&format!(", with process {}", holder.pid));
        }
        if let Some(age) = longest(&lease, holder) {
            in_flight.push_str(&format!(" for at most {}", view::age(age)));
        }
    }
    row("in flight", in_flight);
    row("dead letters", queue.dead_letters.to_string());
    row(
        "so far",
        format!(
            "{} put, {} got, {} redelivered, {} discarded",
            queue.puts, queue.gets, queue.redelivered, queue.discarded
        ),
    );
    let mut limits = Vec::new();
    if options.max_items > 0 {
        limits.push(format!("{} messages", options.max_items));
    }
    if options.max_bytes > 0 {
        limits.push(view::size(options.max_bytes));
    }
    if options.max_deliveries > 0 {
        limits.push(format!("{} deliveries", options.max_deliveries));
    }
    if limits.is_empty() {
        limits.push("none".to_owned());
    }
    row("limits", limits.join(", "));
    row("bytes", view::size(queue.bytes));
    if !queue.format().is_empty() {
        row("format", clean(&queue.format()));
    }
    match queue.intake {
        Intake::Open => {}
        Intake::Draining => row("shut down", "what is in it is still delivered".to_owned()),
        Intake::Discarded => row("shut down", "what was in it was discarded".to_owned()),
    }
    if !queue.is_complete && object.verdict.is_sound() {
        row(
            "note",
            "not every message was looked at: who holds what may be incomplete".to_owned(),
        );
    }
}
