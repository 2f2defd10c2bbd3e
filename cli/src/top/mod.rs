//! `polyproc top`

mod screen;
mod table;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::Args;
use polyproc::inspect::{self, Place};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::DefaultTerminal;

use crate::failure::{Failure, Outcome, USAGE};
use crate::{peek, stat, view};
use table::{Objects, Sort};

/// Show all objects live, with rates: sorted, filtered, each to be looked into.
///
/// Keys: up and down choose, Enter: the object whole, p: its messages, d: its dead letters, s: sort
/// by the next column, r: the other way round, /: filter by name, Esc: back, q: quit. Without a
/// terminal use `polyproc ls --watch`.
#[derive(Args)]
#[command(after_help = "\
Example:
  script -qec 'polyproc top -n 2 -d 0.2' /dev/null")]
pub struct Top {
    /// Seconds between two looks
    #[arg(short, long, value_name = "SECONDS", default_value_t = 1.0)]
    delay: f64,
    /// End after N looks
    #[arg(short = 'n', long, value_name = "N")]
    rounds: Option<u64>,
}

/// What the screen shows.
enum Shows {
    Objects,
    /// One object: a title, and its lines.
    Text(Subject, Vec<String>),
}

/// A look into one object, which every round repeats.
#[derive(Clone)]
struct Subject {
    name: String,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Stat,
    Peek(Place),
}

struct App {
    objects: Objects,
    shows: Shows,
    scroll: u16,
    /// Whether typed characters go to the filter.
    is_typing: bool,
}

impl Top {
    pub fn run(self) -> Outcome {
        if !std::io::stdout().is_terminal() {
            let text = "top needs a terminal; without one: polyproc ls --watch";
            return Err(Failure::new(USAGE, text));
        }
        let pause = Duration::from_secs_f64(self.delay.clamp(0.05, 3600.0));
        let mut terminal = ratatui::try_init()?;
        let outcome = App::new().run(&mut terminal, pause, self.rounds);
        ratatui::restore();
        outcome.map(|()| std::process::ExitCode::SUCCESS)
    }
}

impl App {
    fn new() -> App {
        App {
            objects: Objects::default(),
            shows: Shows::Objects,
            scroll: 0,
            is_typing: false,
        }
    }

    fn run(
        mut self,
        terminal: &mut DefaultTerminal,
        pause: Duration,
        rounds: Option<u64>,
    ) -> Result<(), Failure> {
        let mut round = 0;
        loop {
            self.objects.add(inspect::objects()?, Instant::now());
            self.look_again();
            round += 1;
            let next = Instant::now() + pause;
            loop {
                terminal.draw(|frame| screen::draw(frame, &mut self))?;
                let left = next.saturating_duration_since(Instant::now());
                if !event::poll(left)? {
                    break;
                }
                if let Event::Key(key) = event::read()? {
                    if key.kind == KeyEventKind::Press && self.press(key) {
                        return Ok(());
                    }
                }
            }
            if rounds == Some(round) {
                return Ok(());
            }
        }
    }

    /// Handle a key. Return true if the program ends.
    fn press(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return true;
        }
        if self.is_typing {
            match key.code {
                KeyCode::Enter => self.is_typing = false,
                KeyCode::Esc => {
                    self.objects.filter.clear();
                    self.is_typing = false;
                }
                KeyCode::Backspace => {
                    self.objects.filter.pop();
                }
                KeyCode::Char(character) => self.objects.filter.push(character),
                _ => {}
            }
            return false;
        }
        match (&self.shows, key.code) {
            (_, KeyCode::Char('q')) => return true,
            (Shows::Text(..), KeyCode::Esc | KeyCode::Backspace) => self.shows = Shows::Objects,
            (Shows::Text(..), KeyCode::Up) => self.scroll = self.scroll.saturating_sub(1),
            (Shows::Text(..), KeyCode::Down) => self.scroll = self.scroll.saturating_add(1),
            (_, KeyCode::Enter) => self.look_into(What::Stat),
            (_, KeyCode::Char('p')) => self.look_into(What::Peek(Place::Waiting)),
            (_, KeyCode::Char('d')) => self.look_into(What::Peek(Place::DeadLetters)),
            (Shows::Text(..), _) => {}
            (_, KeyCode::Up | KeyCode::Char('k')) => self.objects.select(-1),
            (_, KeyCode::Down | KeyCode::Char('j')) => self.objects.select(1),
            (_, KeyCode::Char('s')) => self.objects.sort = self.objects.sort.next(),
            (_, KeyCode::Char('r')) => self.objects.is_reversed ^= true,
            (_, KeyCode::Char('/')) => self.is_typing = true,
            (_, KeyCode::Esc) => self.objects.filter.clear(),
            _ => {}
        }
        false
    }

    fn look_into(&mut self, what: What) {
        let name = match &self.shows {
            Shows::Text(subject, _) => Some(subject.name.clone()),
            Shows::Objects => self.objects.selected_name(),
        };
        if let Some(name) = name {
            self.scroll = 0;
            self.shows = Shows::Text(Subject { name, what }, Vec::new());
            self.look_again();
        }
    }

    fn look_again(&mut self) {
        if let Shows::Text(subject, lines) = &mut self.shows {
            *lines = subject.lines();
        }
    }
}

impl Subject {
    fn title(&self) -> String {
        let what = match self.what {
            What::Stat => "",
            What::Peek(Place::DeadLetters) => ": dead letters",
            What::Peek(_) => ": messages that wait",
        };
        format!("{}{what}", self.name)
    }

    fn lines(&self) -> Vec<String> {
        let lines = match self.what {
            What::Stat => inspect::object(&self.name).map(|object| {
                // The screen draws characters, and no commands for a terminal.
                let text = stat::describe(&object, view::plain_table);
                text.lines().map(String::from).collect()
            }),
            What::Peek(place) => peek::lines(&self.name, place),
        };
        match lines {
            Ok(lines) if lines.is_empty() => vec!["nothing there".to_owned()],
            Ok(lines) => lines,
            Err(status) => vec![status.to_string()],
        }
    }
}
