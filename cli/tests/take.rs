//! `take`: nothing is lost, whoever is killed.

mod support;

use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

use support::{children, code, ok, own_shm, runs, start, until, Folder};

fn kill(pid: i32) {
    // SAFETY: no preconditions. It is a child of a process that this test started.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

fn end(mut child: Child) {
    child.kill().expect("a child");
    child.wait().expect("a child");
}

#[test]
fn each_message_runs_the_program() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs a 'b c' '$(d)' --create --joinable");
    assert_eq!(
        ok("polyproc take jobs -- printf '<%s>' 1 {} 2{}{}"),
        "<1><a><2aa><1><b c><2b cb c><1><$(d)><2$(d)$(d)>"
    );
    assert_eq!(code("polyproc take jobs -- echo {}").0, 3);
    ok("polyproc put jobs one two; polyproc put jobs three");
    assert_eq!(ok("polyproc take jobs -n 2 -- cat"), "onetwo");
    assert_eq!(
        ok("polyproc take jobs -- sh -c 'echo $POLYPROC_DELIVERIES'"),
        "1\n"
    );
    ok("polyproc join jobs");
}

#[test]
fn a_program_that_is_not_there_leaves_the_message() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs a --create");
    assert_eq!(code("polyproc take jobs -- no-such-program {}").0, 127);
    assert_eq!(code("polyproc take jobs -- /etc/passwd {}").0, 126);
    assert_eq!(code("polyproc take jobs -- echo {} >&-").0, 1);
    assert_eq!(ok("polyproc get jobs"), "a\n");
}

#[test]
fn a_message_that_is_no_argument_is_standard_input() {
    if !own_shm() {
        return;
    }
    ok("printf 'a\\0b' | polyproc put jobs --create --max-deliveries 1");
    let output = support::shell("polyproc take jobs -- echo {}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("from its standard input"), "{errors}");
    ok("head -c 3000000 /dev/zero | polyproc put jobs");
    assert_eq!(code("polyproc take jobs -- echo {}").0, 1);
    ok("polyproc dead jobs retry");
    assert_eq!(ok("polyproc take jobs -- wc -c"), "3\n3000000\n");
}

#[test]
fn where_the_system_has_no_room_fewer_programs_run() {
    if !own_shm() {
        return;
    }
    ok("seq 40 | polyproc put jobs --lines --create --max-deliveries 1");
    let line = "ulimit -n 40; polyproc take jobs -P 40 -- sh -c 'sleep 0.1; echo $1' sh {}";
    let seen = ok(&format!("{line} | sort -n"));
    let all: String = (1..=40).map(|number| format!("{number}\n")).collect();
    assert_eq!(seen, all);
}

#[test]
fn a_message_that_fails_does_not_hold_up_the_others() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs bad good better --create --max-deliveries 3");
    let (exit, output) = code("polyproc take jobs -- sh -c 'test $1 != bad && echo $1' sh {}");
    assert_eq!((exit, output.as_str()), (1, "good\nbetter\n"));
    let queue = polyproc::Queue::open("jobs").expect("a queue");
    let info = queue.info().expect("its numbers");
    assert_eq!((info.dead_letters, info.unfinished), (1, 0));
}

#[test]
fn a_program_that_fails_once_runs_again() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs a b --create --joinable");
    let line =
        "polyproc take jobs -P 2 -- sh -c 'test $POLYPROC_DELIVERIES = 2 && echo $1' sh {} | sort";
    assert_eq!(ok(line), "a\nb\n");
    ok("polyproc join jobs --timeout 0");
}

#[test]
fn the_programs_of_a_killed_take_end_and_its_messages_come_back() {
    if !own_shm() {
        return;
    }
    ok("polyproc put jobs 1000 1001 1002 --create --joinable");
    let take = start(&["take", "jobs", "-P", "2", "--", "sleep", "{}"]);
    until("two programs run", || children(take.id()).len() == 2);
    let programs = children(take.id());
    end(take);
    for program in programs {
        until("the program has ended", || !runs(program));
    }
    assert_eq!(ok("polyproc get jobs --all | sort"), "1000\n1001\n1002\n");
}

/// A generator of numbers that need not be good.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

#[test]
fn killed_at_random_nothing_is_lost() {
    if !own_shm() {
        return;
    }
    const MESSAGES: usize = 300;
    let folder = Folder::new("take");
    let done = folder.0.join("done");
    let line = format!("sleep 0.01; echo $1 >> {}", done.display());
    let take = [
        "take", "jobs", "-P", "4", "--", "sh", "-c", &line, "sh", "{}",
    ];
    ok(&format!(
        "seq {MESSAGES} | polyproc put jobs --lines --create --joinable"
    ));
    let mut random = Random(15);
    let mut kills = 0;
    let mut current = start(&take);
    // Programs are killed all the time, and now and then the command itself.
    while current.try_wait().expect("a child").is_none() {
        if random.below(12) == 0 {
            end(std::mem::replace(&mut current, start(&take)));
        }
        let programs = children(current.id());
        if let Some(program) = programs.get(random.below(programs.len())) {
            if kills < 100 {
                kill(*program);
                kills += 1;
            }
        }
        std::thread::sleep(Duration::from_millis(random.below(20) as u64));
    }
    // 3: others had done all of it.
    let code = current.wait().expect("a child").code();
    assert!(matches!(code, Some(0 | 3)), "{code:?}");
    assert!(kills > 0);
    // A take that was killed last may have left messages.
    support::code(&take_line(&line));
    ok("polyproc join jobs --timeout 10");
    let text = std::fs::read_to_string(done).expect("what the programs wrote");
    let seen: BTreeSet<_> = text.lines().map(String::from).collect();
    let all: BTreeSet<_> = (1..=MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(seen, all);
    println!(
        "{kills} programs were killed; {} runs for {MESSAGES} messages",
        text.lines().count()
    );
}

fn take_line(line: &str) -> String {
    format!("polyproc take jobs -- sh -c '{line}' sh {{}}")
}

#[test]
fn every_file_is_counted_while_two_of_four_are_killed() {
    if !own_shm() {
        return;
    }
    let folder = Folder::new("files");
    let counts = folder.0.join("counts");
    let line = format!("sleep 0.01; wc -l \"$1\" >> {}", counts.display());
    let files = "find /usr/include -name '*.h' | sed -n 1,300p";
    ok(&format!(
        "{files} | polyproc put files --lines --create --joinable"
    ));
    let take = start(&[
        "take", "files", "-P", "4", "--", "sh", "-c", &line, "sh", "{}",
    ]);
    until("four programs run", || children(take.id()).len() == 4);
    children(take.id()).into_iter().take(2).for_each(kill);
    ok("polyproc join files");
    let mut take = take;
    assert!(take.wait().expect("a child").success());
    let counted = ok(&format!("sort -u {} | wc -l", counts.display()));
    assert_eq!(counted, ok(&format!("{files} | wc -l")));
}
