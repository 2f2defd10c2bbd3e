//! The accounts of one configuration: each record of the log is checked against what may be true at
//! that moment.

use std::collections::{HashMap, HashSet};

use super::locks::Locks;
use super::log::{op, Record};

/// The process that runs the configuration, and drains its queues.
pub const AUDITOR: u32 = 0;
/// The place of the pipe; the places below it are the queues.
pub const PIPE: i32 = 8;

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Put {
    #[default]
    Begun,
    Done,
    /// It returned without having put the message.
    Refused,
}

#[derive(Default)]
struct Message {
    place: i32,
    put: Put,
    is_reserved: bool,
    holder: Option<u32>,
    /// Its holder has begun to return or settle it.
    returning: bool,
    settling: bool,
    settled: bool,
    got: u64,
}

impl Message {
    fn check_put(&self, number: u64) -> Checked {
        match self.put == Put::Refused && self.got > 0 {
            true => Err(format!(
                "message {number:#x} was delivered, though its put was refused"
            )),
            false => Ok(()),
        }
    }
}

#[derive(Default)]
struct Actor {
    last: Option<Record>,
    pid: i32,
    /// The actor that started it, unless this process did. Another program in the same process is
    /// another actor.
    parent: Option<u32>,
    left: bool,
    /// The place from which it takes, and whether the taken message is consumed at once.
    taking: Option<(i32, bool)>,
    /// How many messages without bytes it has begun to put or to settle.
    nameless_put: i64,
    nameless_settling: i64,
}

/// The messages without bytes, which are all alike.
#[derive(Default)]
struct Nameless {
    put: i64,
    settled: i64,
}

#[derive(Default)]
pub struct Figures {
    pub puts: u64,
    pub extra: u64,
    pub lost: u64,
    pub again: u64,
    pub stall: u64,
}

#[derive(Default)]
pub struct Ledger {
    messages: HashMap<u64, Message>,
    nameless: HashMap<i32, Nameless>,
    actors: HashMap<u32, Actor>,
    by_pid: HashMap<i32, Vec<u32>>,
    killed: HashSet<i32>,
    last: HashMap<(u32, i32, u32), u64>,
    pub locks: Locks,
    /// How many deliveries each place allows; 0: any number.
    pub max_deliveries: HashMap<i32, u64>,
    /// Without room for a dead letter its message is delivered once more.
    pub lacks_memory: bool,
    pub figures: Figures,
}

type Checked = Result<(), String>;

const NOT_COUNTED: &str = "its deliveries are not counted";

impl Ledger {
    /// Returns whether the actor has ended or is about to. Children die with their parent, and
    /// daemons also when it starts another program.
    pub fn is_gone(&self, actor: u32) -> bool {
        self.actors.get(&actor).is_some_and(|known| {
            known.left
                || self.killed.contains(&known.pid)
                || known.parent.is_some_and(|parent| self.is_gone(parent))
        })
    }

    fn actors_of(&self, pid: i32) -> impl Iterator<Item = &Actor> {
        let actors = self.by_pid.get(&pid).into_iter().flatten();
        actors.filter_map(|actor| self.actors.get(actor))
    }

    /// Returns the processes that have not left.
    pub fn living(&self) -> Vec<i32> {
        let mut pids: Vec<i32> = self
            .actors
            .iter()
            .filter(|(number, _)| !self.is_gone(**number))
            .map(|(_, actor)| actor.pid)
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Returns the last record of a process.
    pub fn last_of(&self, pid: i32) -> String {
        let actors = self.actors_of(pid).filter_map(|actor| actor.last);
        format!("{:?}", actors.last())
    }

    pub fn take_in(&mut self, record: Record) -> Checked {
        let Record { actor, place, .. } = record;
        if let Some(known) = self.actors.get_mut(&actor) {
            known.last = Some(record);
        }
        match record.op {
            op::START => {
                let (pid, parent) = ((record.value >> 32) as i32, record.value as i32);
                let parent = self.by_pid.get(&parent).and_then(|all| all.last());
                let parent = parent.copied();
                self.by_pid.entry(pid).or_default().push(actor);
                let new = Actor {
                    pid,
                    parent,
                    ..Default::default()
                };
                match self.actors.insert(actor, new) {
                    Some(_) => Err(format!("actor {actor:#x} begins twice")),
                    None => Ok(()),
                }
            }
            op::LEAVE => {
                self.actor(actor).left = true;
                Ok(())
            }
            op::KILL => {
                self.killed.insert(record.value as i32);
                Ok(())
            }
            op::PUT_BEGIN | op::PUT_END => self.put(record),
            op::TAKE_BEGIN => {
                self.actor(actor).taking = Some((place, record.value != 0));
                Ok(())
            }
            op::TAKE_END => {
                self.actor(actor).taking = None;
                Ok(())
            }
            op::GOT | op::GOT_FOR_GOOD | op::DEAD_GOT => self.got(record),
            op::DONE_BEGIN | op::DONE_END => self.done(record),
            op::RETURN_BEGIN | op::RETURN_END => self.give_back(record),
            op::LOCK_BEGIN..=op::UNLOCK_END => {
                let mut locks = std::mem::take(&mut self.locks);
                let checked = locks.take_in(record, &|actor| self.is_gone(actor));
                self.locks = locks;
                checked
            }
            op::SLOW => {
                self.figures.stall = self.figures.stall.max(record.value);
                Ok(())
            }
            other => Err(format!("a record that says {other}")),
        }
    }

    fn actor(&mut self, number: u32) -> &mut Actor {
        self.actors.entry(number).or_default()
    }

    fn put(&mut self, record: Record) -> Checked {
        let is_begin = record.op == op::PUT_BEGIN;
        if !is_begin {
            self.figures.puts += record.value;
        }
        if record.message == 0 {
            self.actor(record.actor).nameless_put += if is_begin { 1 } else { -1 };
            if !is_begin {
                self.nameless.entry(record.place).or_default().put += record.value as i64;
            }
            return Ok(());
        }
        if is_begin {
            for message in record.message..record.message + record.value {
                let new = Message {
                    place: record.place,
                    is_reserved: record.status == 1,
                    ..Default::default()
                };
                self.messages.insert(message, new);
            }
            return Ok(());
        }
        // Of a put of many the first ones are there, and the others are not.
        for number in record.message.. {
            let is_there = number < record.message + record.value;
            match self.messages.get_mut(&number) {
                Some(message) if message.put == Put::Begun && !message.is_reserved => {
                    message.put = if is_there { Put::Done } else { Put::Refused };
                    message.check_put(number)?;
                }
                Some(message) if number == record.message => {
                    message.put = if is_there { Put::Done } else { Put::Refused };
                    return message.check_put(number);
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn got(&mut self, record: Record) -> Checked {
        let Record {
            actor,
            place,
            message: number,
            ..
        } = record;
        let for_good = record.op == op::GOT_FOR_GOOD;
        self.actor(actor).taking = None;
        if number == 0 {
            self.nameless.entry(place).or_default().settled += i64::from(for_good);
            return Ok(());
        }
        let most = self.max_deliveries.get(&place).copied().unwrap_or(0);
        let Some(message) = self.messages.get(&number) else {
            return Err(format!("forged: message {number:#x} was never put"));
        };
        let holder_is_gone = message.holder.is_none_or(|holder| self.is_gone(holder));
        let breach = if message.place != place {
            "it comes out of another queue"
        } else if message.put == Put::Refused {
            "forged: its put was refused"
        } else if message.settled {
            "doubled: it is settled"
        } else if !holder_is_gone && !message.returning {
            "doubled: its holder lives"
        } else if record.op == op::GOT && record.value != 0 && record.value <= message.got {
            NOT_COUNTED
        } else if most > 0
            && !self.lacks_memory
            && record.op == op::GOT
            && (message.got + 1).max(record.value) > most
        {
            "it is delivered too often"
        } else if record.op == op::DEAD_GOT && most == 0 {
            "it is a dead letter without a limit"
        } else {
            ""
        };
        // A process that was killed while it waited to write is in the log too late.
        let may_be_late = breach.starts_with("doubled") || breach == NOT_COUNTED;
        if may_be_late && self.is_gone(actor) {
            return Ok(());
        }
        if !breach.is_empty() {
            let holder = message.holder.map(|holder| holder >> 16);
            return Err(format!(
                "message {number:#x} at {place} to process {}, delivery {} after {} in the log (holder: process {holder:?}, \
                 returning {}, settling {}): {breach}",
                actor >> 16,
                record.value,
                message.got,
                message.returning,
                message.settling
            ));
        }
        let in_order =
            record.op == op::GOT && record.value == 1 && !message.is_reserved && actor != AUDITOR;
        if in_order {
            let producer = (number >> 32) as u32;
            let last = self.last.entry((actor, place, producer)).or_default();
            if *last > number {
                return Err(format!(
                    "order: message {number:#x} comes after {:#x}",
                    *last
                ));
            }
            *last = number;
        }
        if let Some(message) = self.messages.get_mut(&number) {
            self.figures.again += u64::from(message.got > 0);
            message.got += u64::from(record.op != op::DEAD_GOT);
            message.holder = Some(actor);
            message.returning = false;
            message.settling = false;
            message.settled = for_good;
        }
        Ok(())
    }

    fn done(&mut self, record: Record) -> Checked {
        let is_begin = record.op == op::DONE_BEGIN;
        if record.message == 0 {
            self.actor(record.actor).nameless_settling += if is_begin { 1 } else { -1 };
            let settled = i64::from(!is_begin && record.status == 0);
            self.nameless.entry(record.place).or_default().settled += settled;
            return Ok(());
        }
        let Some(message) = self.messages.get(&record.message) else {
            return Err("a message is settled that nobody put".to_owned());
        };
        if message.holder != Some(record.actor) {
            // A call that has settled it is no such case: then nobody else can have it.
            if (is_begin || record.status != 0) && self.is_gone(record.actor) {
                return Ok(());
            }
            return Err(format!(
                "doubled: message {:#x} is settled by one who no longer has it",
                record.message
            ));
        }
        if let Some(message) = self.messages.get_mut(&record.message) {
            message.settling = is_begin;
            message.settled |= !is_begin && record.status == 0;
        }
        Ok(())
    }

    fn give_back(&mut self, record: Record) -> Checked {
        let is_gone = self.is_gone(record.actor);
        if let Some(message) = self.messages.get_mut(&record.message) {
            // Another process may have it by the time the call returns.
            if message.holder == Some(record.actor) {
                message.returning = record.op == op::RETURN_BEGIN || record.status == 0;
            } else if record.op == op::RETURN_END && record.status != 0 && !is_gone {
                return Err(format!(
                    "doubled: message {:#x} was not returned, and another has it",
                    record.message
                ));
            }
        }
        Ok(())
    }

    /// Returns how many puts the queue must have counted at least, and may have at most.
    pub fn puts_between(&self, place: i32) -> (u64, u64) {
        let own = self
            .messages
            .values()
            .filter(|message| message.place == place);
        let (mut least, mut open) = (0, 0);
        for message in own {
            least += u64::from(message.put == Put::Done);
            open += u64::from(message.put == Put::Begun);
        }
        least += self
            .nameless
            .get(&place)
            .map_or(0, |nameless| nameless.put.max(0) as u64);
        open += self
            .actors
            .values()
            .map(|actor| actor.nameless_put.max(0) as u64)
            .sum::<u64>();
        (least, least + open)
    }

    /// When everything is drained and all processes are gone: nothing is missing but what a killed
    /// process had consumed, and what an immediate shutdown discarded.
    pub fn settle(&mut self, place: i32, discarded: u64) -> Checked {
        let taken_along = self
            .actors
            .values()
            .filter(|actor| actor.taking == Some((place, true)))
            .count() as u64;
        let mut missing: Vec<u64> = Vec::new();
        let mut extra = 0;
        for (number, message) in &self.messages {
            if message.place != place {
                continue;
            }
            extra += u64::from(message.put == Put::Begun && message.got > 0);
            if message.put == Put::Done && !message.settled && !message.settling {
                missing.push(*number);
            }
        }
        self.figures.extra += extra;
        let nameless = self.nameless.remove(&place).unwrap_or_default();
        let open = |count: fn(&Actor) -> i64| self.actors.values().map(count).sum::<i64>();
        if nameless.settled > nameless.put + open(|actor| actor.nameless_put) {
            return Err(format!(
                "doubled or forged: a message without bytes at {place}"
            ));
        }
        let settling = open(|actor| actor.nameless_settling);
        let missing_nameless = (nameless.put - nameless.settled - settling).max(0) as u64;
        let lost =
            (missing.len() as u64 + missing_nameless).saturating_sub(taken_along + discarded);
        self.figures.lost += lost;
        match lost {
            0 => Ok(()),
            _ => Err(format!(
                "lost: at {place} {} messages are missing ({:#x?} ..., {missing_nameless} without bytes), of which {taken_along} \
                 may have gone with the killed and {discarded} were discarded",
                missing.len() as u64 + missing_nameless,
                &missing[..missing.len().min(4)]
            )),
        }
    }
}
