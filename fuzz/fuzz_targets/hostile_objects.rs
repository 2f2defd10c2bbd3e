#![no_main]
#![allow(dead_code, reason = "each target uses a part of what they share")]

#[path = "../../tests/fuzz/hostile.rs"]
mod hostile;
#[path = "../../tests/fuzz/steps.rs"]
mod steps;
#[path = "../../tests/fuzz/hostile_objects.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input| target::run(&input));
