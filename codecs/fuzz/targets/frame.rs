//! Frames of a connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codecs_fuzz::frame(bytes));
