//! The stand-in on a stream or a TCP port. Must answer in the order in which requests come.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use codecs::framing::{Frame, Framing};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::codec::Framed;

use super::fault::Misbehaviour;
use super::issuer::Issuer;
use crate::iso::Message;

/// Answers everything on one stream until its end. Several streams may share an issuer.
///
/// # Errors
/// When a frame or message cannot be read, or an answer not be sent.
pub async fn serve<S>(stream: S, framing: Framing, issuer: Arc<Mutex<Issuer>>) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut frames = Framed::new(stream, framing.codec()?);
    while let Some(frame) = frames.next().await {
        let request = Message::from_bytes(&frame?.body)?;
        let (answer, fault) =
            issuer.lock().unwrap_or_else(PoisonError::into_inner).answer(&request)?;
        let frame = Frame::new(Bytes::from(answer.to_bytes()));
        match fault {
            Some(Misbehaviour::Silence) => continue,
            Some(Misbehaviour::Close) => return Ok(()),
            Some(Misbehaviour::Garbage) => {
                frames.send(Frame::new(Bytes::from_static(b"not a message"))).await?;
                continue;
            }
            Some(Misbehaviour::Twice) => frames.send(frame.clone()).await?,
            Some(Misbehaviour::StallFor(time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        frames.send(frame).await?;
    }
    Ok(())
}

/// Serves any number of connections on a free port of 127.0.0.1, until the handle is aborted.
///
/// # Errors
/// When no port can be opened.
pub async fn listen(
    framing: Framing,
    issuer: Arc<Mutex<Issuer>>,
) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let issuer = Arc::clone(&issuer);
            tokio::spawn(async move {
                if let Err(why) = serve(stream, framing, issuer).await {
                    eprintln!("responder: a connection ended: {why:#}");
                }
            });
        }
    });
    Ok((address, task))
}
