//! The layout of a queue in shared memory: its own words, and its rings with their records.
//!
//! ```text
//!     65792  a queue's own words
//!     65792    settings, and whether it is shut down
//!     65920    messages
//!     65920      tail's mutex
//!     65924      owed: to be counted anew
//!     65928      how far a put may go: end, count, largest
//!     65952      what the tail saw of the head: count, bytes, free
//!     66048      cursor: its store commits a step
//!     66056      totals, twice: count, bytes
//!     66088      dead letters' mark, twice
//!     66104      reservations: the last one's place
//!     66176      head's mutex
//!     66180      owed: to be counted anew
//!     66208      how far the head saw records: a position
//!     66304      cursor: its store commits a step
//!     66312      totals, twice: count, bytes
//!     66360      reservations: the last one's place
//!     66432      behind the head's cursor: available, in_flight, ...
//!     66560    items: consumers sleep here
//!     66688    space: producers sleep here
//!     66816    drained: watchers of an empty queue
//!     66944    idle: joins sleep here
//!     67072    counters: redelivered, discarded
//!     67200    dead letters: as messages
//!     67840    states of 64 rings, 256 bytes each
//!     67840      start, end, allocated, largest, next: the producers'
//!     67968      free: the consumers'
//!     84224    ends: messages that are over and were not done
//!     92544    accounts of 1024 participants, 32 bytes each: put, got, ...
//!    126976  ring 0, messages, 128 KiB
//!    258048  ring 1, messages, 128 KiB
//!    389120  ring 48, dead letters, 128 KiB
//!    520192  ring 2, messages, 256 KiB
//!    782336  ring 3, messages, 256 KiB
//!   1044480  ring 49, dead letters, 256 KiB
//!       ...  up to ring 47, 1 TiB; a ring has memory as far as its records have come
//! ```
//!
//! The module `cursor` says where a record is; `segment::Bytes` copies messages.

pub(super) mod body;
pub(super) mod cursor;
pub(super) mod ends;
pub(super) mod record;
pub(super) mod ring;

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::body::{Behind, Body, ChainWords, Words, RINGS_AT};
    use super::cursor::{Seen, Side};
    use super::record::{Record, HEADER};
    use super::ring::{self, RingState, RINGS};
    use crate::segment::picture::{body_at, check, line};
    use crate::segment::Kind;

    fn chain(picture: &mut String, name: &str, at: usize) {
        line(picture, 2, at, name);
        for (side, offset) in [
            ("tail", offset_of!(ChainWords, tail)),
            ("head", offset_of!(ChainWords, head)),
        ] {
            let at = at + offset;
            let of_other = match side {
                "tail" => "what the tail saw of the head: count, bytes, free",
                _ => "how far the head saw records: a position",
            };
            line(
                picture,
                4,
                at + offset_of!(Side, mutex),
                &format!("{side}'s mutex"),
            );
            line(
                picture,
                4,
                at + offset_of!(Side, owed),
                "owed: to be counted anew",
            );
            if side == "tail" {
                line(
                    picture,
                    4,
                    at + offset_of!(Side, limits),
                    "how far a put may go: end, count, largest",
                );
            }
            line(
                picture,
                4,
                at + offset_of!(Side, seen) + offset_of!(Seen, count),
                of_other,
            );
            line(
                picture,
                4,
                at + offset_of!(Side, cursor),
                "cursor: its store commits a step",
            );
            line(
                picture,
                4,
                at + offset_of!(Side, totals),
                "totals, twice: count, bytes",
            );
            if side == "tail" {
                line(
                    picture,
                    4,
                    at + offset_of!(Side, marks),
                    "dead letters' mark, twice",
                );
            }
            line(
                picture,
                4,
                at + offset_of!(Side, reservations),
                "reservations: the last one's place",
            );
        }
        let behind = at + offset_of!(ChainWords, behind);
        line(
            picture,
            4,
            behind + offset_of!(Behind, available),
            "behind the head's cursor: available, in_flight, ...",
        );
    }

    #[test]
    fn the_picture_of_a_queue_is_true() {
        let body = body_at(Kind::Queue);
        let mut picture = String::new();
        line(&mut picture, 0, body, "a queue's own words");
        line(
            &mut picture,
            2,
            body + offset_of!(Body, settings),
            "settings, and whether it is shut down",
        );
        chain(&mut picture, "messages", body + offset_of!(Body, messages));
        line(
            &mut picture,
            2,
            body + offset_of!(Body, items),
            "items: consumers sleep here",
        );
        line(
            &mut picture,
            2,
            body + offset_of!(Body, space),
            "space: producers sleep here",
        );
        line(
            &mut picture,
            2,
            body + offset_of!(Body, drained),
            "drained: watchers of an empty queue",
        );
        line(
            &mut picture,
            2,
            body + offset_of!(Body, idle),
            "idle: joins sleep here",
        );
        line(
            &mut picture,
            2,
            body + offset_of!(Body, counters),
            "counters: redelivered, discarded",
        );
        line(
            &mut picture,
            2,
            body + offset_of!(Body, dead),
            "dead letters: as messages",
        );
        let rings = body + offset_of!(Body, rings);
        line(
            &mut picture,
            2,
            rings,
            &format!(
                "states of {RINGS} rings, {} bytes each",
                size_of::<RingState>()
            ),
        );
        line(
            &mut picture,
            4,
            rings + offset_of!(RingState, start),
            "start, end, allocated, largest, next: the producers'",
        );
        line(
            &mut picture,
            4,
            rings + offset_of!(RingState, free),
            "free: the consumers'",
        );
        line(
            &mut picture,
            2,
            body + offset_of!(Body, ends),
            "ends: messages that are over and were not done",
        );
        line(
            &mut picture,
            2,
            body + Words::ACCOUNTS_AT,
            "accounts of 1024 participants, 32 bytes each: put, got, ...",
        );
        for ring in [0, 1, 48, 2, 3, 49] {
            let kind = if ring < 48 {
                "messages"
            } else {
                "dead letters"
            };
            let text = format!("ring {ring}, {kind}, {} KiB", ring::size(ring) >> 10);
            line(
                &mut picture,
                0,
                (RINGS_AT + ring::offset(ring)) as usize,
                &text,
            );
        }
        picture.push_str(
            "      ...  up to ring 47, 1 TiB; a ring has memory as far as its records have come\n",
        );
        check(&picture, "src/queue/layout/mod.rs");
        let mut record = String::new();
        line(
            &mut record,
            0,
            offset_of!(Record, word),
            "state 4 bits, deliveries 16, leave lines 1, unused 11, owner 30, unused 2",
        );
        line(
            &mut record,
            0,
            offset_of!(Record, size),
            "length of the payload 32 bits, extent in units of 16 bytes 32",
        );
        line(
            &mut record,
            0,
            HEADER as usize,
            "payload, up to the next multiple of 16",
        );
        check(&record, "src/queue/layout/record.rs");
    }
}
