//! What the participants of a queue have put and got, and when. `segment/account.rs` says what a
//! killed one leaves.

use super::layout::body::Words;
use super::view::View;
use crate::segment::{Accounts, Note, Segment};
use crate::status::Result;

pub(super) const ACCOUNTS: Accounts = Accounts {
    at: Words::ACCOUNTS_AT,
    take_note,
};

/// Note where the head is. The time was read before, so the messages from that place on are
/// delivered after it.
fn take_note(segment: &Segment, ms: u64) -> Result<()> {
    let queue = View::new(segment)?;
    let place = queue.messages().words.head.position().at();
    if let Some(account) = segment.own_account(&queue.words.accounts) {
        account.note(Note { place, ms });
    }
    Ok(())
}
