//! `put`, `get`, `join`, `shutdown`, `rm`, and the exit codes.

mod support;

use support::{code, ok, own_shm, start, until, Folder};

const OK: i32 = 0;
const ERROR: i32 = 1;
const USAGE: i32 = 2;
const NOTHING: i32 = 3;
const NO_SUCH_OBJECT: i32 = 4;
const DAMAGED: i32 = 5;

#[test]
fn messages_come_in_order() {
    if !own_shm() {
        return;
    }
    ok("polyproc put letters one 'and two' '' --create");
    ok("printf 'three\\nfour' | polyproc put letters --lines");
    ok("printf 'five\\nfive\\0six' | polyproc put letters -0");
    ok("printf 'all\\nof it' | polyproc put letters");
    assert_eq!(ok("polyproc get letters"), "one\n");
    assert_eq!(ok("polyproc get letters -n 2"), "and two\n\n");
    assert_eq!(
        ok("polyproc get letters --all -0"),
        "three\0four\0five\nfive\0six\0all\nof it\0"
    );
}

#[test]
fn a_file_is_one_message_or_its_lines() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("file");
    let file = folder.0.join("text");
    std::fs::write(&file, "a\nb\n").expect("a file");
    let file = file.display();
    ok(&format!("polyproc put files --create --file {file}"));
    ok(&format!("polyproc put files --lines --file {file}"));
    assert_eq!(ok("polyproc get files -n 3 -0"), "a\nb\n\0a\0b\0");
    let missing = code("polyproc put files --file /no/such/file");
    assert_eq!(missing.0, ERROR);
}

#[test]
fn exit_codes_say_what_happened() {
    if !own_shm() {
        return;
    }
    let exits = |line: &str| code(&format!("polyproc {line}")).0;
    assert_eq!(exits("put jobs x"), NO_SUCH_OBJECT);
    assert_eq!(exits("get jobs"), NO_SUCH_OBJECT);
    assert_eq!(exits("rm jobs"), NO_SUCH_OBJECT);
    assert_eq!(exits("put a/b x --create"), USAGE);
    assert_eq!(exits("put jobs x --joinable"), USAGE);
    assert_eq!(exits("no-such-command"), USAGE);
    assert_eq!(exits("put jobs x --create --joinable --max-items 1"), OK);
    assert_eq!(exits("put jobs x --create"), ERROR);
    assert_eq!(exits("event set jobs"), ERROR);
    assert_eq!(exits("put jobs y --timeout 0"), NOTHING);
    assert_eq!(exits("join jobs --timeout 0.01"), NOTHING);
    assert_eq!(exits("get jobs"), OK);
    assert_eq!(exits("join jobs"), OK);
    assert_eq!(exits("get jobs --all"), NOTHING);
    assert_eq!(exits("get jobs --timeout 10ms"), NOTHING);
    assert_eq!(exits("shutdown jobs"), OK);
    assert_eq!(exits("get jobs"), NOTHING);
    assert_eq!(exits("put jobs x"), ERROR);
    ok("truncate --size 4096 /dev/shm/polyproc.jobs");
    assert_eq!(exits("get jobs"), DAMAGED);
    ok("polyproc put letters x --create");
    assert_eq!(exits("rm missing jobs letters"), NO_SUCH_OBJECT);
    assert_eq!(exits("get letters"), NO_SUCH_OBJECT);
}

#[test]
fn a_message_that_cannot_be_written_stays_in_the_queue() {
    if !own_shm() {
        return;
    }
    ok("seq 300 | polyproc put numbers --lines --create");
    assert_eq!(code("polyproc get numbers --all > /dev/full").0, ERROR);
    let all = (1..=300).map(|number| format!("{number}\n"));
    assert_eq!(ok("polyproc get numbers --all"), all.collect::<String>());
}

#[test]
fn a_closed_output_takes_nothing() {
    if !own_shm() {
        return;
    }
    ok("polyproc put letters one --create");
    assert_eq!(code("polyproc get letters >&-").0, ERROR);
    assert_eq!(code("polyproc put letters <&-").0, ERROR);
    assert_eq!(ok("polyproc get letters --all"), "one\n");
}

#[test]
fn a_reader_that_ends_early_costs_what_is_in_the_pipe() {
    if !own_shm() {
        return;
    }
    const MESSAGES: usize = 100_000;
    /// The pipe, and one read of head.
    const COST: usize = (64 << 10) + (64 << 10);
    ok(&format!(
        "seq {MESSAGES} | polyproc put numbers --lines --create"
    ));
    // With pipefail, as after SIGPIPE.
    let first = code("polyproc get numbers --all | head -n 1");
    assert_eq!(first, (141, "1\n".to_owned()));
    let rest = ok("polyproc get numbers --all");
    let rest: Vec<usize> = rest
        .lines()
        .map(|line| line.parse().expect("a number"))
        .collect();
    assert_eq!(rest, Vec::from_iter(rest[0]..=MESSAGES));
    let lost: usize = (1..rest[0])
        .map(|number| number.to_string().len() + 1)
        .sum();
    println!("{lost} bytes, up to message {}", rest[0] - 1);
    assert!(lost <= COST, "{lost}");
}

#[test]
fn a_pickle_cannot_be_typed() {
    if !own_shm() {
        return;
    }
    assert_eq!(
        code("polyproc put values x --create --format pickle").0,
        USAGE
    );
    ok("printf 'N.' | polyproc put values --as bytes");
    assert_eq!(ok("polyproc get values"), "4e2e\n");
    assert_eq!(code("polyproc put letters x --create --as json").0, USAGE);
}

#[test]
fn get_follows_until_the_shutdown() {
    if !own_shm() {
        return;
    }
    ok("polyproc put letters one --create");
    let followed = "polyproc get letters --follow & \
        polyproc put letters two && polyproc shutdown letters && wait $!";
    assert_eq!(ok(followed), "one\ntwo\n");
}

#[test]
fn a_queue_of_values_speaks_json() {
    if !own_shm() {
        return;
    }
    ok(
        r#"polyproc put values '["hello", 88, {"a": null}]' '18446744073709551615' --create --format msgpack"#,
    );
    ok("polyproc put values 'plain text' --as text");
    assert_eq!(code("polyproc put values 'plain text'").0, USAGE);
    assert_eq!(ok("polyproc get values"), "[\"hello\",88,{\"a\":null}]\n");
    assert_eq!(
        ok("polyproc get values --as hex"),
        format!("cf{}\n", "ff".repeat(8))
    );
    let json = "{\"id\":0,\"deliveries\":1,\"length\":11,\"value\":\"plain text\"}";
    let got = ok("polyproc get values --json");
    assert_eq!(without_id(&got), without_id(json));
}

#[test]
fn json_has_text_or_hex() {
    if !own_shm() {
        return;
    }
    ok("polyproc put letters é --create; printf '\\377' | polyproc put letters");
    let got = ok("polyproc get letters --all --json");
    let lines: Vec<_> = got.lines().map(without_id).collect();
    assert_eq!(
        lines,
        [
            "\"deliveries\":1,\"length\":2,\"text\":\"é\"}",
            "\"deliveries\":1,\"length\":1,\"hex\":\"ff\"}"
        ]
    );
    ok("polyproc put letters '{not json'");
    assert_eq!(
        ok("polyproc get letters --as json"),
        "{\"hex\":\"7b6e6f74206a736f6e\"}\n"
    );
}

fn without_id(object: &str) -> &str {
    let object = object.trim_end();
    object.split_once(',').map_or(object, |(_, rest)| rest)
}

#[test]
fn what_a_killed_get_had_taken_comes_back() {
    if !own_shm() {
        return;
    }
    // Nobody reads the pipe, so the messages are taken and cannot be written.
    ok("seq 20000 | polyproc put numbers --lines --create");
    let mut get = std::process::Command::new(support::POLYPROC)
        .args(["get", "numbers", "--all"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("polyproc");
    let queue = polyproc::Queue::open("numbers").expect("a queue");
    until("it has taken some", || {
        queue
            .info()
            .is_ok_and(|info| info.in_flight > 0 && info.items < 20000)
    });
    std::thread::sleep(std::time::Duration::from_millis(50));
    get.kill().expect("a child");
    let output = get.wait_with_output().expect("a child");
    let mut numbers: Vec<u32> = String::from_utf8(output.stdout)
        .expect("UTF-8")
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    let rest = ok("polyproc get numbers --all");
    numbers.extend(
        rest.lines()
            .map(|line| line.parse::<u32>().expect("a number")),
    );
    for number in 1..=20000 {
        assert!(numbers.contains(&number), "{number} is lost");
    }
}

#[test]
fn a_queue_that_is_waited_for_gets_its_message() {
    if !own_shm() {
        return;
    }
    ok("polyproc put letters one --create; polyproc get letters");
    let mut get = start(&["get", "letters", "--timeout", "1m"]);
    ok("polyproc put letters two");
    assert!(get.wait().expect("a child").success());
}
