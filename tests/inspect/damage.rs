//! Objects whose memory is damaged at random.

use std::io::Write as _;
use std::time::{Duration, Instant};

use polyproc::inspect::{self, Place, Tail};
use polyproc::{
    unlink, Barrier, Condition, CreateOptions, Queue, QueueOptions, Rlock, Semaphore,
    SemaphoreOptions,
};

use crate::support::{Name, JOINABLE};

/// A small generator, so that a round can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }
}

fn damage(bytes: &mut [u8], dice: &mut Dice) {
    // Most of the interesting words are in the first bytes and in the fixed part of a queue.
    let ranges = [
        0..64,
        256..512,
        65_792..69_000,
        92_544..93_056,
        126_976..130_000,
        0..bytes.len(),
    ];
    for _ in 0..=dice.below(8) {
        let range = ranges[dice.below(6) as usize].clone();
        let at = range.start as u64 + dice.below(range.len() as u64);
        let width = [1, 4, 8, 16][dice.below(4) as usize];
        let value = match dice.below(4) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << dice.below(64),
            _ => dice.roll(),
        };
        let bytes = bytes.iter_mut().skip(at as usize & !(width - 1));
        for (byte, new) in bytes.zip(value.to_ne_bytes()).take(width) {
            *byte = new;
        }
    }
}

#[test]
fn random_damage_is_found_or_does_no_harm() {
    let name = Name::new();
    let kinds: [&dyn Fn(&str); 5] = [
        &|name| {
            let queue = Queue::create(
                Some(name),
                &QueueOptions {
                    max_deliveries: 1,
                    ..JOINABLE
                },
            )
            .unwrap();
            for number in 0..3000u32 {
                queue.put(&number.to_ne_bytes().repeat(16)).unwrap();
            }
            queue.take().unwrap().give_back().unwrap();
            let messages: Vec<_> = (0..9).map(|_| queue.take().unwrap()).collect();
            messages
                .into_iter()
                .step_by(2)
                .for_each(|one| one.done().unwrap());
        },
        &|name| {
            Rlock::create(Some(name), CreateOptions::default()).unwrap();
        },
        &|name| {
            let options = SemaphoreOptions {
                initial: 2,
                owned: true,
                ..Default::default()
            };
            let semaphore = Semaphore::create(Some(name), &options).unwrap();
            semaphore.permit().unwrap().leak();
        },
        &|name| {
            Condition::create(Some(name), CreateOptions::default()).unwrap();
        },
        &|name| {
            Barrier::create(Some(name), CreateOptions::default(), 2).unwrap();
        },
    ];
    let (mut rounds, mut damaged) = (0, 0);
    for make in kinds {
        make(&name.0);
        let sound = std::fs::read(name.file()).unwrap();
        for seed in 1..=400 {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
            let mut bytes = sound.clone();
            damage(&mut bytes, &mut dice);
            if dice.below(8) == 0 {
                bytes.truncate(dice.below(bytes.len() as u64) as usize);
            }
            std::fs::File::create(name.file())
                .and_then(|mut file| file.write_all(&bytes))
                .unwrap();
            let begin = Instant::now();
            let seen = name.look();
            for one in &seen.participants {
                one.process();
            }
            for place in [Place::Waiting, Place::InFlight, Place::DeadLetters] {
                let _ = inspect::peek(&name.0, place, 100, 1000);
            }
            if let Ok(mut tail) = Tail::open(&name.0) {
                let _ = tail.step(1000);
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "seed {seed}");
            rounds += 1;
            damaged += u32::from(!seen.verdict.is_sound());
        }
        unlink(&name.0).unwrap();
    }
    assert!(damaged > rounds / 10, "{damaged} of {rounds} were seen");
}
