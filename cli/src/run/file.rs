//! The file that describes a pipeline.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polyproc::{CreateOptions, QueueOptions};
use serde::Deserialize;

use crate::failure::{Failure, USAGE};
use crate::queues;

/// Its queues and its processes, each with a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    #[serde(default)]
    pub queue: BTreeMap<String, QueueTable>,
    pub process: BTreeMap<String, ProcessTable>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct QueueTable {
    joinable: bool,
    max_items: u64,
    max_bytes: u64,
    max_deliveries: u32,
    format: String,
    /// The name of the object; without one only the processes of the pipeline have the queue.
    pub name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessTable {
    pub run: Command,
    /// How many of it run.
    #[serde(default = "one")]
    pub count: u16,
    /// The queues that it puts into. A queue is shut down when all these processes have ended.
    #[serde(default)]
    pub puts: Vec<String>,
    #[serde(default)]
    pub restart: Restart,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Where it runs, seen from the directory of the file.
    #[serde(default)]
    pub directory: PathBuf,
    /// Whether its output gets a prefix; otherwise it writes where this process writes.
    #[serde(default = "yes")]
    pub prefix: bool,
}

/// A line for the shell, or a program and its arguments.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Command {
    Line(String),
    Words(Vec<String>),
}

/// When a process that has ended is started again.
#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// A failure ends the pipeline.
    Never,
    #[default]
    OnFailure,
    Always,
}

fn one() -> u16 {
    1
}

fn yes() -> bool {
    true
}

impl Pipeline {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Pipeline, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::from(error).about(path.display()))?;
        let pipeline: Pipeline = toml::from_str(&text)
            .map_err(|error| Failure::new(USAGE, error).about(path.display()))?;
        match pipeline.error() {
            Some(why) => Err(Failure::new(USAGE, why).about(path.display())),
            None => Ok(pipeline),
        }
    }

    fn error(&self) -> Option<String> {
        for (name, process) in &self.process {
            if let Some(queue) = process
                .puts
                .iter()
                .find(|queue| !self.queue.contains_key(*queue))
            {
                return Some(format!(
                    "process {name} puts into {queue}, which is no queue here"
                ));
            }
            if process.run.words().is_empty() {
                return Some(format!("process {name} runs nothing"));
            }
        }
        None
    }
}

impl Command {
    pub fn words(&self) -> Vec<String> {
        match self {
            Command::Line(line) => ["sh", "-c", line].map(String::from).to_vec(),
            Command::Words(words) => words.clone(),
        }
    }
}

impl QueueTable {
    pub fn options(&self) -> Result<QueueOptions, Failure> {
        Ok(QueueOptions {
            create: CreateOptions::OPEN_OR_CREATE,
            joinable: self.joinable,
            max_items: self.max_items,
            max_bytes: self.max_bytes,
            max_deliveries: self.max_deliveries,
            format: queues::label(&self.format)?,
            ..QueueOptions::default()
        })
    }

    pub fn is_joinable(&self) -> bool {
        self.joinable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Pipeline, String> {
        let pipeline: Pipeline = toml::from_str(text).map_err(|error| error.to_string())?;
        pipeline.error().map_or(Ok(pipeline), Err)
    }

    #[test]
    fn a_file_has_queues_and_processes() {
        let pipeline = parse(
            r#"
            [queue.jobs]
            joinable = true
            [process.walk]
            run = "find . | polyproc put jobs --lines"
            puts = ["jobs"]
            restart = "never"
            [process.worker]
            run = ["worker", "-v"]
            count = 4
            "#,
        )
        .expect("a pipeline");
        assert!(pipeline.queue["jobs"].is_joinable());
        let (walk, worker) = (&pipeline.process["walk"], &pipeline.process["worker"]);
        assert_eq!((walk.count, walk.restart), (1, Restart::Never));
        assert_eq!((worker.count, worker.restart), (4, Restart::OnFailure));
        assert_eq!(walk.run.words()[..2], ["sh", "-c"]);
        assert_eq!(worker.run.words(), ["worker", "-v"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("[process.a]\nrun = 'x'\nputs = ['jobs']", "jobs"),
            ("[process.a]\nrun = []", "runs nothing"),
            ("[process.a]\nrun = 'x'\nretart = 'never'", "retart"),
            ("[process.a]\nrun = 'x'\nrestart = 'sometimes'", "sometimes"),
            ("[queue.a]\njoinable = 1", "joinable"),
        ] {
            let why = parse(text).err().unwrap_or_default();
            assert!(why.contains(word), "{text}: {why}");
        }
    }
}
