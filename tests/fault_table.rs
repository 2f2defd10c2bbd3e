//! Which faults of which function the programs of `tests/c` test: read from the calls that they
//! check, and compared with the faults that the function's parameters make possible. `make test`
//! prints the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The columns: a fault, its short name in the table's head, and its full name.
const FAULTS: &[(Fault, &str, &str)] = &[
    (
        Fault::Null,
        "NULL",
        "NULL for a handle or a place that is required",
    ),
    (
        Fault::Argument,
        "bad",
        "another argument that makes no sense: name, flag, number, size, handle of another type",
    ),
    (Fault::Closed, "closed", "the handle is closed"),
    (Fault::Zero, "t=0", "timeout 0 where it would have to wait"),
    (Fault::Passes, "t", "a timeout that passes"),
    (Fault::Negative, "t<0", "a negative timeout: for ever"),
    (Fault::Huge, "t max", "the longest timeout"),
    (Fault::Canceled, "cancel", "its token fires"),
    (
        Fault::ClosedMeanwhile,
        "close",
        "the handle is closed while it waits",
    ),
    (
        Fault::Interrupted,
        "signal",
        "a signal while it waits, where waits are interruptible",
    ),
    (
        Fault::Killed,
        "kill",
        "a process that it depends on is killed while it waits",
    ),
    (Fault::TooSmall, "small", "too small a buffer"),
    (
        Fault::NotOwner,
        "owner",
        "not the owner, or released too often",
    ),
    (Fault::Other, "other", "another status of its documentation"),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fault {
    Null,
    Argument,
    Closed,
    Zero,
    Passes,
    Negative,
    Huge,
    Canceled,
    ClosedMeanwhile,
    Interrupted,
    Killed,
    TooSmall,
    NotOwner,
    Other,
}

/// Faults that a C program cannot test, and why.
const EXCEPTIONS: &[(&str, Fault, &str)] = &[(
    "polyproc_worker_next",
    Fault::Killed,
    "a worker ends with its pool's process",
)];

struct Parameter {
    name: String,
    declaration: String,
}

/// A call that a program checks, and its arguments.
struct Check {
    function: String,
    arguments: Vec<String>,
    status: String,
    /// The fault that the program names.
    named: Option<String>,
}

type Table = BTreeMap<String, BTreeSet<Fault>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the text in the parentheses that begin at `text`, split at its commas.
fn arguments(text: &str) -> Option<Vec<String>> {
    let mut found = vec![String::new()];
    let mut depth = 0;
    let mut quoted = false;
    let mut before = ' ';
    for c in text.chars() {
        quoted ^= c == '"' && before != '\\';
        before = c;
        if !quoted {
            depth += i32::from("([{".contains(c)) - i32::from(")]}".contains(c));
            match (c, depth) {
                (_, 0) => return Some(found.iter().map(|one| one.trim().to_owned()).collect()),
                ('(', 1) => continue,
                (',', 1) => {
                    found.push(String::new());
                    continue;
                }
                _ => {}
            }
        }
        found.last_mut()?.push(c);
    }
    None
}

/// Returns the functions of the header that can fail or wait, with their parameters.
fn functions() -> BTreeMap<String, Vec<Parameter>> {
    let header = read(&root().join("include/polyproc.h"));
    let mut functions = BTreeMap::new();
    for line in header.match_indices("\nint32_t polyproc_") {
        let declaration = &header[line.0 + "\nint32_t ".len()..];
        let (name, rest) = declaration.split_once('(').expect("a function");
        let parameters = arguments(&format!("({rest}")).expect("its parameters");
        let parameters = parameters
            .into_iter()
            .filter(|one| one != "void")
            .map(|one| {
                let declaration = one.split_whitespace().collect::<Vec<_>>().join(" ");
                let name = declaration.rsplit([' ', '*']).next().unwrap_or_default();
                Parameter {
                    name: name.to_owned(),
                    declaration: declaration.clone(),
                }
            });
        functions.insert(name.to_owned(), parameters.collect());
    }
    functions
}

/// Returns the calls that the programs check: by ANSWERS, by FAULT, and by the tables of ways.
fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    let files = fs::read_dir(root().join("tests/c")).expect("tests/c");
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let texts: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|one| one == "c" || one == "h"))
        .map(|path| read(&path))
        .collect();
    let calls = |text: &str, of: &str| -> Vec<Vec<String>> {
        let start = format!("{of}(");
        let found = text.match_indices(&start);
        let whole = found
            .filter(|(at, _)| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        whole
            .filter_map(|(at, _)| arguments(&text[at + of.len()..]))
            .collect()
    };
    let mut add = |named: Option<&str>, status: &str, call: &str| {
        if let Some((function, _)) = call
            .split_once('(')
            .filter(|(name, _)| name.starts_with("polyproc_"))
        {
            checks.push(Check {
                function: function.to_owned(),
                arguments: arguments(&call[function.len()..]).unwrap_or_default(),
                status: status.to_owned(),
                named: named.map(|name| name.trim_matches('"').to_owned()),
            });
        }
    };
    for text in &texts {
        for call in calls(text, "ANSWERS") {
            if let [status, call] = &call[..] {
                add(None, status, call);
            }
        }
        for call in calls(text, "INVALID") {
            if let [call] = &call[..] {
                add(None, "E_INVALID", call);
            }
        }
        for call in calls(text, "FAULT") {
            if let [fault, status, call] = &call[..] {
                add(Some(fault), status, call);
            }
        }
    }
    // Each way to wait is tested with each of the faults that the header of these programs makes.
    let each: Vec<String> = texts
        .iter()
        .flat_map(|text| calls(text, "FAULT_OF_EACH"))
        .filter_map(|call| call.into_iter().next())
        .filter(|fault| fault.starts_with('"'))
        .collect();
    for way in texts.iter().flat_map(|text| calls(text, "WAY")) {
        for fault in &each {
            add(Some(fault), "", &format!("{}()", way[0]));
        }
    }
    for way in texts.iter().flat_map(|text| calls(text, "KILLED_WAY")) {
        add(Some("killed"), "", &format!("{}()", way[0]));
    }
    checks
}

/// Returns the faults of its function that a check tests.
fn faults_of(check: &Check, parameters: &[Parameter]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let named = check.named.as_deref().unwrap_or_default();
    for (words, fault) in [
        ("timeout 0", Fault::Zero),
        ("timeout passes", Fault::Passes),
        ("timeout negative", Fault::Negative),
        ("huge", Fault::Huge),
        ("closed while", Fault::ClosedMeanwhile),
        ("killed", Fault::Killed),
        ("canceled", Fault::Canceled),
        ("interrupted", Fault::Interrupted),
    ] {
        faults.extend(named.contains(words).then_some(fault));
    }
    if named == "closed" {
        faults.push(Fault::Closed);
    }
    let value = |name: &str| {
        let at = parameters
            .iter()
            .position(|parameter| parameter.name == name)?;
        check.arguments.get(at).map(String::as_str)
    };
    match (check.status.as_str(), value("timeout_ns")) {
        ("E_TIMEOUT" | "E_EMPTY" | "E_FULL", Some("0")) => faults.push(Fault::Zero),
        ("E_TIMEOUT" | "E_EMPTY" | "E_FULL", Some(_)) => faults.push(Fault::Passes),
        ("E_CLOSED", _) => faults.push(Fault::Closed),
        ("E_CANCELED", _) => faults.push(Fault::Canceled),
        ("E_INTERRUPTED", _) => faults.push(Fault::Interrupted),
        ("E_TOO_SMALL", _) => faults.push(Fault::TooSmall),
        ("E_NOT_OWNER" | "E_OVER_RELEASE", _) => faults.push(Fault::NotOwner),
        ("E_INVALID", _) => {
            let nulls = check.arguments.iter().zip(parameters);
            let is_null = nulls
                .filter(|(argument, one)| *argument == "NULL" && is_required(one))
                .count()
                > 0;
            faults.push(if is_null {
                Fault::Null
            } else {
                Fault::Argument
            });
        }
        ("OK" | "", _) => {}
        _ => faults.push(Fault::Other),
    }
    faults
}

/// A pointer that must not be NULL: a handle, or the place of a result.
fn is_required(parameter: &Parameter) -> bool {
    let may_be_null = [
        "cancel", "options", "data", "buf", "arg", "user", "pids", "items", "authkey",
    ];
    parameter.declaration.contains('*') && !may_be_null.contains(&parameter.name.as_str())
}

/// Returns the possible faults of a function, by its parameters.
fn possible(function: &str, parameters: &[Parameter]) -> BTreeSet<Fault> {
    let has = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    let object = function.split('_').nth(1).unwrap_or_default();
    let takes_handle = parameters.first().is_some_and(|first| {
        first.declaration == format!("polyproc_{object} *{object}")
            && !matches!(object, "cancel" | "reply" | "job" | "message" | "slot")
    });
    let mut faults = BTreeSet::new();
    if parameters.iter().any(is_required) {
        faults.insert(Fault::Null);
    }
    if takes_handle || function == "polyproc_wait_any" {
        faults.insert(Fault::Closed);
    }
    if has("timeout_ns") {
        faults.extend([Fault::Zero, Fault::Passes, Fault::Negative, Fault::Huge]);
        faults.extend([Fault::Canceled, Fault::Interrupted, Fault::Killed]);
        if takes_handle || function == "polyproc_wait_any" {
            faults.insert(Fault::ClosedMeanwhile);
        }
    }
    if has("cap") && has("out_len") && function != "polyproc_pool_finished" {
        faults.insert(Fault::TooSmall);
    }
    faults
}

fn tested() -> (BTreeMap<String, Vec<Parameter>>, Table) {
    let functions = functions();
    let mut table: Table = functions
        .keys()
        .map(|name| (name.clone(), BTreeSet::new()))
        .collect();
    for check in checks() {
        if let (Some(parameters), Some(row)) = (
            functions.get(&check.function),
            table.get_mut(&check.function),
        ) {
            row.extend(faults_of(&check, parameters));
        }
    }
    (functions, table)
}

#[test]
fn every_fault_of_every_function_has_a_test() {
    let (functions, table) = tested();
    let width = functions.keys().map(String::len).max().unwrap_or_default();
    let head: Vec<&str> = FAULTS.iter().map(|(_, short, _)| *short).collect();
    println!(
        "\nFaults that the programs of tests/c meet: x tested, - impossible or without meaning\n"
    );
    for (_, short, meaning) in FAULTS {
        println!("  {short:<7} {meaning}");
    }
    println!("\n{:width$} {}", "", head.join(" "));
    let mut missing = Vec::new();
    for (function, row) in &table {
        let possible = possible(function, &functions[function]);
        let mut line = format!("{function:width$}");
        for (fault, short, _) in FAULTS {
            let is_excepted = EXCEPTIONS
                .iter()
                .any(|(name, what, _)| name == function && what == fault);
            let is_missing = possible.contains(fault) && !row.contains(fault) && !is_excepted;
            if is_missing {
                missing.push(format!("{function}: {short}"));
            }
            let sign = match (row.contains(fault), is_missing) {
                (true, _) => 'x',
                (_, true) => '!',
                _ => '-',
            };
            line += &format!(" {sign:^length$}", length = short.len());
        }
        println!("{line}");
    }
    let tested: usize = table.values().map(BTreeSet::len).sum();
    println!("\n{} functions, {tested} faults tested", table.len());
    assert!(
        missing.is_empty(),
        "no test of {} faults:\n{}",
        missing.len(),
        missing.join("\n")
    );
}

#[test]
fn exceptions_are_about_what_is_there() {
    let (functions, table) = tested();
    for (function, fault, why) in EXCEPTIONS {
        assert!(
            functions.contains_key(*function) && !why.is_empty(),
            "{function}"
        );
        assert!(
            !table[*function].contains(fault),
            "{function}: {fault:?} is tested"
        );
    }
}
