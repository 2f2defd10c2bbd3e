//! The features `serde` and `tokio`.

#![cfg(all(feature = "serde", feature = "tokio"))]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use polyproc::{AsyncQueue, Error, Queue, QueueOptions, Status, TypedQueue};
use serde::{Deserialize, Serialize};

/// A deadline that only a hang meets.
const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Job {
    path: String,
    sizes: Vec<u32>,
    #[serde(default)]
    labels: BTreeMap<String, bool>,
}

fn job(path: &str) -> Job {
    Job {
        path: path.into(),
        sizes: vec![16, 70_000],
        labels: BTreeMap::from([("round".into(), true)]),
    }
}

fn queue(max_deliveries: u32) -> Queue {
    let options = QueueOptions {
        max_deliveries,
        ..Default::default()
    };
    Queue::create(None, &options).unwrap()
}

#[test]
fn values_of_one_type_come_back_as_they_were() {
    let jobs = TypedQueue::from(queue(0));
    jobs.put(&job("a")).unwrap();
    jobs.try_put(&job("b")).unwrap();
    assert_eq!(jobs.get(), Ok(job("a")));
    let (value, message) = jobs.take_timeout(LONG).unwrap();
    assert_eq!(value, job("b"));
    drop(message);
    let (value, message) = jobs.take().unwrap();
    assert_eq!((value, message.deliveries()), (job("b"), 2));
    message.done().unwrap();
    assert_eq!(jobs.try_get(), Err(Status::E_EMPTY));
    jobs.queue().shutdown(false).unwrap();
    assert_eq!(jobs.get(), Err(Status::E_SHUTDOWN));
}

#[test]
fn other_languages_see_a_map_by_the_names_of_the_fields() {
    let queue = queue(0);
    // {"path": "c", "sizes": [1]}, as Go, Node and Python write it.
    queue.put(b"\x82\xa4path\xa1c\xa5sizes\x91\x01").unwrap();
    let jobs = TypedQueue::from(queue);
    let got: Job = jobs.get().unwrap();
    assert_eq!((got.path.as_str(), got.sizes), ("c", vec![1]));

    jobs.put(&job("d")).unwrap();
    let bytes = jobs.queue().get().unwrap();
    assert!(
        bytes.starts_with(b"\x83\xa4path\xa1d\xa5sizes"),
        "{bytes:?}"
    );
}

#[test]
fn a_message_of_another_type_is_refused_and_taken_back() {
    let jobs = TypedQueue::<Job>::from(queue(2));
    jobs.queue().put(b"\xc1").unwrap();
    let refused = jobs.take().map(drop).unwrap_err();
    assert_eq!(refused, Status::E_MISMATCH);
    let text = Error::from(refused).to_string();
    assert!(text.contains("the message is no features::Job"), "{text}");

    // The second delivery is the last one that is allowed.
    assert_eq!(jobs.take().map(drop), Err(Status::E_MISMATCH));
    assert_eq!(jobs.try_take().map(drop), Err(Status::E_EMPTY));
    assert_eq!(&*jobs.queue().take_dead().unwrap(), b"\xc1");

    jobs.queue().put(b"").unwrap();
    assert_eq!(jobs.get(), Err(Status::E_MISMATCH));
    assert_eq!(jobs.try_get(), Err(Status::E_EMPTY));
}

#[tokio::test(flavor = "current_thread")]
async fn a_thousand_tasks_wait_in_one_thread() {
    let queue = Arc::new(queue(0));
    let messages = Arc::new(AsyncQueue::new(queue.clone()).unwrap());
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let messages = messages.clone();
            tokio::spawn(async move { messages.get().await.unwrap() })
        })
        .collect();
    // Another thread puts while the tasks wait.
    let putting = std::thread::spawn(move || {
        for number in 0..1000_u32 {
            queue.put(&number.to_le_bytes()).unwrap();
        }
    });
    let mut numbers = Vec::new();
    for task in tasks {
        let message = tokio::time::timeout(LONG, task).await.unwrap().unwrap();
        numbers.push(u32::from_le_bytes(message.try_into().unwrap()));
    }
    putting.join().unwrap();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..1000));
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_that_is_dropped_takes_nothing() {
    let queue = Arc::new(queue(0));
    let messages = AsyncQueue::new(queue.clone()).unwrap();
    for round in 0..100_u32 {
        let short = Duration::from_micros(u64::from(round) * 20);
        let put = {
            let queue = queue.clone();
            std::thread::spawn(move || queue.put(&round.to_le_bytes()).unwrap())
        };
        let first = tokio::time::timeout(short, messages.take()).await;
        put.join().unwrap();
        let message = match first {
            Ok(message) => message.unwrap(),
            Err(_) => tokio::time::timeout(LONG, messages.take())
                .await
                .unwrap()
                .unwrap(),
        };
        assert_eq!(
            (&*message, message.deliveries()),
            (&round.to_le_bytes()[..], 1)
        );
        message.done().unwrap();
    }
    queue.shutdown(false).unwrap();
    assert_eq!(messages.get().await, Err(Status::E_SHUTDOWN));
}
