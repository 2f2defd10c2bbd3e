#![no_main]

#[path = "../../tests/fuzz/steps.rs"]
mod steps;
#[path = "../../tests/fuzz/model.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: target::Input| target::run(&input));
