//! What a network is set to: how it speaks, how it connects, how it misbehaves. Must hold no state.

use std::sync::Arc;
use std::time::Duration;

use codecs::framing::Framing;
use codecs::iso8583::Dialect;

use super::speech::Speech;
use super::tls::Tls;

/// How a network connects and speaks.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The dialect.
    pub speech: Speech,
    /// Where messages end.
    pub framing: Framing,
    /// TLS; `None` for plain TCP.
    pub tls: Option<Tls>,
    /// True: nothing but network management is sent before the issuer has signed on.
    pub wait_for_sign_on: bool,
    /// How long an answer, a connection or a sign-on is waited for.
    pub patience: Duration,
    /// How it answers, to begin with.
    pub behaviour: Behaviour,
}

impl Settings {
    /// Plain TCP, no waiting for a sign-on, ten seconds of patience, no faults.
    #[must_use]
    pub fn new(dialect: Arc<Dialect>, framing: Framing) -> Settings {
        Settings {
            speech: Speech::new(dialect),
            framing,
            tls: None,
            wait_for_sign_on: false,
            patience: Duration::from_secs(10),
            behaviour: Behaviour::default(),
        }
    }
}

/// How network management of the issuer is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Behaviour {
    /// An echo gets no answer.
    pub mute_to_echo: bool,
    /// Every answer comes a second time.
    pub answer_twice: bool,
    /// Every answer comes so much later.
    pub answer_after: Duration,
}
