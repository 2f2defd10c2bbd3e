//! `polyproc peek NAME`

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use polyproc::inspect::{self, Letter, Object, Participant, Place, State};
use serde_json::{json, Value};

use crate::failure::{Failure, Outcome, NOTHING, NO_SUCH_OBJECT};
use crate::form::{json_line, Form};
use crate::streams;

/// Show messages of a queue, and take none.
///
/// One line for each message: its id, who has it or how often it came back, and the message. Exit
/// code 3 if there is none.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc peek jobs
  polyproc peek jobs --from dead
  polyproc peek jobs -n 1 --as hex
  polyproc peek jobs --json")]
pub struct Peek {
    name: String,
    /// So many messages
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    count: usize,
    /// Which messages: those that wait, those that were taken and not settled, or dead letters
    #[arg(long, value_enum, default_value_t = Where::Waiting)]
    from: Where,
    #[command(flatten)]
    look: Look,
}

/// How much of a message is read if nothing else is asked for.
const MOST: usize = 1 << 20;

/// Flags of a command that shows messages and takes none.
#[derive(Args)]
pub struct Look {
    /// How to show a message; without it as the queue's format says
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Form>,
    /// How much of each message to read
    #[arg(long, value_name = "BYTES", default_value_t = MOST)]
    pub most: usize,
    /// Print an object a line: id, deliveries, length, pid, and text, hex or value
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Where {
    Waiting,
    Inflight,
    Dead,
}

impl Peek {
    pub fn run(self) -> Outcome {
        let place = match self.from {
            Where::Waiting => Place::Waiting,
            Where::Inflight => Place::InFlight,
            Where::Dead => Place::DeadLetters,
        };
        self.look.show(&self.name, place, self.count)
    }
}

impl Default for Look {
    fn default() -> Look {
        Look {
            form: None,
            most: MOST,
            json: false,
        }
    }
}

/// The lines for the messages of a place, for a screen.
pub fn lines(name: &str, place: Place) -> polyproc::Result<Vec<String>> {
    const COUNT: usize = 200;
    const BYTES: usize = 1000;
    let letters = inspect::peek(name, place, COUNT, BYTES)?;
    let object = inspect::object(name)?;
    let view = LetterView::of(&object);
    Ok(letters.iter().map(|letter| view.line(letter)).collect())
}

impl Look {
    /// Prints the first messages of a place.
    pub fn show(&self, name: &str, place: Place, count: usize) -> Outcome {
        let letters = inspect::peek(name, place, count, self.most).map_err(|status| {
            Failure::from(status).hint(NO_SUCH_OBJECT, "`polyproc ls` shows the names")
        })?;
        let object = inspect::object(name)?;
        let view = self.view(&object);
        let mut lines = String::new();
        for letter in &letters {
            lines += &view.line(letter);
            lines.push('\n');
        }
        streams::print(lines.as_bytes())?;
        match letters.is_empty() {
            true => Err(Failure::silent(NOTHING)),
            false => Ok(ExitCode::SUCCESS),
        }
    }

    pub fn view<'a>(&self, object: &'a Object) -> LetterView<'a> {
        let mut view = LetterView::of(object);
        view.form = self.form.unwrap_or(view.form);
        view.is_json = self.json;
        view
    }
}

/// How the messages of a queue are shown, one a line.
pub struct LetterView<'a> {
    participants: &'a [Participant],
    form: Form,
    pub is_json: bool,
}

impl LetterView<'_> {
    /// The same without naming the process that has a message: a slot may have another one by now.
    pub fn without_pids(mut self) -> Self {
        self.participants = &[];
        self
    }

    /// As text, in the form for the format of the queue.
    pub fn of(object: &Object) -> LetterView<'_> {
        let form = match &object.state {
            Some(State::Queue(queue)) => Form::of_label(&queue.format()),
            _ => Form::Text,
        };
        LetterView {
            participants: &object.participants,
            form,
            is_json: false,
        }
    }

    pub fn line(&self, letter: &Letter) -> String {
        match self.is_json {
            true => json_line(&self.json(letter)),
            false => self.text(letter),
        }
    }

    fn text(&self, letter: &Letter) -> String {
        let mut notes = Vec::new();
        if let Some(pid) = self.pid(letter) {
            notes.push(format!("with {pid}"));
        }
        let has_now = u64::from(letter.slot.is_some());
        match letter.deliveries.saturating_sub(has_now) {
            0 => {}
            1 => notes.push("came back once".to_owned()),
            times => notes.push(format!("came back {times} times")),
        }
        let notes = match notes.is_empty() {
            true => String::new(),
            false => format!("({}) ", notes.join(", ")),
        };
        let text = self.form.line(&letter.bytes);
        let rest = match letter.length.saturating_sub(letter.bytes.len() as u64) {
            0 => String::new(),
            more => format!("… {more} bytes more"),
        };
        format!("{:>8}  {notes}{text}{rest}", letter.id)
    }

    fn json(&self, letter: &Letter) -> Value {
        let (field, value) = self.form.field(&letter.bytes);
        json!({
            "id": letter.id,
            "deliveries": letter.deliveries,
            "length": letter.length,
            "pid": self.pid(letter),
            field: value,
        })
    }

    fn pid(&self, letter: &Letter) -> Option<u32> {
        let slot = letter.slot?;
        let holder = self.participants.iter().find(|one| one.slot == slot);
        holder.map(|one| one.pid)
    }
}
