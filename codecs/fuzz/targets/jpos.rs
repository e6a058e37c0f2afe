//! A packager file of jPOS.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| codecs_fuzz::jpos(bytes));
