//! Failures that may pass: the bridge reports such a failure once, and waits longer each time.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Failures in a row.
pub struct Trouble {
    subject: String,
    /// The next pause.
    pause: Duration,
    said: Option<String>,
}

impl Trouble {
    pub fn new(subject: impl Display) -> Trouble {
        Trouble {
            subject: subject.to_string(),
            pause: FIRST,
            said: None,
        }
    }

    /// Another failure: says it if it is not the last one again, and returns how long to wait.
    pub fn pause(&mut self, why: impl Display) -> Duration {
        let why = why.to_string();
        if self.said.as_ref() != Some(&why) {
            eprintln!("polyproc: {}: {why}; trying again", self.subject);
            self.said = Some(why);
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        pause
    }

    /// It works.
    pub fn is_over(&mut self) {
        if self.said.take().is_some() {
            eprintln!("polyproc: {}: it works again", self.subject);
            self.pause = FIRST;
        }
    }
}

/// Waits until a time.
pub async fn at(time: Option<Instant>) {
    if let Some(time) = time {
        tokio::time::sleep_until(time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_it_works() {
        let mut trouble = Trouble::new("a test");
        let pauses = [(); 9].map(|()| trouble.pause("no"));
        assert_eq!(
            (pauses[0], pauses[1], pauses[8]),
            (FIRST, FIRST * 2, LONGEST)
        );
        trouble.is_over();
        assert_eq!(trouble.pause("no"), FIRST);
    }
}
