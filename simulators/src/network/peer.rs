//! A network as one thing to hold: starts it, sends through it, makes it fail, waits for what is to
//! happen. Must never wait longer than its patience.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::{Bytes, BytesMut};
use codecs::framing::LengthHeader;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connection::Connection;
use super::draft::{Draft, Sale};
use super::file_action::LockAsk;
use super::malformed::{Malformed, Source};
use super::management::Function;
use super::said::Said;
use super::settings::{Behaviour, Settings};
use super::settled::Settlement;
use super::shared::{Order, Shared};
use super::speech::Speech;
use super::tally::Tally;
use super::tls::Handshake;

/// How far apart an issuer that is not there is dialled.
const REDIAL: Duration = Duration::from_millis(100);
/// Frames that are sent before the issuer must have looked at all of them.
const BURST: u32 = 500;

/// A running network. Dropped, it closes everything.
pub struct NetworkPeer {
    shared: Arc<Shared>,
    address: SocketAddr,
    running: JoinHandle<()>,
}

impl NetworkPeer {
    /// Listens for the links of issuers; port 0 takes any free one.
    ///
    /// # Errors
    /// When the port cannot be opened, the framing is impossible, or a file of TLS is wrong.
    pub async fn listen(address: SocketAddr, settings: Settings) -> Result<NetworkPeer> {
        let handshake = Handshake::accepting(settings.tls.as_ref())?;
        let shared = Arc::new(Shared::new(settings, first_stan())?);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let running = tokio::spawn(accept(listener, handshake, Arc::clone(&shared)));
        Ok(NetworkPeer { shared, address, running })
    }

    /// Dials an issuer, and again whenever the connection ends.
    ///
    /// # Errors
    /// When the framing is impossible or a file of TLS is wrong; an issuer that is not there is
    /// counted and dialled again.
    pub fn dial(address: SocketAddr, settings: Settings) -> Result<NetworkPeer> {
        let handshake = Handshake::connecting(settings.tls.as_ref())?;
        let shared = Arc::new(Shared::new(settings, first_stan())?);
        let running = tokio::spawn(dial(address, handshake, Arc::clone(&shared)));
        Ok(NetworkPeer { shared, address, running })
    }

    /// Where it listens, or whom it dials.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.shared.watch().borrow().clone()
    }

    /// The certificate that the issuer showed on the newest connection, as DER.
    #[must_use]
    pub fn issuer_certificate(&self) -> Option<Vec<u8>> {
        self.shared.certificate()
    }

    /// Waits until the counts are as wanted.
    ///
    /// # Errors
    /// When they are not within the patience; the error has the counts.
    pub async fn until(&self, wanted: impl FnMut(&Tally) -> bool) -> Result<Tally> {
        let mut watch = self.shared.watch();
        let seen = timeout(self.shared.settings.patience, watch.wait_for(wanted)).await;
        match seen {
            Ok(tally) => Ok(tally.context("the network has ended")?.clone()),
            Err(_) => anyhow::bail!("it did not come to that: {:?}", self.tally()),
        }
    }

    /// Waits until a purchase may be sent: connected, and signed on where that is waited for.
    ///
    /// # Errors
    /// As [`NetworkPeer::until`].
    pub async fn ready(&self) -> Result<Tally> {
        let signed_on = self.shared.settings.wait_for_sign_on;
        self.until(|tally| tally.open > 0 && (tally.signed_on > 0 || !signed_on)).await
    }

    /// Sends a purchase and waits for its answer.
    ///
    /// # Errors
    /// When no connection may be used, the value of a field does not fit, or no answer comes.
    pub async fn purchase(&self, pan: &str, minor: u64) -> Result<Said> {
        let sale = self.sale(pan, minor);
        self.request("100", &self.shared.settings.speech.purchase(&sale)).await
    }

    /// A purchase of now, under a trace number of its own.
    #[must_use]
    pub fn sale(&self, pan: &str, minor: u64) -> Sale {
        Sale::in_euro(pan, self.shared.next_stan(), minor, now())
    }

    /// Takes a whole purchase back.
    ///
    /// # Errors
    /// As [`NetworkPeer::purchase`].
    pub async fn reverse(&self, original: &Sale) -> Result<Said> {
        let draft = self.shared.settings.speech.reversal("100", original, self.shared.next_stan());
        self.request("400", &draft).await
    }

    /// Asks for the lock of a card, or for its end, and waits for the answer; needs no sign-on.
    ///
    /// # Errors
    /// As [`NetworkPeer::purchase`], and where the dialect has no fields for file actions.
    pub async fn lock(&self, pan: &str, ask: LockAsk) -> Result<Said> {
        let speech = &self.shared.settings.speech;
        let draft = speech.file_action(pan, ask, self.shared.next_stan(), now())?;
        self.request(speech.file_action_kind(), &draft).await
    }

    /// Sends network management and waits for its answer; needs no sign-on.
    ///
    /// # Errors
    /// As [`NetworkPeer::purchase`].
    pub async fn manage(&self, function: Function) -> Result<Said> {
        let stan = self.shared.next_stan();
        self.request("800", &self.shared.settings.speech.management(function, stan, now())).await
    }

    /// What was settled so far, by this side's own count.
    #[must_use]
    pub fn settled(&self) -> Settlement {
        self.shared.settled()
    }

    /// The dialect as it is spoken here.
    #[must_use]
    pub fn speech(&self) -> &Speech {
        &self.shared.settings.speech
    }

    /// Says what was settled today, and waits for the answer; needs no sign-on.
    ///
    /// # Errors
    /// As [`NetworkPeer::purchase`], and where the dialect has no reconciliation.
    pub async fn reconcile(&self) -> Result<Said> {
        let (settled, stan) = (self.settled(), self.shared.next_stan());
        let draft = self.speech().reconciliation(&settled, stan, now())?;
        self.request(Speech::RECONCILIATION, &draft).await
    }

    /// Sends any request of this kind (`"100"`, `"401"`), and waits for its answer.
    ///
    /// # Errors
    /// As [`NetworkPeer::purchase`].
    pub async fn request(&self, kind: &str, draft: &Draft) -> Result<Said> {
        let Settings { speech, wait_for_sign_on, patience, .. } = &self.shared.settings;
        let bytes = speech.bytes(speech.mti(kind)?, draft)?;
        let request = speech.read(Bytes::from(bytes))?;
        let sells = !kind.starts_with(['3', '5', '8']);
        let answer = self.shared.ask(&request, *wait_for_sign_on && sells)?;
        match timeout(*patience, answer).await {
            Ok(Ok(said)) => {
                if speech.is_yes(&said.action()) && !speech.tells_of_a_decline(draft) {
                    self.shared.note_settled(kind, draft);
                }
                Ok(said)
            }
            Ok(Err(_)) => {
                anyhow::bail!("the connection ended before {} was answered", request.mti())
            }
            Err(_) => {
                self.shared.count(|tally| tally.unanswered += 1);
                anyhow::bail!("{} was not answered within {patience:?}", request.mti())
            }
        }
    }

    /// Sends malformed frames, and an echo after every few: an issuer that answers it has taken
    /// them all and is still there.
    ///
    /// # Errors
    /// When the issuer ends a connection over a frame whose length was right, or answers no echo.
    pub async fn send_malformed(&self, what: Malformed) -> Result<()> {
        let Settings { speech, framing, .. } = &self.shared.settings;
        let longest = framing.max_frame.saturating_sub(framing.header.len());
        let mut source = Source::new(speech, what.seed, longest)?;
        for number in 1..=what.frames {
            let mut body = source.body();
            if framing.length == LengthHeader::None {
                body.iter_mut().filter(|byte| **byte == 3).for_each(|byte| *byte = 4);
            }
            self.shared.send_raw(self.shared.framed(&body)?).with_context(|| {
                format!("before malformed frame {number} of seed {}", what.seed)
            })?;
            self.shared.count(|tally| tally.malformed += 1);
            if number % BURST == 0 || number == what.frames {
                self.looked_at(number, what.seed).await?;
            }
            if what.bad_length_every > 0 && number % what.bad_length_every == 0 {
                self.send_bad_length().await?;
            }
        }
        Ok(())
    }

    async fn looked_at(&self, number: u32, seed: u64) -> Result<()> {
        let said = self.manage(Function::Echo).await;
        let said =
            said.with_context(|| format!("after malformed frame {number} of seed {seed}"))?;
        ensure!(said.action() == self.shared.settings.speech.accepted(), "{said:?} to an echo");
        Ok(())
    }

    /// A length that is none, or too great, in every form; waits for the end that it must cost, and
    /// for the next connection.
    async fn send_bad_length(&self) -> Result<()> {
        let length = self.shared.settings.framing.length;
        ensure!(length != LengthHeader::None, "there is no length that could be bad");
        let index = self.shared.send_raw(BytesMut::from(&*vec![0xFF; length.bytes()]))?;
        self.shared.count(|tally| tally.malformed += 1);
        self.until(|_| !self.shared.is_open(index)).await.context("a bad length was taken")?;
        self.until(|tally| tally.open > 0).await?;
        Ok(())
    }

    /// Resets every connection; how many there were.
    pub fn kill(&self) -> usize {
        self.shared.order_all(|| Order::Kill)
    }

    /// From now on nothing is read or written on the connections that are open, and none of them is
    /// closed; new ones are served. How many there were.
    pub fn go_half_open(&self) -> usize {
        self.shared.order_all(|| Order::GoHalfOpen)
    }

    /// Answers the issuer so from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.behave(behaviour);
    }
}

impl Drop for NetworkPeer {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn accept(listener: TcpListener, handshake: Handshake, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, handshake.clone(), Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn dial(address: SocketAddr, handshake: Handshake, shared: Arc<Shared>) {
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => serve(stream, handshake.clone(), Arc::clone(&shared)).await,
            Err(_) => shared.count(|tally| tally.failed += 1),
        }
        tokio::time::sleep(REDIAL).await;
    }
}

async fn serve(stream: TcpStream, handshake: Handshake, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true); // an answer is slower without, and no less an answer
    let shaken = timeout(shared.settings.patience, handshake.shake(stream)).await;
    match shaken {
        Ok(Ok(wire)) => Connection::new(shared, wire).serve().await,
        Ok(Err(_)) | Err(_) => shared.count(|tally| tally.failed += 1),
    }
}

fn now() -> DateTime {
    TimeZone::UTC.to_datetime(Timestamp::now())
}

/// The milliseconds of the day, modulo a million: a run after another one has other numbers.
fn first_stan() -> u32 {
    let millis = Timestamp::now().as_millisecond().rem_euclid(999_999);
    u32::try_from(millis).unwrap_or(0).max(1)
}
