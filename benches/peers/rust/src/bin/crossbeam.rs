//! Reference, not a peer: crossbeam-channel between threads of one process, messages of 64 bytes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

type Message = [u64; 8];

fn message(tag: u64) -> Message {
    std::array::from_fn(|i| tag + i as u64)
}

fn stream(producers: usize, consumers: usize, warm: Duration, measure: Duration) -> (f64, f64) {
    let (sender, receiver) = bounded::<Message>(1024);
    let stop = AtomicBool::new(false);
    let sent = AtomicU64::new(0);
    let counts: Vec<AtomicU64> = (0..consumers).map(|_| AtomicU64::new(0)).collect();
    let read = || -> Vec<u64> { counts.iter().map(|count| count.load(Relaxed)).collect() };
    let mut figures = (0.0, 0.0);
    scope(|scope| {
        for producer in 0..producers as u64 {
            let (sender, stop, sent) = (sender.clone(), &stop, &sent);
            scope.spawn(move || {
                let mut tag = producer << 48;
                while !stop.load(Relaxed) {
                    tag += 1;
                    sender.send(message(tag)).unwrap();
                }
                sent.fetch_add(tag & ((1 << 48) - 1), Relaxed);
            });
        }
        drop(sender);
        for count in &counts {
            let receiver = receiver.clone();
            scope.spawn(move || {
                for (n, received) in receiver.iter().enumerate() {
                    assert_eq!(received, message(received[0]));
                    count.store(n as u64 + 1, Relaxed);
                }
            });
        }
        sleep(warm);
        let (start, before) = (Instant::now(), read());
        sleep(measure);
        let (took, after) = (start.elapsed(), read());
        stop.store(true, Relaxed);
        let added: Vec<u64> = after
            .iter()
            .zip(&before)
            .map(|(after, before)| after - before)
            .collect();
        let total = added.iter().sum::<u64>() as f64;
        let largest = *added.iter().max().unwrap() as f64;
        figures = (
            total / took.as_secs_f64(),
            largest * consumers as f64 / total,
        );
    });
    assert_eq!(
        sent.into_inner(),
        read().iter().sum::<u64>(),
        "messages were lost"
    );
    figures
}

fn main() {
    let mut args: HashMap<String, String> = HashMap::new();
    for arg in std::env::args().skip(2) {
        let (name, value) = arg.split_once('=').expect("name=value");
        args.insert(name.into(), value.into());
    }
    let number = |name: &str, default: usize| {
        args.get(name)
            .map_or(default, |value| value.parse().unwrap())
    };
    assert_eq!(
        std::env::args().nth(1).as_deref(),
        Some("stream"),
        "only streams"
    );
    assert_eq!(number("size", 64), 64, "only 64 bytes");
    let millis = |name, default| Duration::from_millis(number(name, default) as u64);
    let (rate, largest_share) = stream(
        number("producers", 1),
        number("consumers", 1),
        millis("warm", 50),
        millis("ms", 250),
    );
    println!(
        "{{\"peer\": \"crossbeam\", \"rate\": {rate:.1}, \"largest_share\": {largest_share:.3}}}"
    );
}
