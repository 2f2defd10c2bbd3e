#![no_main]

#[path = "../../tests/fuzz/names.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|input: String| target::run(&input));
