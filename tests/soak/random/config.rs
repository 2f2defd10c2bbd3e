//! A configuration: its objects, its workers, and what happens to them. It follows from the seed
//! and its number alone.

use polyproc::{CreateOptions, QueueOptions};

/// xorshift64*
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, number: u64) -> Random {
        let mut mixed = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Random((mixed ^ mixed >> 31) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20) % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn yes(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    C,
    Go,
    Node,
}

#[derive(Debug)]
pub struct Worker {
    pub language: Language,
    /// How many of ten steps with a queue are puts.
    pub puts_in_ten: u64,
    pub steps: u64,
}

#[derive(Debug)]
pub struct QueueChoice {
    pub options: QueueOptions,
    pub anonymous: bool,
    pub largest: u64,
}

impl QueueChoice {
    /// As the workers read it: `random.c`, `set_word`.
    pub fn word(&self, place: usize) -> String {
        let options = &self.options;
        format!(
            "o{place}={},{},{},{},{},{}",
            if options.joinable { 2 } else { 0 },
            options.max_items,
            options.max_bytes,
            options.max_deliveries,
            options.spin_ns,
            self.largest
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shutdown {
    AtTheEnd,
    Gentle,
    Immediate,
}

/// The bits of `enum feature` in random.h.
pub const MAY_FORK: u32 = 1;
pub const MAY_EXEC: u32 = 2;
pub const MAY_SPAWN: u32 = 4;
pub const MAY_WAIT_FOR_EVER: u32 = 8;
pub const MAY_LEAVE_FULL: u32 = 16;
pub const MAY_LACK_MEMORY: u32 = 32;
pub const MAY_WATCH: u32 = 64;
pub const MAY_REOPEN: u32 = 128;

#[derive(Debug)]
pub struct Config {
    pub milliseconds: u64,
    pub queues: Vec<QueueChoice>,
    pub workers: Vec<Worker>,
    pub may: u32,
    /// The average milliseconds between two kills; 0: none.
    pub kill_every: u64,
    pub stop_every: u64,
    pub stop_for: u64,
    pub rename_every: u64,
    pub shutdown: Shutdown,
    pub lock: bool,
    pub rlock: bool,
    pub permits: i64,
    pub event: bool,
    pub condition: bool,
    pub parties: u32,
    pub pipe: bool,
}

impl Config {
    pub fn new(random: &mut Random, lacks_memory: bool) -> Config {
        let long = random.yes(12);
        let milliseconds = if long { 3000 } else { 200 + random.below(1100) };
        let queues = (0..random.one(&[1, 1, 1, 2, 3]))
            .map(|_| queue(random))
            .collect();
        let mut workers: Vec<Worker> = (0..2 + random.below(6))
            .map(|_| worker(random, Language::C))
            .collect();
        workers[0].puts_in_ten = 7;
        workers[1].puts_in_ten = 2;
        let mut may = if lacks_memory { MAY_LACK_MEMORY } else { 0 };
        for (bit, percent) in [
            (MAY_FORK, 50),
            (MAY_EXEC, 30),
            (MAY_SPAWN, 25),
            (MAY_WAIT_FOR_EVER, 40),
            (MAY_LEAVE_FULL, 50),
            (MAY_WATCH, 40),
            (MAY_REOPEN, 40),
        ] {
            may |= if random.yes(percent) { bit } else { 0 };
        }
        // A process of Go or of Node takes its time to start.
        if long {
            workers.push(worker(random, Language::Go));
            workers.push(worker(random, Language::Node));
        }
        let lock = random.yes(50);
        Config {
            milliseconds,
            queues,
            workers,
            may,
            kill_every: random.one(&[0, 3, 8, 20, 50, 100]),
            stop_every: random.one(&[0, 0, 10, 30, 100]),
            stop_for: random.one(&[1, 5, 40, 200]),
            rename_every: random.one(&[0, 0, 20, 100]),
            shutdown: random.one(&[
                Shutdown::AtTheEnd,
                Shutdown::AtTheEnd,
                Shutdown::AtTheEnd,
                Shutdown::Gentle,
                Shutdown::Immediate,
            ]),
            lock,
            rlock: random.yes(40),
            permits: random.one(&[0, 1, 2, 5]),
            event: random.yes(30),
            condition: lock && random.yes(50),
            parties: random.one(&[0, 0, 1, 2, 3]),
            pipe: random.yes(40),
        }
    }
}

fn queue(random: &mut Random) -> QueueChoice {
    let joinable = random.yes(60);
    QueueChoice {
        options: QueueOptions {
            create: CreateOptions {
                open_or_create: true,
                ..Default::default()
            },
            joinable,
            max_items: random.one(&[0, 0, 1, 2, 5, 16, 100, 1000, 10_000]),
            max_bytes: random.one(&[0, 0, 0, 1000, 20_000, 300_000, 4 << 20]),
            max_deliveries: random.one(&[0, 0, 1, 2, 3, 10]),
            spin_ns: random.one(&[0, 0, 1, 5_000, 200_000]),
            ..Default::default()
        },
        anonymous: random.yes(35),
        largest: random.one(&[64, 64, 64, 4096, 4096, 128 << 10, 8 << 20]),
    }
}

fn worker(random: &mut Random, language: Language) -> Worker {
    Worker {
        language,
        puts_in_ten: random.one(&[0, 1, 3, 4, 5, 5, 6, 8, 10]),
        steps: random.one(&[50, 500, 5_000, 1 << 30, 1 << 30]),
    }
}
