//! Peers that drive the switch over TCP as terminals, networks and processors do.
//!
//! They share the framing with the switch and, but for the [`network`], nothing else: messages are
//! built and read by an own table ([`iso`]) and answers are judged by an own table ([`expected`]),
//! so that a mistake on one side is not mirrored on the other. Card numbers are shown masked
//! everywhere.

pub mod acquirer;
pub mod bureau;
pub mod chip;
pub mod demo_file;
pub mod expected;
pub mod hsm;
mod http_answer;
pub mod iso;
pub mod kyc;
pub mod network;
mod port;
pub mod processor;
pub mod receiver;
pub mod responder;
pub mod sandbox;
pub mod traffic;
pub mod verified;
