//! See `src/targets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tolbooth_fuzz::json(data));
