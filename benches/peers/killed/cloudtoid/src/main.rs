//! cloudtoid-interprocess: a queue. The same program as the C ones, see `../killed.h`.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use cloudtoid_interprocess::{Options, Publisher, Subscriber};
use memmap2::MmapRaw;

const MESSAGE: usize = 1024;
const CAPACITY: usize = 64;
const PROBE: u64 = u64::MAX;

/// In a file, so the counts survive a kill.
struct Counts(MmapRaw);

impl Counts {
    fn new(path: &str) -> Counts {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap();
        Counts(MmapRaw::map_raw(&file).unwrap())
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: the file holds a page, mapped as long as `self`.
        unsafe { &*self.0.as_ptr().cast::<AtomicU64>().add(at) }
    }

    fn puts(&self) -> &AtomicU64 {
        self.word(0)
    }

    fn gets(&self) -> &AtomicU64 {
        self.word(1)
    }

    fn is_killed(&self) -> bool {
        self.word(2).load(SeqCst) != 0
    }

    fn left(&self) -> &AtomicU64 {
        self.word(3)
    }
}

fn say(word: &str) {
    println!("{word}");
    std::io::stdout().flush().unwrap();
}

fn pause() {
    std::thread::sleep(Duration::from_micros(50));
}

struct Ends(Publisher, Subscriber);

impl Ends {
    fn try_put(&self, number: u64) -> bool {
        let mut message = [0; MESSAGE];
        message[..8].copy_from_slice(&number.to_le_bytes());
        match self.0.try_send(&message) {
            Ok(()) => true,
            Err(error) => {
                assert!(error.is_full(), "{error}");
                false
            }
        }
    }

    fn put(&self, number: u64) {
        while !self.try_put(number) {
            pause();
        }
    }

    fn try_get(&self) -> Option<u64> {
        let mut message = [0; MESSAGE];
        self.1.try_recv_into(&mut message).unwrap()?;
        message
            .first_chunk()
            .map(|number| u64::from_le_bytes(*number))
    }

    /// The survivor's test: put one more message, and get all up to it.
    fn go_on(&self, counts: &Counts) {
        let mut is_put = false;
        loop {
            is_put = is_put || self.try_put(PROBE);
            match self.try_get() {
                Some(PROBE) => break,
                Some(_) => drop(counts.left().fetch_add(1, SeqCst)),
                None => pause(),
            }
        }
        say("done");
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, mode, name, counts] = arguments.as_slice() else {
        std::process::exit(2);
    };
    let options = Options::new(name, CAPACITY * (MESSAGE + 16)).with_path("/dev/shm");
    let ends = Ends(
        Publisher::open(&options).unwrap(),
        Subscriber::open(&options).unwrap(),
    );
    if mode == "create" {
        // The last process that has the queue open removes it.
        say("ready");
        loop {
            std::thread::park();
        }
    }
    let counts = Counts::new(counts);
    say("ready");
    match mode.as_str() {
        "produce" => (0..).for_each(|number| {
            ends.put(number);
            counts.puts().store(number + 1, SeqCst);
        }),
        "consume" => loop {
            if ends.try_get().is_some() {
                counts.gets().fetch_add(1, SeqCst);
            }
        },
        "after-producer" => {
            while !counts.is_killed() {
                counts
                    .left()
                    .fetch_add(u64::from(ends.try_get().is_some()), SeqCst);
            }
            ends.go_on(&counts);
        }
        "after-consumer" => {
            while !counts.is_killed() {
                counts.puts().fetch_add(u64::from(ends.try_put(0)), SeqCst);
            }
            ends.go_on(&counts);
        }
        _ => std::process::exit(2),
    }
}
