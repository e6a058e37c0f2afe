//! A token, or one of the vectors with changes.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| admin_api_fuzz::token(bytes));
