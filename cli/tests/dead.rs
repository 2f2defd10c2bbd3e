//! `dead`: messages that were delivered too often.

mod support;

use polyproc::{Queue, QueueOptions};
use support::{code, ok, own_shm};

/// A queue with these dead letters. Returns their ids.
fn dead_letters(name: &str, texts: &[&str]) -> polyproc::Result<(Queue, Vec<u64>)> {
    let options = QueueOptions {
        max_deliveries: 1,
        ..QueueOptions::OPEN_OR_CREATE
    };
    let queue = Queue::create(Some(name), &options)?;
    let mut ids = Vec::new();
    for text in texts {
        queue.put(text.as_bytes())?;
        let message = queue.take()?;
        ids.push(message.id());
        message.give_back()?;
    }
    Ok((queue, ids))
}

fn dead(queue: &Queue) -> u64 {
    queue.info().expect("its numbers").dead_letters
}

#[test]
fn dead_letters_are_retried_dropped_and_moved() {
    if !own_shm() {
        return;
    }
    let (queue, ids) = dead_letters("jobs", &["a", "b", "c", "d"]).expect("dead letters");
    let lines = ids.iter().zip(["a", "b", "c", "d"]);
    let lines = lines.map(|(id, text)| format!("{id:>8}  (came back once) {text}\n"));
    assert_eq!(ok("polyproc dead jobs"), lines.collect::<String>());
    ok(&format!("polyproc dead jobs retry {}", ids[1]));
    assert_eq!(
        (ok("polyproc get jobs --all"), dead(&queue)),
        ("b\n".into(), 3)
    );
    assert_eq!(code(&format!("polyproc dead jobs retry {}", ids[1])).0, 3);
    ok(&format!("polyproc dead jobs drop {}", ids[0]));
    assert_eq!((code("polyproc get jobs --all").0, dead(&queue)), (3, 2));
    assert_eq!(code("polyproc dead jobs move letters").0, 4);
    ok("polyproc put letters before --create");
    ok(&format!("polyproc dead jobs move letters {}", ids[3]));
    assert_eq!(ok("polyproc get letters --all"), "before\nd\n");
    ok("polyproc dead jobs retry --all");
    assert_eq!(
        (ok("polyproc get jobs --all"), dead(&queue)),
        ("c\n".into(), 0)
    );
    assert_eq!(code("polyproc dead jobs drop").0, 3);
    assert_eq!(code("polyproc dead jobs").0, 3);
    assert_eq!(code("polyproc dead missing list").0, 4);
    assert_eq!(code("polyproc dead missing drop").0, 4);
    assert_eq!(code("polyproc dead jobs drop --all 7").0, 2);
}

#[test]
fn those_that_are_not_asked_for_stay_in_their_order() {
    if !own_shm() {
        return;
    }
    let (queue, ids) = dead_letters("jobs", &["a", "b", "c"]).expect("dead letters");
    ok(&format!("polyproc dead jobs drop {}", ids[2]));
    assert_eq!(dead(&queue), 2);
    let row = |id: u64, text: &str| {
        format!("{{\"id\":{id},\"deliveries\":1,\"length\":1,\"pid\":null,\"text\":\"{text}\"}}\n")
    };
    let rows = row(ids[0], "a") + &row(ids[1], "b");
    assert_eq!(ok("polyproc dead jobs list --json"), rows);
    ok("polyproc dead jobs retry");
    assert_eq!(ok("polyproc get jobs --all"), "a\nb\n");
}
