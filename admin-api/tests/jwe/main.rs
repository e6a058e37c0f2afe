//! Encryption of the card API through its public face: tokens of the vectors and of two other
//! libraries, what they cost, what their refusals tell, keys and their rotation, and what headers
//! ask for.

mod cost;
mod endpoint;
mod fuzz_corpus;
mod interoperability;
mod key_file;
mod negotiation;
mod outputs;
mod pool;
mod properties;
mod public_key;
mod stage;
mod tokens;
mod vectors;
