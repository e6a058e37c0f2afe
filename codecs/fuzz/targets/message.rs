//! A message, in the dialect that its first byte picks.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codecs_fuzz::message(bytes));
