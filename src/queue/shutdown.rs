//! Shutdown: the end of a queue's stream.

use super::chain::checked::raise;
use super::layout::body::Intake;
use super::layout::ends::Ending;
use super::view::View;
use super::Queue;
use crate::status::Result;
use crate::sync::lock_wait::{Caller, LockWait};

impl Queue {
    /// Refuse puts from now on. Gets return the remaining messages first, and then `E_SHUTDOWN`;
    /// `immediate` discards the remaining messages. A repeated shutdown is no error.
    ///
    /// # Errors
    /// `E_TIMEOUT`: a process is stopped within a call, and nothing has changed. `E_CORRUPT`.
    pub fn shutdown(&self, immediate: bool) -> Result<()> {
        let queue = self.at();
        let me = self.segment.me()?;
        let chain = queue.messages();
        {
            let _both = chain.lock_both(Caller::new(me, &LockWait::brief()))?;
            // The fast path of a put looks at the limits and not at the phase. If the process is
            // killed between the two stores, the next put finds the queue open.
            chain.forget_head();
            queue.body.go_to(if immediate {
                Intake::Discarded
            } else {
                Intake::Draining
            });
            if immediate {
                queue.discard_all()?;
            }
        }
        queue.notify_everybody();
        Ok(())
    }
}

impl View<'_> {
    /// Under both locks. If the process is killed here, the queue is shut down, and the remaining
    /// messages may be delivered or not.
    fn discard_all(&self) -> Result<()> {
        let chain = self.messages();
        let ends = &self.body.ends;
        let is_range = ends.begin_range(chain.words.head.position().id());
        while let Some(found) = chain.front()? {
            let position = found.position;
            match is_range && position.at() >= chain.words.head.position().at() {
                true => ends.extend_range(position.forward(found.extent).id()),
                false => ends.remember(position.id(), Ending::Discarded),
            }
            chain.consume(&found)?;
            raise(&self.body.counters.discarded, 1);
        }
        Ok(())
    }
}
