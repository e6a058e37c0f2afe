//! The options of a link's sockets. It owns them all, so that what the kernel keeps for a peer is
//! bounded too; it never reads or writes a byte.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Connections that may wait to be accepted, e.g. when all terminals come back at once.
const BACKLOG: i32 = 1024;
/// A fixed size: the kernel would let a peer that does not read pile up megabytes.
const SEND_BUFFER: usize = 256 * 1024;
/// A peer whose machine is gone is noticed after about a minute.
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// A listening socket.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the connections of the previous process to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?; // accepted sockets inherit it
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Connects to a peer; the caller limits the time.
pub(crate) async fn connect(peer: SocketAddr, unacknowledged: Duration) -> io::Result<TcpStream> {
    let socket = if peer.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
    let stream = socket.connect(peer).await?;
    prepare(&stream, unacknowledged)?;
    Ok(stream)
}

/// Sets the options of a connection. Bytes that the peer's machine does not acknowledge within
/// `unacknowledged` end it, where the system can tell (Linux): keep-alive alone sees only an idle
/// connection.
pub(crate) fn prepare(stream: &TcpStream, unacknowledged: Duration) -> io::Result<()> {
    // Answers are written in batches by us; waiting for more would only delay the last one.
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(unacknowledged))?;
    #[cfg(not(target_os = "linux"))]
    let _ = unacknowledged;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_ends_have_the_options() {
        let listener = listen(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = listener.local_addr().expect("an address");
        let unacknowledged = Duration::from_millis(7_000);
        let (dialled, accepted) = tokio::join!(connect(address, unacknowledged), listener.accept());
        let (dialled, (accepted, _)) = (dialled.expect("connected"), accepted.expect("accepted"));
        prepare(&accepted, unacknowledged).expect("prepared");
        for stream in [&dialled, &accepted] {
            let socket = SockRef::from(stream);
            assert!(socket.keepalive().expect("read") && stream.nodelay().expect("read"));
            assert!(socket.send_buffer_size().expect("read") <= 2 * SEND_BUFFER);
            #[cfg(target_os = "linux")]
            assert_eq!(socket.tcp_user_timeout().expect("read"), Some(unacknowledged));
        }
    }
}
