//! One connection to a unit, kept for ever: connected, tried, used, and connected again. It owns
//! when that happens, and that whoever waits on it hears of its end at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::serve::Serving;
use super::settings::Settings;
use super::tls::Wire;
use super::unit::{Failure, Lane, Order};
use crate::commands::{Diagnostics, DiagnosticsAnswer, HostCommand};
use crate::error_code::{ErrorCode, Verdict};
use crate::fields::{AnswerReader, CommandWriter, Malformed, answer_code};
use crate::frame::{FrameError, Header, Input};

const KEEPALIVE_TIME: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// Why a connection was not to be had.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error("no connection and no diagnostics within the deadline")]
    Deadline,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("the answer to its diagnostics: {0}")]
    Malformed(#[from] Malformed),
    #[error("its diagnostics end with error code {0}")]
    Sick(ErrorCode),
    #[error("its local master key is another one: its check value begins with {0}")]
    OtherMasterKey(String),
}

impl ConnectError {
    const fn cause(&self) -> &'static str {
        match self {
            Self::Deadline => "deadline",
            Self::Io(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Frame(_) | Self::Malformed(_) => "answer",
            Self::Sick(_) => "diagnostics",
            Self::OtherMasterKey(_) => "master_key",
        }
    }
}

/// Keeps a connection until `stop`.
pub(super) async fn keep(
    lane: Arc<Lane>,
    settings: Arc<Settings>,
    mut orders: UnboundedReceiver<Order>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(settings.first_wait, settings.longest_wait);
    loop {
        let attempt = timeout(settings.connect_deadline, connect(&lane.unit.address, &settings));
        let connected = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            connected = attempt => connected.unwrap_or(Err(ConnectError::Deadline)),
            () = refuse_all(&mut orders) => return,
        };
        match connected {
            Ok((stream, input)) => {
                backoff.succeeded();
                lane.unit.trial_passed();
                lane.set_up(true);
                let serving = Serving::new(&lane.unit, &settings, input);
                let ending = serving.run(stream, &mut orders, &stop).await;
                lane.set_up(false);
                lane.unit.metrics.closed(ending.cause());
                if stop.is_cancelled() {
                    return;
                }
                let (unit, cause) = (&lane.unit.address, ending.cause());
                tracing::warn!(unit, cause, "a connection to a security module ended");
            }
            Err(error) => {
                lane.unit.metrics.connect_failed(error.cause());
                let unit = &lane.unit.address;
                tracing::warn!(unit, %error, "no connection to a security module");
            }
        }
        let wait = sleep(backoff.failed(rand::random()));
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = wait => {}
            () = refuse_all(&mut orders) => return,
        }
    }
}

/// While there is no connection nothing waits for one: another may have room.
async fn refuse_all(orders: &mut UnboundedReceiver<Order>) {
    while let Some(order) = orders.recv().await {
        let _ = order.reply.send(Err(Failure::Lost));
    }
}

/// A connection to a unit that is sound and has our local master key.
async fn connect(address: &str, settings: &Settings) -> Result<(Wire, Input), ConnectError> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    let mut stream: Wire = match &settings.tls {
        None => Box::new(stream),
        Some(tls) => tls.connect(address, stream).await.map_err(ConnectError::Tls)?,
    };
    let mut input = Input::new(settings.header_length, settings.message_limit);
    let said = diagnose(&mut stream, &mut input, settings).await?;
    let check_value = hex::encode_upper(said.lmk_check_value);
    if settings.lmk_check_value.is_some_and(|expected| expected != said.lmk_check_value) {
        return Err(ConnectError::OtherMasterKey(check_value));
    }
    let firmware = said.firmware;
    tracing::info!(unit = address, firmware, lmk = check_value, "connected to a security module");
    Ok((stream, input))
}

async fn diagnose(
    stream: &mut Wire,
    input: &mut Input,
    settings: &Settings,
) -> Result<DiagnosticsAnswer, ConnectError> {
    let (header, code) = (Header::draw(settings.header_length), Diagnostics.code());
    let mut out = CommandWriter::new(settings.header_length, settings.message_limit, code);
    Diagnostics.write(&mut out)?;
    stream.write_all(out.finish()?.under(header).as_slice()).await?;
    stream.flush().await?;
    let frame = loop {
        if let Some(frame) = input.take()? {
            break frame;
        }
        let read = stream.read(input.room()).await?;
        if read == 0 {
            return Err(ConnectError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        input.fill(read);
    };
    if frame.header() != Some(header) || frame.code() != answer_code(code) {
        return Err(ConnectError::Malformed(Malformed("header")));
    }
    let (error_code, mut answer) = AnswerReader::new(frame.rest())?;
    if error_code.verdict() != Verdict::Good {
        return Err(ConnectError::Sick(error_code));
    }
    Ok(Diagnostics::read(&mut answer)?)
}

/// When a moment comes; never where there is none.
pub(super) async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
