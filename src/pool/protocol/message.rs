//! The messages in the two queues of a pool: tasks to the workers, reports back.
//!
//! ```text
//! task    head (16 bytes), name, NUL, up to a multiple of 16; then the data
//! report  head (16 bytes); then the data
//! chunk   for each item: its length (4 bytes), the item, up to a multiple of 4
//! ```

use crate::status::detail::because;
use crate::status::{Result, Status};

/// A task's data is aligned to this, as messages are.
const ALIGN: usize = 16;
const HEAD: usize = 16;
const LENGTH: usize = 4;
/// The longest name of a function.
pub(crate) const MAX_NAME: usize = 200;

/// The task has a time limit: its worker reports its start.
const TIMED: u16 = 1;

/// Identity of a task: its place in the table, and the generation of that place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Ticket {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl Ticket {
    pub(crate) fn bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    pub(crate) fn from_bits(bits: u64) -> Ticket {
        Ticket {
            slot: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

/// Check the name of a function.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > MAX_NAME || name.bytes().any(|byte| byte == 0) {
        return Err(because!(
            E_INVALID,
            "function is a name of {} bytes: it has 1 to {MAX_NAME}, and none of them is 0",
            name.len()
        ));
    }
    Ok(())
}

/// The head in front of a task's data.
pub(crate) struct TaskHead {
    bytes: [u8; (HEAD + MAX_NAME + 1).next_multiple_of(ALIGN)],
    len: usize,
}

impl TaskHead {
    /// `count` is how many items the data has, 0 when it is not a chunk.
    pub(crate) fn new(ticket: Ticket, name: &str, count: u32, is_timed: bool) -> Result<TaskHead> {
        check_name(name)?;
        let len = (HEAD + name.len() + 1).next_multiple_of(ALIGN);
        let mut head = TaskHead {
            bytes: [0; (HEAD + MAX_NAME + 1).next_multiple_of(ALIGN)],
            len,
        };
        let flags = if is_timed { TIMED } else { 0 };
        let mut rest = &mut head.bytes[..];
        write(&mut rest, &ticket.slot.to_ne_bytes());
        write(&mut rest, &ticket.generation.to_ne_bytes());
        write(&mut rest, &count.to_ne_bytes());
        write(&mut rest, &(name.len() as u16).to_ne_bytes());
        write(&mut rest, &flags.to_ne_bytes());
        write(&mut rest, name.as_bytes());
        Ok(head)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

fn write(to: &mut &mut [u8], bytes: &[u8]) {
    let (now, later) = std::mem::take(to).split_at_mut(bytes.len());
    now.copy_from_slice(bytes);
    *to = later;
}

/// A task as a worker reads it.
#[derive(Clone, Copy)]
pub(crate) struct TaskMessage<'a> {
    pub(crate) ticket: Ticket,
    pub(crate) count: u32,
    pub(crate) is_timed: bool,
    /// The name of the function, without the NUL that follows it.
    pub(crate) name: &'a str,
    pub(crate) data: &'a [u8],
}

impl<'a> TaskMessage<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<TaskMessage<'a>> {
        let mut rest = bytes;
        let ticket = Ticket {
            slot: read_u32(&mut rest)?,
            generation: read_u32(&mut rest)?,
        };
        let count = read_u32(&mut rest)?;
        let lengths = read_u32(&mut rest)?.to_ne_bytes();
        let name_len = u16::from_ne_bytes([lengths[0], lengths[1]]) as usize;
        let flags = u16::from_ne_bytes([lengths[2], lengths[3]]);
        let data_at = (HEAD + name_len + 1).next_multiple_of(ALIGN);
        let name = rest.get(..name_len).ok_or(Status::E_CORRUPT)?;
        if rest.get(name_len) != Some(&0) {
            return Err(Status::E_CORRUPT);
        }
        Ok(TaskMessage {
            ticket,
            count,
            is_timed: flags & TIMED != 0,
            name: std::str::from_utf8(name).map_err(|_| Status::E_CORRUPT)?,
            data: bytes.get(data_at..).ok_or(Status::E_CORRUPT)?,
        })
    }
}

/// The kind of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    /// The task is over: `detail` is its status, the data its result or the error message.
    Result,
    /// A task with a time limit has started: `detail` is the attempt, the data the worker's process
    /// id.
    Started,
    /// The worker died in the task: `detail` is the attempt.
    Died,
    /// A worker's initialiser has failed: the data is its message.
    InitialiserFailed,
    /// No more workers start.
    Broken,
}

/// The head in front of a report's data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReportHead {
    pub(crate) kind: Report,
    pub(crate) ticket: Ticket,
    pub(crate) seat: u16,
    pub(crate) detail: i32,
}

impl ReportHead {
    pub(crate) fn about_nothing(kind: Report) -> ReportHead {
        ReportHead {
            kind,
            ticket: Ticket::default(),
            seat: 0,
            detail: 0,
        }
    }

    pub(crate) fn to_bytes(self) -> [u8; HEAD] {
        let kind: u16 = match self.kind {
            Report::Result => 1,
            Report::Started => 2,
            Report::Died => 3,
            Report::InitialiserFailed => 4,
            Report::Broken => 5,
        };
        let mut bytes = [0; HEAD];
        let mut rest = &mut bytes[..];
        write(&mut rest, &self.ticket.slot.to_ne_bytes());
        write(&mut rest, &self.ticket.generation.to_ne_bytes());
        write(&mut rest, &self.detail.to_ne_bytes());
        write(&mut rest, &kind.to_ne_bytes());
        write(&mut rest, &self.seat.to_ne_bytes());
        bytes
    }

    /// A report, and its data.
    pub(crate) fn read(bytes: &[u8]) -> Result<(ReportHead, &[u8])> {
        let mut rest = bytes;
        let ticket = Ticket {
            slot: read_u32(&mut rest)?,
            generation: read_u32(&mut rest)?,
        };
        let detail = read_u32(&mut rest)? as i32;
        let last = read_u32(&mut rest)?.to_ne_bytes();
        let kind = match u16::from_ne_bytes([last[0], last[1]]) {
            1 => Report::Result,
            2 => Report::Started,
            3 => Report::Died,
            4 => Report::InitialiserFailed,
            5 => Report::Broken,
            _ => return Err(Status::E_CORRUPT),
        };
        let seat = u16::from_ne_bytes([last[2], last[3]]);
        let head = ReportHead {
            kind,
            ticket,
            seat,
            detail,
        };
        Ok((head, rest))
    }
}

fn read_u32(from: &mut &[u8]) -> Result<u32> {
    let (bytes, rest) = from.split_first_chunk().ok_or(Status::E_CORRUPT)?;
    *from = rest;
    Ok(u32::from_ne_bytes(*bytes))
}

/// Pack an item of a chunk behind those before it.
pub fn pack(chunk: &mut Vec<u8>, item: &[u8]) -> Result<()> {
    let at = begin_item(chunk);
    chunk.extend_from_slice(item);
    end_item(chunk, at)
}

/// Begin an item whose bytes are appended to the chunk until [`end_item`].
pub(crate) fn begin_item(chunk: &mut Vec<u8>) -> usize {
    let at = chunk.len();
    chunk.extend_from_slice(&[0; LENGTH]);
    at
}

/// The item that began at `at` is complete.
pub(crate) fn end_item(chunk: &mut Vec<u8>, at: usize) -> Result<()> {
    let len = chunk.len().saturating_sub(at + LENGTH);
    let len = u32::try_from(len).map_err(|_| Status::E_TOO_LARGE)?;
    let place = chunk.get_mut(at..at + LENGTH).ok_or(Status::E_INTERNAL)?;
    place.copy_from_slice(&len.to_ne_bytes());
    chunk.resize(chunk.len().next_multiple_of(LENGTH), 0);
    Ok(())
}

/// The next item of a chunk, and what follows it; `None` at its end.
pub fn unpack(chunk: &[u8]) -> Result<Option<(&[u8], &[u8])>> {
    if chunk.is_empty() {
        return Ok(None);
    }
    let mut rest = chunk;
    let len = read_u32(&mut rest)? as usize;
    let item = rest.get(..len).ok_or(Status::E_CORRUPT)?;
    let rest = rest
        .get(len.next_multiple_of(LENGTH)..)
        .ok_or(Status::E_CORRUPT)?;
    Ok(Some((item, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_comes_back_as_it_was() {
        let ticket = Ticket {
            slot: 7,
            generation: 9,
        };
        for name in [
            "f",
            "fifteen-bytes..",
            "sixteen-bytes...",
            &"n".repeat(MAX_NAME),
        ] {
            let head = TaskHead::new(ticket, name, 3, true).unwrap();
            let mut message = head.as_bytes().to_vec();
            assert_eq!(message.len() % ALIGN, 0);
            message.extend_from_slice(b"data");
            let read = TaskMessage::read(&message).unwrap();
            assert_eq!((read.ticket, read.count, read.is_timed), (ticket, 3, true));
            assert_eq!((read.name, read.data), (name, &b"data"[..]));
            for len in 0..head.as_bytes().len() {
                assert!(TaskMessage::read(&message[..len]).is_err(), "{len}");
            }
        }
        assert!(TaskHead::new(ticket, "", 0, false).is_err());
        assert!(TaskHead::new(ticket, "a\0b", 0, false).is_err());
        assert!(TaskHead::new(ticket, &"n".repeat(MAX_NAME + 1), 0, false).is_err());
    }

    #[test]
    fn a_report_comes_back_as_it_was() {
        let head = ReportHead {
            kind: Report::Died,
            ticket: Ticket::from_bits(1 << 32 | 5),
            seat: 999,
            detail: -27,
        };
        let mut message = head.to_bytes().to_vec();
        message.extend_from_slice(b"why");
        assert_eq!(ReportHead::read(&message), Ok((head, &b"why"[..])));
        assert!(ReportHead::read(&[0; HEAD]).is_err());
        assert!(ReportHead::read(&message[..HEAD - 1]).is_err());
    }

    #[test]
    fn a_chunk_gives_its_items_and_no_more() {
        let mut chunk = Vec::new();
        let items: [&[u8]; 4] = [b"one", b"", b"four", b"three"];
        for item in items {
            pack(&mut chunk, item).unwrap();
        }
        let mut rest = &chunk[..];
        for item in items {
            let (read, after) = unpack(rest).unwrap().unwrap();
            assert_eq!(read, item);
            rest = after;
        }
        assert_eq!(unpack(rest), Ok(None));
        assert!(unpack(&chunk[..3]).is_err());
        assert!(unpack(&u32::MAX.to_ne_bytes()).is_err());
    }
}
