//! Objects that are damaged at random.

use std::process::Command;

use polyproc::{CreateOptions, Lock, Queue};

use crate::joinable;
use crate::support::{own_shm, POLYPROC};

/// A small generator, so that a round can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

#[test]
fn damaged_objects_neither_crash_nor_hang_a_look() {
    if !own_shm() {
        return;
    }
    let jobs = Queue::create(Some("jobs"), &joinable()).unwrap();
    for number in 0..2000u32 {
        jobs.put(&number.to_ne_bytes()).unwrap();
    }
    jobs.take().unwrap().give_back().unwrap();
    drop(jobs);
    drop(Lock::create(Some("lock"), CreateOptions::default()).unwrap());
    let files = ["/dev/shm/polyproc.jobs", "/dev/shm/polyproc.lock"];
    let sound = files.map(|file| std::fs::read(file).unwrap());
    let mut seen_damage = 0;
    for seed in 1..=40u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for (file, sound) in files.iter().zip(&sound) {
            let mut bytes = sound.clone();
            for _ in 0..=dice.below(12) {
                let ranges = [
                    0..64,
                    256..320,
                    65_792..69_000,
                    92_544..92_672,
                    0..bytes.len(),
                ];
                let range = ranges[dice.below(5)].clone();
                let at = range.start + dice.below(range.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = [0, 1, 0x7f, 0xff, dice.below(256) as u8][dice.below(5)];
                }
            }
            if dice.below(6) == 0 {
                bytes.truncate(dice.below(bytes.len()));
            }
            std::fs::write(file, bytes).unwrap();
        }
        for command in [
            "ls",
            "ls --json",
            "stat jobs lock",
            "stat --json jobs",
            "peek jobs -n 100",
            "peek jobs --from inflight",
            "peek jobs --from dead",
            "tail jobs --all --timeout 1ms",
            "doctor",
            "exporter --once",
        ] {
            let output = Command::new("timeout")
                .args(["60", POLYPROC])
                .args(command.split(' '))
                .output()
                .unwrap();
            let code = output.status.code();
            let error = String::from_utf8_lossy(&output.stderr);
            // 124 is that of timeout(1), 101 that of a panic, and a signal has none.
            let is_fine = matches!(code, Some(0 | 1 | 3 | 5)) && !error.contains("panicked");
            assert!(is_fine, "seed {seed}: {command}: {code:?}\n{error}");
            seen_damage += u32::from(code == Some(5));
        }
    }
    assert!(seen_damage > 10, "{seen_damage}");
}
