//! A running link in the hands of the server: looked at and commanded. It owns what can be asked of
//! a link from outside; the link itself does it.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use crate::requests::{Order, Request, RequestAnswer, RequestError};
use crate::standing::{LinkView, Mode, Standing};
use crate::tls::{Tls, TlsError};

/// A handle to a running link; cloning gives another one to the same link.
#[derive(Clone)]
pub struct LinkHandle {
    standing: Arc<Standing>,
    tls: Option<Arc<Tls>>,
}

impl LinkHandle {
    pub(crate) const fn new(standing: Arc<Standing>, tls: Option<Arc<Tls>>) -> Self {
        Self { standing, tls }
    }

    /// The link's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.standing.name()
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> LinkView {
        let certificates_since = self.tls.as_ref().map(|tls| tls.since().to_string());
        LinkView { certificates_since, ..self.standing.view() }
    }

    /// From now on authorizations are answered with "issuer inoperative" (91 of 1987, 907, 9107).
    /// Reversals are taken, network management is answered, and connections stay. A link that was
    /// drained connects again, paused.
    pub fn pause(&self) {
        self.standing.set_mode(Mode::Paused);
    }

    /// Serves again, after a pause or a drain.
    pub fn resume(&self) {
        self.standing.set_mode(Mode::Open);
    }

    /// From now on nothing is read; each connection sends the answers that it owes and is closed,
    /// and no other one is accepted or dialled.
    pub fn drain(&self) {
        self.standing.set_mode(Mode::Drained);
    }

    /// Reads the link's certificates again; false where it has none.
    ///
    /// # Errors
    /// What is wrong with the files. The link keeps the certificates that it had.
    pub async fn reload(&self) -> Result<bool, TlsError> {
        match &self.tls {
            None => Ok(false),
            Some(tls) => tls.reload().await.map(|()| true),
        }
    }

    /// Sends a request over the link's newest connection and waits for its answer.
    ///
    /// # Errors
    /// There is no connection, no room or no answer; see [`RequestError`].
    pub async fn request(&self, request: Request) -> Result<RequestAnswer, RequestError> {
        let orders = self.standing.orders().ok_or(RequestError::NotConnected)?;
        let (reply, answer) = oneshot::channel();
        orders.try_send(Order { request, reply }).map_err(|error| match error {
            TrySendError::Full(_) => RequestError::TooMany(orders.max_capacity()),
            TrySendError::Closed(_) => RequestError::NotConnected,
        })?;
        answer.await.unwrap_or(Err(RequestError::Closed))
    }
}
