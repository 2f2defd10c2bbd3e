//! The state of an object in a few words.

use polyproc::inspect::{Hold, Intake, Object, Participant, State, Verdict, Whereabouts};

use super::user;
use crate::form::clean;

/// What a person calls the kind of an object.
pub fn kind(object: &Object) -> &'static str {
    match &object.state {
        Some(State::Queue(queue)) if queue.options.joinable => "joinable queue",
        _ => object.kind.map_or("?", |kind| kind.name()),
    }
}

/// The state in a few words: what is wrong, or what matters of its kind.
pub fn state(object: &Object) -> String {
    match &object.verdict {
        Verdict::Sound => {}
        Verdict::Damaged(why) => return format!("DAMAGED: {why}"),
        Verdict::Unknown(why) => return format!("no object: {why}"),
        Verdict::Unreadable(why) => return format!("not readable: {why}"),
    }
    let Some(state) = &object.state else {
        return String::new();
    };
    let holder = || {
        let holds_lock = |one: &&Participant| matches!(one.holds[..], [Hold::Lock(_)]);
        let holder = object.participants.iter().find(holds_lock);
        holder.map_or(String::new(), |one| format!(" by {}", one.pid))
    };
    let owner = match object.is_own {
        true => String::new(),
        false => format!("of user {}; ", user(object.user)),
    };
    let text = match *state {
        State::Lock { is_held: false, .. } | State::Rlock { depth: 0, .. } => "free".to_owned(),
        State::Lock { owner_died, .. } | State::Rlock { owner_died, .. } if owner_died => {
            "its holder died".to_owned()
        }
        State::Lock { .. } | State::Rlock { depth: 1, .. } => format!("held{}", holder()),
        State::Rlock { depth, .. } => format!("held{}, {depth} times", holder()),
        State::Semaphore { value, maximum, .. } => match maximum {
            0 => format!("{value} free"),
            maximum => format!("{value} of {maximum} free"),
        },
        State::Event { is_set: true } => "set".to_owned(),
        State::Event { is_set: false } => "not set".to_owned(),
        State::Queue(ref queue) => match queue.intake {
            Intake::Open if is_full(queue) => "full".to_owned(),
            Intake::Open => String::new(),
            Intake::Draining | Intake::Discarded => "shut down".to_owned(),
        },
        State::Condition { waiting } => format!("{waiting} waiting"),
        State::Barrier {
            is_broken: true, ..
        } => "broken".to_owned(),
        State::Barrier {
            parties, waiting, ..
        } => format!("{waiting} of {parties} arrived"),
        _ => String::new(),
    };
    let text = format!("{owner}{text}");
    text.strip_suffix("; ").map(String::from).unwrap_or(text)
}

/// Whether a limit of items or of bytes lets no further message in.
pub fn is_full(queue: &polyproc::inspect::QueueState) -> bool {
    let options = &queue.options;
    // A record of no bytes takes 16.
    (options.max_items != 0 && queue.waiting >= options.max_items)
        || (options.max_bytes != 0 && queue.bytes.saturating_add(16) > options.max_bytes)
}

/// The process of a participant: its command, and since when it runs.
pub fn process(participant: &Participant) -> (String, String) {
    match participant.process() {
        Whereabouts::Here(process) => {
            let mut command = clean(&process.command);
            if process.is_stopped {
                command.insert_str(0, "STOPPED: ");
            }
            (command, super::age(process.age))
        }
        Whereabouts::Ended => ("DEAD, not recovered yet".to_owned(), String::new()),
        Whereabouts::Elsewhere => (
            "in another pid namespace, or hidden".to_owned(),
            String::new(),
        ),
    }
}

/// What it holds: `3 messages, 1 reservation`.
pub fn holds(participant: &Participant) -> String {
    let holds: Vec<_> = participant
        .holds
        .iter()
        .map(|one| one.to_string())
        .collect();
    holds.join(", ")
}

/// For what its threads wait: `a message (2 threads)`.
pub fn waits(participant: &Participant) -> String {
    let reasons: Vec<_> = participant
        .waits_for
        .iter()
        .map(|one| one.to_string())
        .collect();
    let reasons = reasons.join(" or ");
    match (participant.asleep, reasons.is_empty()) {
        (0, _) => String::new(),
        (1, false) => reasons,
        (1, true) => "asleep".to_owned(),
        (threads, false) => format!("{reasons} ({threads} threads)"),
        (threads, true) => format!("asleep ({threads} threads)"),
    }
}
