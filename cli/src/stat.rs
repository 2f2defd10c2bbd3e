//! `polyproc stat NAME`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use polyproc::inspect::{self, Intake, Object, QueueState, State, Verdict, Whereabouts};
use serde_json::{json, Value};

use crate::failure::{Failure, Outcome, DAMAGED, ERROR, NO_SUCH_OBJECT};
use crate::form::clean;
use crate::view::{self, json, text};

/// Show one object whole: its numbers, and who uses it, holds it and waits for it.
///
/// What a process holds of a queue are its messages in flight and its reservations. When a message
/// was taken is not recorded: it is at most as old as the process that has it.
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
                Failure::from(status)
                    .about(name)
                    .hint(NO_SUCH_OBJECT, "`polyproc ls` shows the names")
            })?;
            match self.json {
                true => println(&whole(&object).to_string())?,
                false => {
                    let between = if index > 0 { "\n" } else { "" };
                    println(&format!("{between}{}", describe(&object).trim_end()))?;
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

fn println(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// The object as JSON, with its participants and the oldest lease.
pub fn whole(object: &Object) -> Value {
    let mut fields = json::object(object);
    let participants = object.participants.iter().map(json::participant);
    fields.insert("participants".to_owned(), participants.collect());
    if let Some(State::Queue(queue)) = &object.state {
        let lease = queue.oldest_lease.map(|lease| {
            let holder = object
                .participants
                .iter()
                .find(|one| one.slot == lease.slot);
            json!({
                "id": lease.id,
                "deliveries": lease.deliveries,
                "pid": holder.map(|one| one.pid),
            })
        });
        fields.insert("oldest_lease".to_owned(), json!(lease));
        fields.insert("complete".to_owned(), json!(queue.is_complete));
    }
    Value::Object(fields)
}

/// The object as text.
pub fn describe(object: &Object) -> String {
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
    let mut table = view::table(&["PID", "AGE", "HOLDS", "WAITS FOR", "COMMAND"]);
    view::align_right(&mut table, 0);
    for one in &object.participants {
        let (command, age) = text::process(one);
        let (holds, waits) = (text::holds(one), text::waits(one));
        let command = view::short(&command, 60);
        table.add_row([one.pid.to_string(), age, holds, waits, command]);
    }
    for line in view::text_of(&table).lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

fn describe_queue(row: &mut impl FnMut(&str, String), object: &Object, queue: &QueueState) {
    let options = &queue.options;
    row("waiting", queue.waiting.to_string());
    let mut in_flight = queue.in_flight.to_string();
    if let Some(lease) = queue.oldest_lease {
        let holder = object
            .participants
            .iter()
            .find(|one| one.slot == lease.slot);
        in_flight.push_str(&format!(", the oldest is message {}", lease.id));
        if let Some(holder) = holder {
            in_flight.push_str(&format!(", with process {}", holder.pid));
            if let Whereabouts::Here(process) = holder.process() {
                in_flight.push_str(&format!(" for at most {}", view::age(process.age)));
            }
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
