//! Objects as JSON, with the field names that docs/book/command.md lists.

use polyproc::inspect::{Hold, Intake, Liveness, Object, Participant, State, Verdict, Whereabouts};
use serde_json::{json, Map, Value};

use crate::form::hex;

/// An object without its participants.
pub fn object(object: &Object) -> Map<String, Value> {
    let (verdict, why) = match &object.verdict {
        Verdict::Sound => ("sound", None),
        Verdict::Damaged(why) => ("damaged", Some(why)),
        Verdict::Unreadable(why) => ("unreadable", Some(why)),
        Verdict::Unknown(why) => ("unknown", Some(why)),
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("name", json!(object.name));
    put("kind", json!(object.kind.map(|kind| kind.name())));
    put("verdict", json!(verdict));
    put("why", json!(why));
    put("user", json!(object.user));
    put("mode", json!(format!("{:04o}", object.mode)));
    put("memory", json!(object.memory));
    put("users", json!(object.users()));
    put("asleep", json!(object.asleep()));
    put("recoveries", json!(object.recoveries));
    if let Some(state) = &object.state {
        add_state(&mut put, state);
    }
    fields
}

fn add_state(put: &mut impl FnMut(&str, Value) -> Option<Value>, state: &State) {
    match state {
        State::Lock {
            is_held,
            owner_died,
        } => {
            put("held", json!(is_held));
            put("owner_died", json!(owner_died));
        }
        State::Rlock { depth, owner_died } => {
            put("held", json!(*depth > 0));
            put("depth", json!(depth));
            put("owner_died", json!(owner_died));
        }
        State::Semaphore {
            value,
            maximum,
            owned,
        } => {
            put("value", json!(value));
            put("maximum", json!(maximum));
            put("owned", json!(owned));
        }
        State::Event { is_set } => {
            put("set", json!(is_set));
        }
        State::Queue(queue) => {
            put("waiting", json!(queue.waiting));
            put("in_flight", json!(queue.in_flight));
            put("unfinished", json!(queue.unfinished()));
            put("dead_letters", json!(queue.dead_letters));
            put("bytes", json!(queue.bytes));
            put("puts", json!(queue.puts));
            put("gets", json!(queue.gets));
            put("redelivered", json!(queue.redelivered));
            put("discarded", json!(queue.discarded));
            put("joinable", json!(queue.options.joinable));
            put("max_items", json!(queue.options.max_items));
            put("max_bytes", json!(queue.options.max_bytes));
            put("max_deliveries", json!(queue.options.max_deliveries));
            put("format", json!(queue.format()));
            put("shut_down", json!(queue.intake != Intake::Open));
            put("identity", json!(hex(&queue.identity)));
        }
        State::Condition { waiting } => {
            put("waiting", json!(waiting));
        }
        State::Barrier {
            parties,
            waiting,
            is_broken,
        } => {
            put("parties", json!(parties));
            put("waiting", json!(waiting));
            put("broken", json!(is_broken));
        }
        _ => {}
    }
}

/// A participant with its process.
pub fn participant(participant: &Participant) -> Value {
    let process = participant.process();
    let (command, age, stopped) = match &process {
        Whereabouts::Here(process) => (
            Some(&process.command),
            Some(process.age.as_secs_f64()),
            Some(process.is_stopped),
        ),
        _ => (None, None, None),
    };
    let liveness = match participant.liveness {
        Liveness::Alive => "alive",
        Liveness::Dead => "dead",
        Liveness::Unwatched => "unwatched",
    };
    // All fields are there, also those of which it holds nothing.
    let fields = [
        "lock",
        "permits",
        "messages",
        "reservations",
        "dead_letters",
    ];
    let mut holds: Map<_, _> = fields
        .map(|field| (field.to_owned(), json!(0)))
        .into_iter()
        .collect();
    for hold in &participant.holds {
        let (what, count) = match *hold {
            Hold::Lock(depth) => ("lock", u64::from(depth)),
            Hold::Permits(count) => ("permits", u64::from(count)),
            Hold::Messages(count) => ("messages", count),
            Hold::Reservations(count) => ("reservations", count),
            Hold::DeadLetters(count) => ("dead_letters", count),
        };
        holds.insert(what.to_owned(), json!(count));
    }
    let waits: Vec<_> = participant
        .waits_for
        .iter()
        .map(|one| one.to_string())
        .collect();
    json!({
        "pid": participant.pid,
        "slot": participant.slot,
        "liveness": liveness,
        "command": command,
        "age_seconds": age,
        "stopped": stopped,
        "asleep": participant.asleep,
        "holds": holds,
        "waits_for": waits,
        "puts": participant.so_far.map(|so_far| so_far.puts),
        "gets": participant.so_far.map(|so_far| so_far.gets),
    })
}
