//! The messages that a bridge has from the server and has not settled there.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use async_nats::{Message, Subject};

/// A message of the stream. A stream that is made anew begins its sequences again, so the time
/// belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub sequence: u64,
    /// In nanoseconds.
    pub published: i64,
}

impl Key {
    /// Reads it from the reply subject of a delivery, in one of its two forms:
    ///
    /// ```text
    /// $JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.SEQUENCE_OF_CONSUMER.PUBLISHED.PENDING
    /// $JS.ACK.DOMAIN.ACCOUNT.STREAM.CONSUMER.DELIVERED.SEQUENCE... as above, and maybe more
    /// ```
    fn of(reply: &str) -> Option<Key> {
        let parts = reply.strip_prefix("$JS.ACK.")?;
        let before = match parts.split('.').count() {
            7 => 3,
            9.. => 5,
            _ => return None,
        };
        let mut parts = parts.split('.').skip(before);
        let sequence = parts.next()?.parse().ok()?;
        let published = parts.nth(1)?.parse().ok()?;
        Some(Key {
            sequence,
            published,
        })
    }
}

/// An answer to the server about a message.
#[derive(Clone, Debug)]
pub enum End {
    Done,
    /// It goes to the dead letters.
    Dead {
        /// Its id among the dead letters of the queue.
        id: Option<u64>,
        reason: String,
    },
    /// It is to be delivered again.
    Back,
}

pub enum Stage {
    /// It waits for room in the queue.
    Arrived,
    /// It is in the queue.
    Put,
    /// The server is being told.
    Over(End),
}

pub struct Held {
    /// As it was delivered last. Its reply subject is where the server is told.
    pub message: Box<Message>,
    pub stage: Stage,
}

#[derive(Default)]
pub struct Store {
    held: HashMap<Key, Held>,
    /// Those that wait for room, in their order.
    arrived: VecDeque<Key>,
    /// Those that are in the queue.
    put: BTreeMap<u64, Key>,
    /// Those of which the server was told last that they are over.
    settled: HashSet<Key>,
    settled_in_order: VecDeque<Key>,
}

/// How many messages are remembered that are over. A delivery that was on its way when the server
/// was told of the end is found among them.
const REMEMBERED: usize = 8192;

/// The kinds of deliveries.
pub enum Delivery {
    New,
    /// Of a message that this bridge has.
    Again,
    /// Of a message that is over, and where the server is told so.
    Over(Subject),
}

impl Store {
    /// Takes a delivery in.
    pub fn arrive(&mut self, message: Box<Message>) -> Result<Delivery, String> {
        let reply = message.reply.as_ref().ok_or("it has no reply subject")?;
        let key = Key::of(reply).ok_or_else(|| format!("its reply subject is {reply}"))?;
        if self.settled.contains(&key) {
            return Ok(Delivery::Over(reply.clone()));
        }
        match self.held.entry(key) {
            Entry::Occupied(mut held) => {
                held.get_mut().message = message;
                Ok(Delivery::Again)
            }
            Entry::Vacant(place) => {
                let stage = Stage::Arrived;
                place.insert(Held { message, stage });
                self.arrived.push_back(key);
                Ok(Delivery::New)
            }
        }
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn get(&self, key: Key) -> Option<&Held> {
        self.held.get(&key)
    }

    /// The next message to put.
    pub fn next(&self) -> Option<&Held> {
        self.held.get(self.arrived.front()?)
    }

    /// How many messages wait for room.
    pub fn waiting(&self) -> usize {
        self.arrived.len()
    }

    /// The next message is in the queue now.
    pub fn is_put(&mut self, id: u64) {
        if let Some(key) = self.arrived.pop_front() {
            self.put.insert(id, key);
            self.set(key, Stage::Put);
        }
    }

    /// The next message is not put.
    pub fn is_not_put(&mut self, end: End) -> Option<Key> {
        let key = self.arrived.pop_front()?;
        self.set(key, Stage::Over(end));
        Some(key)
    }

    /// A message has left the queue.
    pub fn is_settled(&mut self, id: u64, end: End) -> Option<Key> {
        let key = self.put.remove(&id)?;
        self.set(key, Stage::Over(end));
        Some(key)
    }

    fn set(&mut self, key: Key, stage: Stage) {
        if let Some(held) = self.held.get_mut(&key) {
            held.stage = stage;
        }
    }

    /// The messages in the queue, oldest first: their ids.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.put.keys().copied()
    }

    pub fn has_put(&self) -> bool {
        !self.put.is_empty()
    }

    /// The server knows the end of a message.
    pub fn forget(&mut self, key: Key) {
        let Some(held) = self.held.remove(&key) else {
            return;
        };
        if matches!(held.stage, Stage::Over(End::Back)) {
            return;
        }
        self.settled.insert(key);
        self.settled_in_order.push_back(key);
        if self.settled_in_order.len() > REMEMBERED {
            if let Some(oldest) = self.settled_in_order.pop_front() {
                self.settled.remove(&oldest);
            }
        }
    }

    /// The messages that are over here, and not known to be over there, in the stream's order.
    pub fn over(&self) -> Vec<Key> {
        let over = |(_, held): &(&Key, &Held)| matches!(held.stage, Stage::Over(_));
        let mut over: Vec<Key> = self.held.iter().filter(over).map(|(key, _)| *key).collect();
        over.sort_unstable();
        over
    }

    /// All messages that the server has to know to be in work.
    pub fn all(&self) -> impl Iterator<Item = &Held> {
        self.held.values()
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn the_reply_subject_of_a_delivery_has_the_sequence_and_the_time_in_the_stream() {
        let key = Some(Key {
            sequence: 35160,
            published: 1_764_484_002_127_559_683,
        });
        let parts = "JOBS.polyproc.1.35160.40000.1764484002127559683.17";
        assert_eq!(Key::of(&format!("$JS.ACK.{parts}")), key);
        assert_eq!(Key::of(&format!("$JS.ACK._.ACCOUNT.{parts}")), key);
        assert_eq!(Key::of(&format!("$JS.ACK.hub.ACCOUNT.{parts}.token")), key);
    }

    #[test]
    fn another_reply_subject_is_refused() {
        for reply in [
            "",
            "_INBOX.1",
            "$JS.ACK.JOBS.polyproc",
            "$JS.ACK.JOBS.polyproc.1.x.1.1.1",
            "$JS.ACK.JOBS.polyproc.1.1.1.x.1",
            "$JS.ACK.1.JOBS.polyproc.1.1.1.1.1",
        ] {
            assert_eq!(Key::of(reply), None, "{reply}");
        }
    }
}
