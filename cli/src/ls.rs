//! `polyproc ls`

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use polyproc::inspect::{self, Object, QueueState, State};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::form::json_line;
use crate::rates::Rates;
use crate::streams;
use crate::view::{self, json, text};

/// How long a single list measures rates, if it shows any.
const MEASURE: Duration = Duration::from_millis(500);

/// List the named objects: queues, locks, and others, of all users.
///
/// A queue's messages wait, are in flight (got or taken, and not settled), or are dead letters
/// (delivered too often). Users are the processes that use the object. Rates are measured: a single
/// list with put/s or get/s takes half a second.
#[derive(Args)]
#[command(after_help = "\
Examples:
  polyproc ls
  polyproc ls -o name,waiting,put/s,get/s
  polyproc ls --json")]
pub struct Ls {
    /// The columns, separated by commas
    #[arg(short = 'o', long, value_delimiter = ',', value_name = "COLUMN")]
    output: Vec<Column>,
    /// Print an object a line, with exact numbers
    #[arg(long)]
    json: bool,
    /// List again and again, with rates, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1")]
    watch: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Column {
    Name,
    Kind,
    Waiting,
    Inflight,
    Dead,
    #[value(name = "put/s")]
    Puts,
    #[value(name = "get/s")]
    Gets,
    Users,
    Memory,
    User,
    State,
}

impl Column {
    const USUAL: [Column; 8] = [
        Column::Name,
        Column::Kind,
        Column::Waiting,
        Column::Inflight,
        Column::Dead,
        Column::Users,
        Column::Memory,
        Column::State,
    ];
    const WATCHED: [Column; 10] = [
        Column::Name,
        Column::Kind,
        Column::Waiting,
        Column::Inflight,
        Column::Dead,
        Column::Puts,
        Column::Gets,
        Column::Users,
        Column::Memory,
        Column::State,
    ];

    fn title(self) -> &'static str {
        match self {
            Column::Name => "NAME",
            Column::Kind => "KIND",
            Column::Waiting => "WAITING",
            Column::Inflight => "IN FLIGHT",
            Column::Dead => "DEAD",
            Column::Puts => "PUT/S",
            Column::Gets => "GET/S",
            Column::Users => "USERS",
            Column::Memory => "MEMORY",
            Column::User => "USER",
            Column::State => "STATE",
        }
    }

    fn is_number(self) -> bool {
        !matches!(
            self,
            Column::Name | Column::Kind | Column::User | Column::State
        )
    }

    fn is_rate(self) -> bool {
        matches!(self, Column::Puts | Column::Gets)
    }

    fn cell(self, object: &Object, rates: &Rates) -> Cell {
        let of_queue = |number: &dyn Fn(&QueueState) -> String| match &object.state {
            Some(State::Queue(queue)) => number(queue),
            _ => String::new(),
        };
        let rate = rates.of(&object.name);
        Cell::new(match self {
            Column::Name => object.name.clone(),
            Column::Kind => text::kind(object).to_owned(),
            Column::Waiting => of_queue(&|queue| queue.waiting.to_string()),
            Column::Inflight => of_queue(&|queue| queue.in_flight.to_string()),
            Column::Dead => {
                let dead = of_queue(&|queue| queue.dead_letters.to_string());
                return view::alarm(&dead, !matches!(&dead[..], "" | "0"));
            }
            Column::Puts => rate.map_or(String::new(), |rate| view::rate(rate.puts)),
            Column::Gets => rate.map_or(String::new(), |rate| view::rate(rate.gets)),
            Column::Users => object.users().to_string(),
            Column::Memory => view::size(object.memory),
            Column::User => view::user(object.user),
            Column::State => {
                return view::alarm(text::state(object), !object.verdict.is_sound());
            }
        })
    }
}

impl Ls {
    pub fn run(self) -> Outcome {
        let columns = match (self.output.is_empty(), self.watch) {
            (false, _) => self.output.clone(),
            (true, None) => Column::USUAL.to_vec(),
            (true, Some(_)) => Column::WATCHED.to_vec(),
        };
        let mut rates = Rates::default();
        let pause = self.watch.map(|seconds| seconds.clamp(0.05, 86_400.0));
        let pause = pause.map(Duration::from_secs_f64);
        let has_rates = columns.iter().any(|column| column.is_rate());
        if pause.is_none() && has_rates {
            rates.add(&inspect::objects()?, Instant::now());
            sleep(MEASURE);
        }
        loop {
            let objects = inspect::objects()?;
            rates.add(&objects, Instant::now());
            let shows_rates = has_rates || pause.is_some();
            match self.json {
                true => print_json(&objects, shows_rates.then_some(&rates))?,
                false => self.print_table(&objects, &columns, &rates)?,
            }
            let Some(pause) = pause else {
                return Ok(ExitCode::SUCCESS);
            };
            sleep(pause);
        }
    }

    fn print_table(
        &self,
        objects: &[Object],
        columns: &[Column],
        rates: &Rates,
    ) -> Result<(), Failure> {
        let titles: Vec<_> = columns.iter().map(|column| column.title()).collect();
        let mut table = view::table(&titles);
        for object in objects {
            table.add_row(columns.iter().map(|column| column.cell(object, rates)));
        }
        let numbers = (0..).zip(columns).filter(|(_, column)| column.is_number());
        numbers.for_each(|(index, _)| view::align_right(&mut table, index));
        // Home, and clear the screen.
        let clear = match self.watch.is_some() && io::stdout().is_terminal() {
            true => "\x1b[H\x1b[J",
            false => "",
        };
        streams::print(format!("{clear}{}", view::text_of(&table)).as_bytes())
    }
}

fn print_json(objects: &[Object], rates: Option<&Rates>) -> Result<(), Failure> {
    let mut lines = String::new();
    for object in objects {
        let mut fields = json::object(object);
        if let Some(rate) = rates.and_then(|rates| rates.of(&object.name)) {
            fields.insert("puts_per_second".to_owned(), json!(rate.puts));
            fields.insert("gets_per_second".to_owned(), json!(rate.gets));
        }
        lines += &json_line(&fields.into());
        lines.push('\n');
    }
    streams::print(lines.as_bytes())
}
