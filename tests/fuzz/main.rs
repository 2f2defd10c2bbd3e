//! The fuzz targets of `fuzz/` with a number of inputs of their own, and the inputs that have
//! failed.
//!
//! The targets are the modules beside this one; libFuzzer drives them under AddressSanitizer in
//! `make fuzz`.

mod hostile;
mod hostile_objects;
mod hostile_pipe;
mod hostile_queue;
mod model;
mod names;
mod steps;
mod wire;

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// Inputs made of random bytes, the same in each run. None takes long, because every call tries
/// once or waits for microseconds.
fn some<T: for<'a> Arbitrary<'a> + std::fmt::Debug>(count: usize, run: impl Fn(&T)) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..count {
        let len = 16 + random.next() as usize % 1500;
        let bytes: Vec<u8> = (0..len).map(|_| random.next() as u8).collect();
        let Ok(input) = T::arbitrary_take_rest(Unstructured::new(&bytes)) else {
            continue;
        };
        let began = Instant::now();
        run(&input);
        assert!(began.elapsed() < Duration::from_secs(10), "{input:?}");
    }
}

#[test]
fn nonsense_in_a_queue_is_answered() {
    some(300, hostile_queue::run);
}

#[test]
fn nonsense_in_a_pipe_is_answered() {
    some(40, hostile_pipe::run);
}

#[test]
fn nonsense_in_the_small_objects_is_answered() {
    some(400, hostile_objects::run);
}

#[test]
fn a_queue_does_as_a_list_does() {
    some(400, model::run);
}

#[test]
fn names_are_taken_by_the_rule() {
    some(5000, |name: &String| names::run(name));
    [
        "a",
        "a.b-c_D9",
        ".a",
        "",
        "a/b",
        "a\0",
        "ä",
        &"n".repeat(200),
        &"n".repeat(201),
    ]
    .iter()
    .for_each(|name| names::run(name));
}

#[test]
fn bytes_at_a_socket_are_answered() {
    some(300, wire::run);
}

#[test]
fn what_is_no_address_is_refused() {
    some(500, |text: &String| wire::refuses(text));
    [
        "",
        "tcp:",
        "tcp://",
        "tcp://:1",
        "tcp://127.0.0.1:99999",
        "unx:@a",
        "tcp://[::1]",
    ]
    .iter()
    .for_each(|text| wire::refuses(text));
}
