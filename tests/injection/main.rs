//! Each function of the C interface, while each call that it makes of the C library and of the
//! kernel fails once: memory, threads, descriptors, and calls that a system-call filter may refuse.
//!
//! The program `driver.c` makes the calls. This test compares its results with the header: the
//! status is in the function's own list, nothing has changed, and the next try works. `make faults`
//! fails each call and prints the table, `make test` fails some of many and prints the sums.

#[allow(
    dead_code,
    reason = "the driver is linked with the release library, in each profile"
)]
#[path = "../compiled_c/library.rs"]
mod library;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The result of one call of one function with one failure.
struct Row {
    function: String,
    case: String,
    fault: String,
    nth: u32,
    status: i32,
    problem: String,
}

/// The statuses that a function's comment in the header lists.
struct Header {
    comments: BTreeMap<String, String>,
    names: BTreeMap<i32, String>,
}

impl Header {
    fn read() -> Header {
        let text = fs::read_to_string(root().join("include/polyproc.h")).expect("the header");
        let mut names = BTreeMap::from([(0, "OK".to_owned())]);
        for line in text.lines() {
            let definition = line.strip_prefix("#define POLYPROC_");
            if let Some((name, code)) = definition.and_then(|one| one.split_once(' ')) {
                let code = code.trim_matches(['(', ')']).parse();
                if let (true, Ok(code)) = (name.starts_with("E_") || name == "OWNER_DIED", code) {
                    names.insert(code, name.to_owned());
                }
            }
        }
        let blocks = text
            .split("\n/**\n")
            .filter_map(|block| block.split_once("*/\nint32_t "));
        let comments = blocks
            .filter_map(|(comment, rest)| Some((rest.split_once('(')?.0, comment)))
            .map(|(name, comment)| (name.to_owned(), comment.to_owned()))
            .collect();
        Header { comments, names }
    }

    fn words(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
    }

    /// Returns the statuses of a function, with those of a function that its comment refers to.
    fn returns(&self, function: &str) -> BTreeSet<&str> {
        let comment = self.comments.get(function).expect("a comment");
        let (_, returns) = comment.split_once("Returns  ").expect("Returns");
        let mut listed: BTreeSet<&str> = Header::words(returns)
            .filter(|word| word.starts_with("E_") || *word == "OK")
            .collect();
        for (at, _) in returns.match_indices("as polyproc_") {
            let other = Header::words(&returns[at + 3..]).next();
            listed.extend(other.into_iter().flat_map(|other| self.returns(other)));
        }
        listed
    }

    fn name(&self, status: i32) -> String {
        match self.names.get(&status) {
            Some(name) => name.clone(),
            None => status.to_string(),
        }
    }
}

/// Builds the driver, linked with the static library, so that the library's calls come to it first.
fn build_driver() -> PathBuf {
    // With the allocator and its reserve.
    let library = library::build(true).join("libpolyproc.a");
    let driver = Path::new(env!("CARGO_TARGET_TMPDIR")).join("injection-driver");
    let folder = root().join("tests/injection");
    let sources = ["driver.c", "cases.c", "inject.c"].map(|name| folder.join(name));
    let compiled = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-g"])
        .args(["-Wno-unused-but-set-variable", "-pthread", "-I"])
        .arg(root().join("include"))
        .args(sources)
        .arg(library)
        .args(["-ldl", "-lm", "-o"])
        .arg(&driver)
        .status();
    assert!(compiled.expect("a C compiler").success());
    driver
}

/// Runs the driver; each line of its output is a row.
fn rows(driver: &Path, arguments: &[&str]) -> Vec<Row> {
    let output = Command::new(driver)
        .args(arguments)
        .envs(is_quick().then_some(("INJECTION_QUICK", "1")))
        .stderr(Stdio::null())
        .output()
        .expect("the driver");
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).expect("plain text");
    let rows = text.lines().map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [case, fault, nth, status, problem] = fields[..] else {
            panic!("not a row: {line}");
        };
        Row {
            function: case.split(' ').next().unwrap_or_default().to_owned(),
            case: case.to_owned(),
            fault: fault.to_owned(),
            nth: nth.parse().expect("a number"),
            status: status.parse().expect("a status"),
            problem: problem.to_owned(),
        }
    });
    rows.collect()
}

/// Runs as many drivers as there are cores, each with its part of the cases.
fn all_rows(driver: &Path) -> Vec<Row> {
    let count = std::thread::available_parallelism().map_or(1, usize::from) * 2;
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..count)
            .map(|part| {
                let of = format!("{part}/{count}");
                scope.spawn(move || rows(driver, &["--part", &of]))
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().expect("a part"))
            .collect()
    })
}

/// Without the table only some of many calls fail.
fn is_quick() -> bool {
    env::var_os("POLYPROC_FAULT_TABLE").is_none()
}

/// Prints the failing calls of each function, each with its result.
fn print_table(rows: &[Row], header: &Header) {
    let mut table: BTreeMap<&str, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.fault != "-") {
        let said = match row.problem.is_empty() {
            true => header.name(row.status),
            false => format!("!! {}", row.problem),
        };
        let faults = table.entry(&row.function).or_default();
        faults.entry(&row.fault).or_default().insert(said);
    }
    for (function, faults) in &table {
        println!("{function}");
        for (fault, said) in faults {
            let said: Vec<&str> = said.iter().map(String::as_str).collect();
            println!("    {fault:<26} {}", said.join(", "));
        }
    }
}

#[test]
fn a_call_that_fails_gives_a_status_of_the_list_changes_nothing_and_the_next_one_works() {
    let header = Header::read();
    let rows = all_rows(&build_driver());
    if !is_quick() {
        print_table(&rows, &header);
    }
    let mut wrong = Vec::new();
    for row in &rows {
        let name = header.name(row.status);
        let what = format!("{}: {}, call {}", row.case, row.fault, row.nth);
        if !row.problem.is_empty() {
            wrong.push(format!("{what}: {}", row.problem));
        } else if !header.returns(&row.function).contains(name.as_str()) {
            wrong.push(format!("{what}: {name} is not in its list"));
        }
    }
    let tried: BTreeSet<&str> = rows.iter().map(|row| row.function.as_str()).collect();
    let failures = rows.iter().filter(|row| row.fault != "-");
    let worked = failures.clone().filter(|row| row.status >= 0).count();
    println!(
        "{} functions, {} failing calls: {worked} calls worked all the same, {} gave a status",
        tried.len(),
        failures.clone().count(),
        failures.count() - worked,
    );
    for function in header.comments.keys() {
        if !tried.contains(function.as_str()) && !ELSEWHERE.contains(&function.as_str()) {
            wrong.push(format!("{function} is not tried"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Functions that only a pool's worker can call, which `tests/c/pool_worker.c` tests; and functions
/// that make no call at all.
const ELSEWHERE: &[&str] = &[
    "polyproc_detail",
    "polyproc_job_chunk_next",
    "polyproc_inherited",
    "polyproc_job_reply",
    "polyproc_reply_write",
    "polyproc_worker_fd",
    "polyproc_worker_next",
    "polyproc_worker_run",
];
