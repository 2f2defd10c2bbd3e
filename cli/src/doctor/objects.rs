//! Findings about objects, and about the processes that use them.

use polyproc::inspect::{
    self, Intake, Object, Participant, QueueState, State, Verdict, Whereabouts,
};

use super::{Finding, Level};
use crate::failure::Failure;
use crate::opened::Opened;
use crate::prune::has_messages;
use crate::view::{self, text};

/// At most this many names in one line.
const NAMES: usize = 8;

pub fn check() -> Result<Vec<Finding>, Failure> {
    let objects = inspect::objects()?;
    let mut findings = Vec::new();
    for object in &objects {
        verdict(object, &mut findings);
        if let Some(State::Queue(queue)) = &object.state {
            queue_of(object, queue, &mut findings);
        }
        participants(object, &mut findings);
    }
    let memory = objects.iter().map(|object| object.memory).sum();
    let count = objects.len();
    findings.insert(
        0,
        Finding::ok("objects", format!("{count}, {}", view::size(memory))),
    );
    findings.extend(foreign(&objects));
    findings.extend(unused(&objects));
    Ok(findings)
}

fn verdict(object: &Object, findings: &mut Vec<Finding>) {
    let name = &object.name;
    match &object.verdict {
        Verdict::Damaged(why) => findings.push(Finding::new(
            Level::Fail,
            name,
            format!("damaged: {why}"),
            format!("polyproc rm {name}"),
        )),
        Verdict::Unknown(why) => findings.push(Finding::new(
            Level::Warn,
            name,
            format!("no object: {why}"),
            match inspect::file(name) {
                Ok(file) => format!("ls -l {}", file.display()),
                Err(_) => "polyproc ls".to_owned(),
            },
        )),
        Verdict::Sound | Verdict::Unreadable(_) => {}
    }
}

fn queue_of(object: &Object, queue: &QueueState, findings: &mut Vec<Finding>) {
    let name = &object.name;
    if queue.dead_letters > 0 {
        let count = queue.dead_letters;
        let plural = if count == 1 { "" } else { "s" };
        findings.push(Finding::new(
            Level::Warn,
            name,
            format!("{count} dead letter{plural}: delivered too often, and not done"),
            format!("polyproc peek {name} --from dead"),
        ));
    }
    let sleepers = object.asleep();
    if text::is_full(queue) && sleepers > 0 && queue.intake == Intake::Open {
        let waiting = match sleepers {
            1 => "a thread waits".to_owned(),
            threads => format!("{threads} threads wait"),
        };
        findings.push(Finding::new(
            Level::Warn,
            name,
            format!("full, and {waiting}: its consumers are too slow, or gone"),
            format!("polyproc stat {name}"),
        ));
    }
}

fn participants(object: &Object, findings: &mut Vec<Finding>) {
    let name = &object.name;
    let (mut stopped, mut elsewhere) = (Vec::new(), 0);
    for one in object.participants.iter().filter(|one| one.is_alive()) {
        match one.process() {
            Whereabouts::Here(process) if process.is_stopped => stopped.push(one),
            Whereabouts::Elsewhere => elsewhere += 1,
            _ => {}
        }
    }
    let has_dead = object.participants.iter().any(|one| !one.is_alive());
    // Only a look at every message tells which messages of a queue each process holds.
    let whole = (has_dead || !stopped.is_empty()).then(|| inspect::object(name).ok());
    let holder = |one: &&Participant| -> Option<Participant> {
        let mut all = whole
            .iter()
            .flatten()
            .flat_map(|object| &object.participants);
        let same = all.find(|other| other.slot == one.slot && other.pid == one.pid)?;
        (!same.holds.is_empty()).then(|| same.clone())
    };
    for one in stopped.iter().filter_map(holder) {
        let (pid, holds) = (one.pid, text::holds(&one));
        findings.push(Finding::new(
            Level::Warn,
            name,
            format!("process {pid} is stopped and holds {holds}"),
            format!("kill -CONT {pid}"),
        ));
    }
    let dead = object.participants.iter().filter(|one| !one.is_alive());
    for one in dead.collect::<Vec<_>>().iter().filter_map(holder) {
        let (pid, holds) = (one.pid, text::holds(&one));
        findings.push(Finding::new(
            Level::Warn,
            name,
            format!("process {pid} has died and holds {holds}; the next use of {name} recovers it"),
            format!("polyproc stat {name}"),
        ));
    }
    if elsewhere > 0 {
        findings.push(Finding::new(
            Level::Warn,
            name,
            format!("{elsewhere} of its processes are in another pid namespace, or hidden"),
            format!(
                "nsenter --target PID --pid --mount polyproc stat {name}  # PID: one process of it"
            ),
        ));
    }
}

fn foreign(objects: &[Object]) -> Option<Finding> {
    let foreign = objects
        .iter()
        .filter(|object| matches!(object.verdict, Verdict::Unreadable(_)));
    let names: Vec<_> = foreign
        .map(|object| format!("{} of {}", object.name, view::user(object.user)))
        .collect();
    let count = names.len();
    let text = format!("{count} cannot be read: {}", some(&names));
    (count > 0).then(|| Finding::ok("other users", text))
}

fn unused(objects: &[Object]) -> Option<Finding> {
    let opened = Opened::now();
    let is_unused =
        |object: &&Object| object.verdict.is_sound() && object.users() == 0 && !opened.has(object);
    let unused: Vec<_> = objects.iter().filter(is_unused).collect();
    let names: Vec<_> = unused.iter().map(|object| object.name.clone()).collect();
    let text = match names.len() {
        0 => return None,
        1 => format!("no process has {} open", some(&names)),
        count => format!("no process has {count} objects open: {}", some(&names)),
    };
    let advice = match &unused[..] {
        [one] if has_messages(one) => {
            format!("polyproc stat {0}  # rm {0} loses its messages", one.name)
        }
        [one] => format!("polyproc rm {}", one.name),
        _ => "polyproc prune --unused --dry-run".to_owned(),
    };
    Some(Finding::new(Level::Warn, "unused", text, advice))
}

fn some(names: &[String]) -> String {
    let shown = names.iter().take(NAMES).map(String::as_str);
    let shown: Vec<_> = shown.collect();
    let more = names.len().saturating_sub(NAMES);
    match more {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}
