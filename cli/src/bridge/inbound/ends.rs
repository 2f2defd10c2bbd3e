//! Messages leave the queue, and the server is told.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{StatusCode, Subject};
use futures_util::FutureExt;
use tokio::task::unconstrained;
use tokio::time::Instant;

use super::flow::{Flow, LOOK, LOOK_FOR_CONNECTION, PUT_AGAIN};
use super::held::{End, Held, Key, Stage};
use super::tell::{BACK, DONE, IN_PROGRESS};
use crate::bridge::answers::Answer;
use crate::bridge::local::Fate;
use crate::failure::Failure;

impl Flow<'_> {
    /// Finds the messages that are settled, oldest first. `most`: how many there can be.
    pub fn find_settled(&mut self, most: u64) -> Result<(), Failure> {
        let mut over = Vec::new();
        for id in self.store.ids() {
            if over.len() as u64 >= most {
                break;
            }
            match self.local.fate(id)? {
                Fate::Open => {}
                fate => over.push((id, fate)),
            }
        }
        self.found += over.len() as u64;
        for (id, fate) in over {
            self.settled(id, fate);
        }
        self.release()
    }

    /// Looks for as many settled messages as the queue's count says.
    pub fn look(&mut self) -> Result<(), Failure> {
        self.look = None;
        match (self.local.settled()?, self.base) {
            (Some(count), Some(base)) => {
                // Other programs may put into the queue too, and their messages count.
                self.find_settled(count.wrapping_sub(base).saturating_sub(self.found))
            }
            (Some(_), None) => self.find_settled(u64::MAX),
            (None, _) => {
                self.look = Some(Instant::now() + PUT_AGAIN);
                Ok(())
            }
        }
    }

    fn settled(&mut self, id: u64, fate: Fate) {
        let end = match fate {
            Fate::Open => return,
            Fate::Done => End::Done,
            Fate::Lost => End::Back,
            Fate::Dead => {
                let (queue, times) = (&self.arguments.queue, self.local.max_deliveries());
                let reason = format!("not done after {times} deliveries by the queue {queue}");
                End::Dead {
                    id: Some(id),
                    reason,
                }
            }
        };
        let is_withheld = self.after.is_some() && matches!(end, End::Done);
        let key = self.store.is_settled(id, end);
        match is_withheld {
            true => self.withheld.extend(key),
            false => self.tell(key),
        }
    }

    /// Acknowledges the messages that were withheld, if the queue of `--after` is empty.
    pub fn release(&mut self) -> Result<(), Failure> {
        let Some(after) = self.after.as_ref().filter(|_| !self.withheld.is_empty()) else {
            return Ok(());
        };
        // In this order: what is settled after the count makes the descriptor readable.
        if after.settled()?.is_none() {
            self.look_after = Some(Instant::now() + PUT_AGAIN);
        } else if after.is_empty()? {
            for key in std::mem::take(&mut self.withheld) {
                self.tell(Some(key));
            }
        }
        Ok(())
    }

    /// Tells the server the end of a message.
    pub fn tell(&mut self, key: Option<Key>) {
        let held = key.and_then(|key| Some((key, self.store.get(key)?)));
        let Some((
            key,
            Held {
                message,
                stage: Stage::Over(end),
            },
        )) = held
        else {
            return;
        };
        let text = match end {
            End::Done => DONE,
            End::Back => BACK,
            End::Dead { reason, .. } => {
                let told = self.teller.tell_dead(key, message, reason);
                self.telling.push(told);
                return;
            }
        };
        // Each message in the store has one.
        let Some(reply) = message.reply.clone() else {
            return;
        };
        if let Err(pause) = self.say(reply, text) {
            self.again.push_back(key);
            self.tell_again
                .get_or_insert_with(|| Instant::now() + pause);
            return;
        }
        self.confirmations.expect(key);
    }

    /// Sends the server a text that it confirms. An error is how long to wait if the client cannot
    /// take it now.
    fn say(&self, reply: Subject, text: &'static str) -> Result<(), Duration> {
        let client = &self.teller.client;
        if client.connection_state() != State::Connected {
            return Err(LOOK_FOR_CONNECTION);
        }
        let confirm = self.confirmations.subject();
        let sent = client.publish_with_reply(reply, confirm, text.into());
        match unconstrained(sent).now_or_never() {
            Some(Ok(())) => Ok(()),
            _ => Err(LOOK),
        }
    }

    /// Tells the server all ends that it has not confirmed.
    pub fn tell_all_again(&mut self) {
        self.telling.clear();
        self.confirmations.expect_none();
        self.again.clear();
        self.tell_again = None;
        for key in self.store.over() {
            if !self.withheld.contains(&key) {
                self.tell(Some(key));
            }
        }
    }

    /// Deals with a confirmation, and with those behind it that are there.
    pub fn confirmed(&mut self, mut answer: Answer<Key>) -> Result<(), Failure> {
        loop {
            let told = match answer.message.map(|message| message.status) {
                None => Err("no answer from the server".into()),
                Some(Some(StatusCode::NO_RESPONDERS)) => Err("no responders".into()),
                Some(_) => Ok(()),
            };
            self.told(answer.of, told)?;
            match self.confirmations.at_hand() {
                Some(next) => answer = next,
                None => return Ok(()),
            }
        }
    }

    /// The server has answered, or has not.
    pub fn told(&mut self, key: Key, told: Result<(), String>) -> Result<(), Failure> {
        if let Err(why) = told {
            self.again.push_back(key);
            if self.tell_again.is_none() {
                self.tell_again = Some(Instant::now() + self.trouble.pause(why));
            }
            return Ok(());
        }
        self.trouble.is_over();
        let stage = self.store.get(key).map(|held| &held.stage);
        if let Some(Stage::Over(End::Dead { id: Some(dead), .. })) = stage {
            let dead = *dead;
            self.local.remove_dead(|id| id == dead)?;
        }
        self.store.forget(key);
        Ok(())
    }

    /// Keeps the server from delivering again what is here.
    pub async fn in_progress(&mut self) {
        let client = &self.teller.client;
        for held in self.store.all() {
            // Without a connection a message would wait for one, and this loop for the message.
            if client.connection_state() != State::Connected {
                return;
            }
            if let Some(reply) = held.message.reply.clone() {
                let _ = client.publish(reply, IN_PROGRESS.into()).await;
            }
        }
    }
}
