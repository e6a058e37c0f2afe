//! An acquirer with its connections, as one thing to hold: signs on and off, asks and waits, or
//! sends and lets the answers come. Must never open a connection again by itself: an end is to be
//! seen.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use codecs::framing::Framing;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::connection::{Arrival, Connection, Incoming};
use super::matcher::{Matched, Matcher};
use super::numbers::NumberSource;
use super::requests::{NetworkCode, network_management};
use crate::iso::Message;

/// Longest wait for a connection, a sign-on, or an answer that is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections to one switch.
#[derive(Debug)]
pub struct Acquirer {
    connections: Vec<Connection>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    numbers: NumberSource,
}

impl Acquirer {
    /// Opens so many TCP connections.
    ///
    /// # Errors
    /// When the switch cannot be reached.
    pub async fn connect(address: &str, framing: &Framing, connections: usize) -> Result<Acquirer> {
        let mut streams = Vec::new();
        for _ in 0..connections.max(1) {
            let stream = timeout(PATIENCE, TcpStream::connect(address))
                .await
                .with_context(|| format!("{address} does not answer"))?
                .with_context(|| format!("cannot connect to {address}: is the switch running?"))?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        Acquirer::over(streams, framing)
    }

    /// Takes connected streams over.
    ///
    /// # Errors
    /// When the framing is impossible.
    pub fn over<S>(streams: Vec<S>, framing: &Framing) -> Result<Acquirer>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let connections = streams
            .into_iter()
            .enumerate()
            .map(|(index, stream)| Connection::over(stream, framing, index, sender.clone()))
            .collect::<Result<_>>()?;
        Ok(Acquirer { connections, arrivals, numbers: NumberSource::starting_at(Timestamp::now()) })
    }

    /// How many connections there are.
    #[must_use]
    pub const fn connections(&self) -> usize {
        self.connections.len()
    }

    /// The source of STANs and the like.
    pub const fn numbers(&mut self) -> &mut NumberSource {
        &mut self.numbers
    }

    /// Sends a message on a connection.
    ///
    /// # Errors
    /// When there is no such connection, or the message is longer than a frame may be.
    pub fn send(&self, connection: usize, message: &Message) -> Result<()> {
        let open = self.connections.get(connection);
        open.with_context(|| format!("there is no connection {connection}"))?.send(message)
    }

    /// What comes next, on any connection; `None` once all have ended.
    pub async fn next_arrival(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// When the connection ends, something else comes instead, or nothing does within ten seconds.
    pub async fn exchange(&mut self, connection: usize, request: &Message) -> Result<Message> {
        let mut matcher = Matcher::new(PATIENCE);
        matcher.sent(connection, request, Instant::now(), ())?;
        self.send(connection, request)?;
        let mti = request.mti();
        let arrival = timeout(PATIENCE, self.next_arrival())
            .await
            .with_context(|| format!("{mti} is not answered within {} s", PATIENCE.as_secs()))?
            .with_context(|| format!("all connections ended before {mti} was answered"))?;
        match arrival.incoming {
            Incoming::Message(answer, _) => {
                match matcher.answered(arrival.connection, &answer, arrival.at) {
                    Matched::InTime(()) => Ok(answer),
                    _ => bail!("{mti} was answered by a message of other keys: {answer:?}"),
                }
            }
            Incoming::Unreadable(why) => bail!("the answer to {mti} cannot be read: {why}"),
            Incoming::Closed(why) => bail!(
                "the switch closed the connection instead of answering {mti}{}",
                why.map(|why| format!(": {why}")).unwrap_or_default()
            ),
        }
    }

    /// Sends 0800 with this code on every connection and checks each 0810.
    ///
    /// # Errors
    /// As [`Acquirer::exchange`], and when an answer is not 0810 with DE39 00 and the same DE7, 11
    /// and 70.
    pub async fn network_management(&mut self, code: NetworkCode) -> Result<()> {
        for connection in 0..self.connections() {
            let numbers = self.numbers.next(Timestamp::now());
            let request = network_management(code, &numbers)?;
            let answer = self.exchange(connection, &request).await?;
            ensure!(answer.mti() == "0810", "0800 was answered by {}", answer.mti());
            let response = answer.text(39);
            ensure!(response == Some("00"), "0800 {} was answered {response:?}", code.code());
            for field in [7, 11, 70] {
                let same = answer.bytes(field) == request.bytes(field);
                ensure!(same, "0810 does not carry field {field} as it was sent");
            }
        }
        Ok(())
    }
}
