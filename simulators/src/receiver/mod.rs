//! A partner's receiver of webhooks over HTTPS: it keeps what it was sent, and answers as it was
//! told. It shares nothing with the switch but the bytes that go between them, and verifies
//! nothing: tests do that by means of their own. Must take every request, however odd, and keep it
//! as it came.

mod conduct;
mod listener;
mod serve;

pub use conduct::Reply;
pub use listener::{Delivery, Receiver};
