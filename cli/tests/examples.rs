//! Each command has an example in its help, and each example runs.

mod support;

use polyproc::{Queue, QueueOptions};
use support::{ok, own_shm, shell, Folder};

/// Makes what the examples find.
fn set_up() -> polyproc::Result<()> {
    let options = QueueOptions {
        joinable: true,
        max_deliveries: 1,
        ..QueueOptions::OPEN_OR_CREATE
    };
    let jobs = Queue::create(Some("jobs"), &options)?;
    jobs.put(b"a dead letter")?;
    jobs.take()?.give_back()?;
    for job in ["one", "two", "three"] {
        jobs.put(job.as_bytes())?;
    }
    let letters = Queue::create(Some("letters"), &QueueOptions::OPEN_OR_CREATE)?;
    letters.put(b"hello")
}

const PIPELINE: &str = r#"
[queue.numbers]
[process.count]
run = "seq 3 | polyproc put numbers --lines"
puts = ["numbers"]
[process.print]
run = ["polyproc", "get", "numbers", "--follow"]
"#;

/// The commands, as `polyproc help` lists them.
fn commands() -> Vec<String> {
    let help = ok("polyproc help");
    let rows = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let rows = rows.take_while(|line| !line.is_empty());
    // A row that is indented more goes on with the one above it.
    let rows = rows.filter_map(|row| row.strip_prefix("  "));
    let rows = rows.filter(|row| !row.starts_with(' '));
    let names = rows.filter_map(|row| row.split_whitespace().next());
    names
        // The examples of `bridge` need a server: tests/bridge/examples.test.mjs runs them.
        .filter(|name| !["help", "bridge"].contains(name))
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
    let home = Folder::new("examples");
    let commands = commands();
    std::fs::write(home.0.join("pipeline.toml"), PIPELINE).expect("a file");
    assert!(commands.len() > 2, "{commands:?}");
    for command in &commands {
        let examples = examples(command);
        assert!(!examples.is_empty(), "no example: polyproc {command}");
        for example in examples {
            println!("{example}");
            set_up().expect("the setting");
            ok(&format!("cd {}; {example}", home.0.display()));
            shell("rm -f /dev/shm/polyproc.*");
        }
    }
}
