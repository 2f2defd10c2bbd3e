//! The answers of the server to many small requests: publications, and acknowledgements.
//!
//! They all come to one inbox, and a number at the end of an answer's subject says to which request
//! it belongs. Such a request costs much less than one of the client's own, which has a channel, a
//! timer and an entry in a table.

use std::collections::VecDeque;

use async_nats::{Client, Message, Subscriber};
use futures_util::{FutureExt, StreamExt};
use tokio::time::{sleep_until, Instant};

use super::connect::ANSWER;
use crate::failure::Failure;

/// The requests that are not answered, with a value for each.
pub struct Answers<T> {
    /// The beginning of the answers' subjects.
    inbox: String,
    messages: Subscriber,
    requests: Requests<T>,
}

/// An answer, or that there was none.
pub struct Answer<T> {
    /// The requests have numbers in their order.
    pub number: u64,
    pub of: T,
    /// `None`: the server has not answered in time.
    pub message: Option<Message>,
}

impl<T> Answers<T> {
    pub async fn new(client: &Client) -> Result<Answers<T>, Failure> {
        let inbox = client.new_inbox() + ".";
        let messages = client.subscribe(format!("{inbox}*")).await;
        Ok(Answers {
            messages: messages.map_err(Failure::remote)?,
            inbox,
            requests: Requests::default(),
        })
    }

    /// How many requests are not answered.
    pub fn len(&self) -> usize {
        self.requests.open
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the next request.
    pub fn next_number(&self) -> u64 {
        self.requests.next_number()
    }

    /// The subject for the answer to the next request.
    pub fn subject(&self) -> String {
        format!("{}{}", self.inbox, self.next_number())
    }

    /// The next request was sent.
    pub fn expect(&mut self, of: T) {
        self.requests.add(of, Instant::now() + ANSWER);
    }

    /// Expects no more answers to what was asked, and returns that in its order, with the numbers.
    pub fn expect_none(&mut self) -> Vec<(u64, T)> {
        self.requests.end_all()
    }

    /// Waits for the next answer, for ever if none is expected.
    pub async fn next(&mut self) -> Answer<T> {
        loop {
            let Some(deadline) = self.requests.deadline() else {
                return std::future::pending().await;
            };
            let message = tokio::select! {
                biased;
                Some(message) = self.messages.next() => Some(message),
                () = sleep_until(deadline) => None,
            };
            if let Some(answer) = self.learn(message) {
                return answer;
            }
        }
    }

    /// The next answer, if one is there or is overdue.
    pub fn at_hand(&mut self) -> Option<Answer<T>> {
        while let Some(Some(message)) = self.messages.next().now_or_never() {
            if let Some(answer) = self.learn(Some(message)) {
                return Some(answer);
            }
        }
        match self.requests.deadline()? <= Instant::now() {
            true => self.learn(None),
            false => None,
        }
    }

    /// Without a message there is none in time for the oldest request. `None`: the answer is not
    /// expected any more.
    fn learn(&mut self, message: Option<Message>) -> Option<Answer<T>> {
        let number = match &message {
            Some(message) => {
                let number = message.subject.strip_prefix(self.inbox.as_str())?;
                number.parse().ok()?
            }
            None => self.requests.first,
        };
        let of = self.requests.end(number)?;
        Some(Answer {
            number,
            of,
            message,
        })
    }
}

struct Requests<T> {
    /// From the oldest one on that is not answered; `None`: it is answered.
    all: VecDeque<Option<Request<T>>>,
    /// The number of the oldest one.
    first: u64,
    /// How many of them are not answered.
    open: usize,
}

struct Request<T> {
    of: T,
    /// From then on no answer is expected.
    deadline: Instant,
}

impl<T> Default for Requests<T> {
    fn default() -> Requests<T> {
        Requests {
            all: VecDeque::new(),
            first: 0,
            open: 0,
        }
    }
}

impl<T> Requests<T> {
    fn next_number(&self) -> u64 {
        self.first + self.all.len() as u64
    }

    fn add(&mut self, of: T, deadline: Instant) {
        self.all.push_back(Some(Request { of, deadline }));
        self.open += 1;
    }

    /// The deadline of the oldest one.
    fn deadline(&self) -> Option<Instant> {
        let oldest = self.all.front()?.as_ref();
        oldest.map(|oldest| oldest.deadline)
    }

    /// `None`: no request that is not answered has this number.
    fn end(&mut self, number: u64) -> Option<T> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let request = self.all.get_mut(at)?.take()?;
        self.open -= 1;
        while let Some(None) = self.all.front() {
            self.all.pop_front();
            self.first += 1;
        }
        Some(request.of)
    }

    fn end_all(&mut self) -> Vec<(u64, T)> {
        let next = self.next_number();
        let numbers = std::mem::replace(&mut self.first, next)..;
        self.open = 0;
        let all = numbers.zip(self.all.drain(..));
        all.filter_map(|(number, request)| Some((number, request?.of)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn three() -> (Requests<&'static str>, Instant) {
        let now = Instant::now();
        let mut requests = Requests::default();
        for (at, name) in (0..).zip(["first", "second", "third"]) {
            requests.add(name, now + Duration::from_secs(at));
        }
        (requests, now)
    }

    #[test]
    fn answers_come_in_any_order() {
        let (mut requests, now) = three();
        assert_eq!(requests.end(1), Some("second"));
        assert_eq!((requests.open, requests.deadline()), (2, Some(now)));
        assert_eq!(requests.end(0), Some("first"));
        let deadline = now + Duration::from_secs(2);
        assert_eq!((requests.open, requests.deadline()), (1, Some(deadline)));
        assert_eq!(requests.end(2), Some("third"));
        assert_eq!((requests.open, requests.deadline()), (0, None));
        assert_eq!(requests.next_number(), 3);
    }

    #[test]
    fn an_answer_that_is_not_expected_counts_for_no_request() {
        let (mut requests, _) = three();
        assert_eq!(requests.end(0), Some("first"));
        assert_eq!(requests.end(2), Some("third"));
        for number in [0, 2, 3, u64::MAX] {
            assert_eq!(requests.end(number), None, "{number}");
        }
        assert_eq!(requests.end_all(), [(1, "second")]);
        requests.add("fourth", Instant::now());
        for number in 0..3 {
            assert_eq!(requests.end(number), None, "{number}");
        }
        assert_eq!(requests.open, 1);
        assert_eq!(requests.end(3), Some("fourth"));
    }
}
