//! The accounts: which messages were put and consumed, and how long each worker made no progress.

use std::time::Duration;

use crate::staff::{Role, Staff};

/// The state of one producer's messages, by their numbers.
#[derive(Default)]
struct Life {
    /// The puts that had returned, without a gap.
    returned: u32,
    consumed: Vec<u8>,
}

#[derive(Default)]
pub struct Audit {
    lives: Vec<Life>,
    /// Deaths of consumers that may have held messages.
    consumers_killed: u64,
    /// Deaths of producers that may have put one more message than they reported.
    producers_killed: u64,
    kills: u64,
    others: u64,
    longest_stall: Duration,
    who_stalled: String,
}

impl Audit {
    fn life(&mut self, number: u32) -> &mut Life {
        let number = number as usize;
        if self.lives.len() <= number {
            self.lives.resize_with(number + 1, Life::default);
        }
        &mut self.lives[number]
    }

    /// Notes a worker's report.
    pub fn note(&mut self, role: Role, life: u32, number: u32) -> Result<(), String> {
        match role {
            Role::Produce => {
                let life = self.life(life);
                if life.returned != number {
                    return Err(format!(
                        "put {number} is reported after {} others",
                        life.returned
                    ));
                }
                life.returned += 1;
            }
            Role::ConsumeJoinable | Role::ConsumeUnlimited => {
                let is_joinable = number.is_multiple_of(2);
                if is_joinable != (role == Role::ConsumeJoinable) {
                    return Err(format!("message {number} comes out of the other queue"));
                }
                let consumed = &mut self.life(life).consumed;
                let number = number as usize;
                if consumed.len() <= number {
                    consumed.resize(number + 1, 0);
                }
                consumed[number] = consumed[number].saturating_add(1);
            }
            Role::Lock | Role::Permits => self.others += 1,
        }
        Ok(())
    }

    pub fn killed(&mut self, role: Role) {
        self.kills += 1;
        match role {
            Role::Produce => self.producers_killed += 1,
            Role::ConsumeJoinable | Role::ConsumeUnlimited => self.consumers_killed += 1,
            Role::Lock | Role::Permits => {}
        }
    }

    /// Notes that a worker made no progress for so long.
    pub fn stood_still(&mut self, who: &dyn Fn() -> String, long: Duration) {
        if long > self.longest_stall {
            self.longest_stall = long;
            self.who_stalled = who();
        }
    }

    pub fn check_progress(&self, allowed: Duration) -> Result<(), String> {
        match self.longest_stall <= allowed {
            true => Ok(()),
            false => Err(format!(
                "{} stood still for {:?}",
                self.who_stalled, self.longest_stall
            )),
        }
    }

    /// The final account.
    pub fn settle(&self, staff: &Staff) -> Result<(), String> {
        let (mut put, mut extra, mut lost, mut again) = (0u64, 0u64, 0u64, 0u64);
        for life in &self.lives {
            let returned = life.returned as usize;
            put += returned as u64;
            let consumed = |number: usize| life.consumed.get(number).copied().unwrap_or(0);
            lost += (0..returned)
                .filter(|number| consumed(*number) == 0)
                .count() as u64;
            extra += (returned..life.consumed.len())
                .filter(|number| consumed(*number) > 0)
                .count() as u64;
            again += life
                .consumed
                .iter()
                .map(|times| u64::from(times.saturating_sub(1)))
                .sum::<u64>();
        }
        println!("{} kills: {}", self.kills, staff.kills());
        println!("{put} puts returned, {extra} more by producers that died, {lost} lost, {again} consumed again");
        println!("{} turns with the lock and with permits", self.others);
        println!(
            "longest stall {:?} ({})",
            self.longest_stall, self.who_stalled
        );
        if lost > 0 {
            return Err(format!("{lost} messages are lost"));
        }
        if extra > self.producers_killed {
            return Err("messages came out of nothing".to_owned());
        }
        if again > self.consumers_killed {
            return Err(
                "messages were delivered again though nobody had died with them".to_owned(),
            );
        }
        Ok(())
    }
}
