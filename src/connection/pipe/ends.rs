//! Which processes have which end.
//!
//! An end is open as long as any process has it, and the kernel counts that: every handle, and
//! every descriptor made of one, holds a *claim* (`sys::ofd_lock`). The kernel also counts a child
//! that inherited an end and has not started yet, and a descriptor on its way through a socket. It
//! drops a process's claims when the process ends.
//!
//! Asking the kernel costs a system call. So a process that uses an end also writes that to
//! `holders`: while the participant of such a word is alive, the end is open, which costs only a
//! look at its life word. The words are a shortcut only. An end with neither holder nor claim is
//! closed for good.

use std::sync::atomic::{fence, AtomicU32, Ordering};

use super::body::{Body, SLOTS};
use crate::segment::Segment;
use crate::status::{Result, Status};
use crate::sync::owner::{Owner, OWNER_BITS, OWNER_MASK};
use crate::sys::ofd_lock;

/// The two ends of a pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    A = 0,
    B = 1,
}

impl End {
    pub(super) fn other(self) -> End {
        match self {
            End::A => End::B,
            End::B => End::A,
        }
    }

    /// The end's bit in `Body::over`.
    fn bit(self) -> u32 {
        1 << self as u32
    }

    /// The bit that stands for this end in a word of `Body::holders`, above the owner's bits.
    fn holder_bit(self) -> u32 {
        self.bit() << OWNER_BITS
    }

    /// The byte of the file on which claims of the end are locked.
    pub(super) fn byte(self) -> i64 {
        self as i64 + 1
    }

    pub(super) fn of_byte(byte: i64) -> Option<End> {
        [End::A, End::B].into_iter().find(|end| end.byte() == byte)
    }
}

/// Whether an end is still open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// A living participant uses the end.
    Held,
    /// A process has a descriptor of the end and has not used it yet, or is about to end.
    Claimed,
    /// No process has the end; it can never be used again.
    Over,
}

/// The ends of one pipe.
#[derive(Clone, Copy)]
pub(super) struct Ends<'a> {
    segment: &'a Segment,
    body: &'a Body,
}

impl<'a> Ends<'a> {
    pub(super) fn of(segment: &'a Segment) -> Result<Ends<'a>> {
        Ok(Ends {
            segment,
            body: segment.body()?,
        })
    }

    fn word(&self, owner: Owner) -> Option<&AtomicU32> {
        self.body.holders.get(owner.slot())
    }

    /// Record that this process uses an end. If that is recorded already, this costs one load.
    #[inline]
    pub(super) fn hold(&self, me: Owner, end: End) -> Result<()> {
        let word = self.word(me).ok_or(Status::E_INTERNAL)?;
        let mut seen = word.load(Ordering::Relaxed);
        loop {
            // Bits that an earlier occupant of the slot left are ignored.
            let mine = if seen & OWNER_MASK == me.bits() {
                seen | end.holder_bit()
            } else {
                me.bits() | end.holder_bit()
            };
            if mine == seen {
                return Ok(());
            }
            match word.compare_exchange(seen, mine, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// Remove the record of [`hold`](Self::hold). Another handle of this process on the same end
    /// writes it again at its next use.
    pub(super) fn let_go(&self, me: Owner, end: End) {
        if let Some(word) = self.word(me) {
            let mine = |seen| (seen & OWNER_MASK == me.bits()).then_some(seen & !end.holder_bit());
            let _ = word.fetch_update(Ordering::SeqCst, Ordering::Relaxed, mine);
        }
    }

    /// Recovery: clear the words of dead participants. Concurrent recoverers clear the same words.
    pub(super) fn forget(&self, is_gone: &dyn Fn(Owner) -> bool) {
        for word in &self.body.holders {
            let of_the_dead = |seen| {
                Owner::from_bits(seen)
                    .filter(|owner| is_gone(*owner))
                    .map(|_| 0)
            };
            let _ = word.fetch_update(Ordering::SeqCst, Ordering::Relaxed, of_the_dead);
        }
    }

    /// Whether an end may receive (`true`) or send: in a simplex pipe A receives and B sends.
    pub(super) fn may(&self, end: End, receive: bool) -> bool {
        self.body.duplex.load(Ordering::Relaxed) != 0 || (end == End::A) == receive
    }

    /// Whether an end is known to be closed for good.
    #[inline]
    pub(super) fn is_known_over(&self, end: End) -> bool {
        self.body.over.load(Ordering::Acquire) & end.bit() != 0
    }

    /// Report whether `me` is recorded as a user of an end, see [`hold`](Self::hold).
    #[inline]
    pub(super) fn is_used_by(&self, me: Owner, end: End) -> bool {
        let word = self.word(me).map_or(0, |word| word.load(Ordering::Relaxed));
        word & (OWNER_MASK | end.holder_bit()) == me.bits() | end.holder_bit()
    }

    /// Report whether the living participant in `slot` uses an end.
    #[inline]
    pub(super) fn is_held_at(&self, slot: usize, end: End) -> bool {
        let (Some(word), Some(participant)) =
            (self.body.holders.get(slot), self.segment.participant(slot))
        else {
            return false;
        };
        let word = word.load(Ordering::SeqCst);
        let owner = Owner::from_bits(word).filter(|owner| owner.slot() == slot);
        word & end.holder_bit() != 0 && owner.is_some_and(|one| participant.is_held_by(one))
    }

    /// The slot of a living participant that uses an end.
    pub(super) fn holder(&self, end: End) -> Option<usize> {
        let slots = self.segment.participants().map(|(slot, _)| slot as usize);
        slots.take(SLOTS).find(|slot| self.is_held_at(*slot, end))
    }

    /// Whether an end is still open.
    #[inline]
    pub(super) fn standing(&self, end: End) -> Result<Standing> {
        if self.is_known_over(end) {
            return Ok(Standing::Over);
        }
        match self.holder(end) {
            Some(_) => Ok(Standing::Held),
            None => self.ask(end),
        }
    }

    #[cold]
    fn ask(&self, end: End) -> Result<Standing> {
        // A process clears its word before it gives up its claim.
        fence(Ordering::SeqCst);
        if ofd_lock::is_claimed(self.segment.raw_fd(), end.byte())? {
            return Ok(Standing::Claimed);
        }
        self.body.over.fetch_or(end.bit(), Ordering::SeqCst);
        Ok(Standing::Over)
    }
}
