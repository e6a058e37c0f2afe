//! A specification of moov.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codecs_fuzz::moov(bytes));
