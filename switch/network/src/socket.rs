//! The options of a link's sockets. It owns them all, so that what the kernel keeps for a peer is
//! bounded too; it never reads or writes a byte.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

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

/// Sets the options of an accepted connection.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Answers are written in batches by us; waiting for more would only delay the last one.
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
