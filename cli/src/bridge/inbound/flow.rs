//! Messages arrive, wait for room, and are put into the queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::Message;
use futures_util::stream::FuturesUnordered;
use futures_util::StreamExt;
use polyproc::Status;
use tokio::sync::watch;
use tokio::time::{Instant, Interval};

use super::held::{Delivery, End, Key, Store};
use super::pull::{Answer, Pulls};
use super::tell::{Teller, Telling, DONE};
use super::{Ack, In};
use crate::bridge::answers::Answers;
use crate::bridge::connect::Link;
use crate::bridge::local::{Local, RoomWatch};
use crate::bridge::stop::Stop;
use crate::bridge::trouble::{at, Trouble};
use crate::failure::Failure;

/// How far apart the looks at the messages in the queue are.
pub const LOOK: Duration = Duration::from_millis(1);
/// How soon a put is repeated that failed for another reason than a full queue.
pub const PUT_AGAIN: Duration = Duration::from_millis(100);
/// How often the connection is looked for while there is none.
pub const LOOK_FOR_CONNECTION: Duration = Duration::from_millis(50);

/// A bridge at work.
pub struct Flow<'a> {
    pub(super) arguments: &'a In,
    pub(super) local: Local,
    pub(super) room: RoomWatch,
    pub(super) teller: Arc<Teller>,
    pub(super) connections: watch::Receiver<u64>,
    pub(super) pulls: Pulls,
    pub(super) store: Store,
    /// The queue of `--after`.
    pub(super) after: Option<Local>,
    /// Done, and not acknowledged before that queue is empty.
    pub(super) withheld: Vec<Key>,
    /// The next look at that queue.
    pub(super) look_after: Option<Instant>,
    /// The acknowledgements that the server has not confirmed.
    pub(super) confirmations: Answers<Key>,
    /// The same of dead letters.
    pub(super) telling: FuturesUnordered<Telling>,
    /// The answers that the server has to get again.
    pub(super) again: VecDeque<Key>,
    pub(super) tell_again: Option<Instant>,
    pub(super) progress: Interval,
    /// Why messages wait: the queue is full, or the time of the next put.
    pub(super) is_full: bool,
    pub(super) put_again: Option<Instant>,
    pub(super) pull_again: Option<Instant>,
    /// The next look at the messages in the queue.
    pub(super) look: Option<Instant>,
    /// Of the queue's count of settled messages: those that were found.
    pub(super) found: u64,
    /// That count before the first put.
    pub(super) base: Option<u64>,
    pub(super) is_shut_down: bool,
    pub(super) trouble: Trouble,
}

impl<'a> Flow<'a> {
    pub fn new(
        arguments: &'a In,
        (link, pulls, confirmations): (Link, Pulls, Answers<Key>),
        (local, after): (Local, Option<Local>),
        progress: Interval,
    ) -> Result<Flow<'a>, Failure> {
        Ok(Flow {
            room: local.room_watch(),
            base: local.settled()?,
            pulls,
            confirmations,
            store: Store::default(),
            after,
            withheld: Vec::new(),
            look_after: None,
            telling: FuturesUnordered::new(),
            again: VecDeque::new(),
            tell_again: None,
            is_full: false,
            put_again: None,
            pull_again: None,
            look: None,
            found: 0,
            is_shut_down: false,
            trouble: Trouble::new(&arguments.target.stream),
            teller: Teller::new(
                link.context,
                arguments.target.clone(),
                arguments.queue.clone(),
            ),
            arguments,
            local,
            connections: link.connections,
            progress,
        })
    }

    pub async fn run(&mut self, stop: &mut Stop) -> Result<(), Failure> {
        loop {
            let is_ending = stop.is_ending() || self.is_shut_down;
            if is_ending {
                self.give_back_what_waits();
            }
            self.put()?;
            let is_busy = self.store.len() > 0 || self.told_of() > 0 || self.pulls.is_open();
            if stop.is_now() || (is_ending && !is_busy) {
                return Ok(());
            }
            if !is_ending {
                self.pull().await?;
            }
            let wake = [self.tell_again, self.put_again, self.pull_again];
            let wake = wake.into_iter().chain([self.look, self.look_after]);
            let wake = wake.flatten().min();
            tokio::select! {
                biased;
                () = stop.asked() => self.say_what_is_left(stop),
                _ = self.progress.tick() => {
                    self.in_progress().await;
                    self.find_settled(u64::MAX)?;
                }
                Ok(()) = self.connections.changed() => self.is_connected_again().await,
                () = at(wake), if wake.is_some() => self.wake()?,
                moved = self.local.moved(), if self.store.has_put() && self.look.is_none() => {
                    moved?;
                    self.look = Some(Instant::now() + LOOK);
                }
                moved = moved(&self.after), if !self.withheld.is_empty() && self.look_after.is_none() => {
                    moved?;
                    self.look_after = Some(Instant::now() + LOOK);
                }
                Some((key, told)) = self.telling.next(), if !self.telling.is_empty() => {
                    self.told(key, told)?;
                }
                answer = self.confirmations.next() => self.confirmed(answer)?,
                Some(answer) = self.pulls.next() => {
                    self.answer(answer).await;
                }
                () = self.room.has_room(), if self.is_full => self.is_full = false,
            }
        }
    }

    fn say_what_is_left(&self, stop: &Stop) {
        let count = self.store.len();
        if !stop.is_now() && count > 0 {
            let queue = &self.arguments.queue;
            eprintln!("polyproc: {queue}: waits until {count} messages are done; once more ends it at once");
        }
    }

    /// Asks for as many messages as there is room for, here and in the queue.
    async fn pull(&mut self) -> Result<(), Failure> {
        if self.is_full || self.put_again.or(self.pull_again).is_some() {
            return Ok(());
        }
        if self.teller.client.connection_state() != State::Connected {
            self.pull_again = Some(Instant::now() + LOOK_FOR_CONNECTION);
            return Ok(());
        }
        let window = usize::from(self.arguments.window);
        let here = space(window, self.store.len(), self.told_of());
        if here <= self.pulls.expected() {
            return Ok(());
        }
        let room = self.local.room()?.saturating_sub(self.store.waiting());
        if let Err(why) = self.pulls.ask(here.min(room)).await {
            self.pull_again = Some(Instant::now() + self.trouble.pause(why));
        } else if room == 0 && !self.pulls.is_open() {
            // Nothing waits for room, so nothing else would wake this loop.
            self.is_full = true;
        }
        Ok(())
    }

    /// Of how many messages the server is being told that they are over.
    fn told_of(&self) -> usize {
        self.telling.len() + self.confirmations.len()
    }

    /// Takes in an answer, and those behind it that are there.
    async fn answer(&mut self, mut answer: Answer) {
        loop {
            match answer {
                Answer::Message(message) => self.arrive(message).await,
                Answer::Over => {}
                Answer::Failed(why) => {
                    self.pull_again = Some(Instant::now() + self.trouble.pause(why));
                }
            }
            match self.pulls.at_hand() {
                Some(next) => answer = next,
                None => return,
            }
        }
    }

    /// No answers come on a new connection to what was asked on the last one: the server is asked
    /// and told again.
    async fn is_connected_again(&mut self) {
        while let Some(answer) = self.pulls.at_hand() {
            self.answer(answer).await;
        }
        self.pulls.expect_none();
        self.pull_again = None;
        self.tell_all_again();
    }

    async fn arrive(&mut self, message: Box<Message>) {
        self.trouble.is_over();
        match self.store.arrive(message) {
            Ok(Delivery::New | Delivery::Again) => {}
            Ok(Delivery::Over(reply)) => {
                let _ = self.teller.client.publish(reply, DONE.into()).await;
            }
            Err(error) => eprintln!("polyproc: a message is left out: {error}"),
        }
    }

    /// Puts what waits, as long as there is room.
    fn put(&mut self) -> Result<(), Failure> {
        while !self.is_full && self.put_again.is_none() && !self.is_shut_down {
            let Some(held) = self.store.next() else {
                break;
            };
            match self.local.try_put(&held.message.payload) {
                Ok(id) => {
                    self.store.is_put(id);
                    if self.arguments.ack == Ack::OnArrival {
                        let key = self.store.is_settled(id, End::Done);
                        self.tell(key);
                    }
                }
                Err(Status::E_FULL) => self.is_full = true,
                Err(Status::E_SHUTDOWN) => self.is_shut_down = true,
                Err(Status::E_TOO_LARGE) => {
                    let (queue, size) = (&self.arguments.queue, held.message.payload.len());
                    let reason = format!("{size} bytes are too large for the queue {queue}");
                    let key = self.store.is_not_put(End::Dead { id: None, reason });
                    self.tell(key);
                }
                // No memory, or a stopped process holds a lock.
                Err(status @ (Status::E_NO_MEMORY | Status::E_TIMEOUT)) => {
                    self.trouble.pause(polyproc::Error::from(status));
                    self.put_again = Some(Instant::now() + PUT_AGAIN);
                }
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    fn give_back_what_waits(&mut self) {
        while let Some(key) = self.store.is_not_put(End::Back) {
            self.tell(Some(key));
        }
    }

    /// Does what is due.
    fn wake(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        let is_due = |time: &mut Option<Instant>| time.take_if(|time| *time <= now).is_some();
        is_due(&mut self.put_again);
        is_due(&mut self.pull_again);
        if is_due(&mut self.tell_again) {
            for key in std::mem::take(&mut self.again) {
                self.tell(Some(key));
            }
        }
        if is_due(&mut self.look) {
            self.look()?;
        }
        match is_due(&mut self.look_after) {
            true => self.release(),
            false => Ok(()),
        }
    }
}

async fn moved(queue: &Option<Local>) -> Result<(), Failure> {
    match queue {
        Some(queue) => queue.moved().await,
        None => std::future::pending().await,
    }
}

/// How many more messages may be here, when `here` are and the server is being told of `told` of
/// them that they are over: a window of those that are not done, and one of those others.
fn space(window: usize, here: usize, told: usize) -> usize {
    let open = here.saturating_sub(told);
    let all = 2 * window;
    window.saturating_sub(open).min(all.saturating_sub(here))
}

#[cfg(test)]
mod tests {
    use super::space;

    #[test]
    fn a_message_that_is_done_does_not_count_in_the_window_up_to_a_window_of_them() {
        assert_eq!(space(512, 0, 0), 512);
        assert_eq!(space(512, 512, 0), 0);
        assert_eq!(space(512, 512, 100), 100);
        // The server does not answer.
        assert_eq!(space(512, 600, 600), 424);
        assert_eq!(space(512, 1024, 1024), 0);
        assert_eq!(space(512, 1100, 0), 0);
    }
}
