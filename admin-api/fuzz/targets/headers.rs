//! The headers of encryption, and the envelope.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| admin_api_fuzz::headers(bytes));
