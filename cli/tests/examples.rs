//! Each command has an example in its help, and each example runs.

mod support;

use polyproc::{Queue, QueueOptions};
use support::{ok, own_shm, shell};

/// Makes what the examples find.
fn set_up() -> polyproc::Result<()> {
    let joinable = QueueOptions {
        joinable: true,
        ..QueueOptions::OPEN_OR_CREATE
    };
    let jobs = Queue::create(Some("jobs"), &joinable)?;
    for job in ["one", "two", "three"] {
        jobs.put(job.as_bytes())?;
    }
    let letters = Queue::create(Some("letters"), &QueueOptions::OPEN_OR_CREATE)?;
    letters.put(b"hello")
}

/// The commands, as `polyproc help` lists them.
fn commands() -> Vec<String> {
    let help = ok("polyproc help");
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = rows.take_while(|line| !line.is_empty());
    let names = rows.filter_map(|row| row.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(String::from)
        .collect()
}

/// The lines below "Example:" or "Examples:".
fn examples(command: &str) -> Vec<String> {
    let help = ok(&format!("polyproc {command} --help"));
    let lines = help.lines().skip_while(|line| !line.starts_with("Example"));
    let lines = lines.skip(1).map_while(|line| line.strip_prefix("  "));
    lines.map(String::from).collect()
}

#[test]
fn each_example_of_each_help_runs() {
    if !own_shm() {
        return;
    }
    let home = std::env::temp_dir().join(format!("polyproc-examples-{}", std::process::id()));
    std::fs::create_dir(&home).expect("a new directory");
    let commands = commands();
    assert!(commands.len() > 2, "{commands:?}");
    for command in &commands {
        let examples = examples(command);
        assert!(!examples.is_empty(), "no example: polyproc {command}");
        for example in examples {
            println!("{example}");
            set_up().expect("the setting");
            ok(&format!("cd {}; {example}", home.display()));
            shell("rm -f /dev/shm/polyproc.*");
        }
    }
    std::fs::remove_dir_all(&home).expect("the directory");
}
