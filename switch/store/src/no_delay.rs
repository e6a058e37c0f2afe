//! Has small packets to PostgreSQL sent at once. The driver leaves its TCP sockets as they are
//! made, and the end of each COPY then waits some forty milliseconds for a delayed acknowledgement.
//! It owns a setting of sockets and nothing else; where the system does not allow it, all works as
//! before, only later.

#[cfg(target_os = "linux")]
mod linux {
    use std::net::SocketAddr;

    use rustix::net::sockopt::set_tcp_nodelay;
    use rustix::process::{
        ForeignRawFd, Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open,
    };

    /// Sets it for every TCP socket of this process whose peer listens on `port`.
    pub(super) fn to(port: u16) -> std::io::Result<()> {
        let this: Pid = getpid();
        let this = pidfd_open(this, PidfdFlags::empty())?;
        for entry in std::fs::read_dir("/proc/self/fd")? {
            let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok())
            else {
                continue;
            };
            let number: ForeignRawFd = number;
            // A second handle for the same socket: what is set holds for both.
            let Ok(socket) = pidfd_getfd(&this, number, PidfdGetfdFlags::empty()) else {
                continue;
            };
            let peer = rustix::net::getpeername(&socket).ok().flatten();
            let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
            if peer.is_some_and(|peer| peer.port() == port) {
                set_tcp_nodelay(&socket, true)?;
            }
        }
        Ok(())
    }
}

/// Sets it for the connections to a server on `port`.
#[cfg(target_os = "linux")]
pub(crate) fn to(port: u16) {
    if let Err(error) = linux::to(port) {
        tracing::debug!(%error, "small packets to PostgreSQL may wait for an acknowledgement");
    }
}

/// Not known how to elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn to(_port: u16) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn sockets_to_the_server_and_no_others_are_set() {
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (server, other) = (listen(), listen());
        let connect = |to: &TcpListener| {
            TcpStream::connect(to.local_addr().expect("bound")).expect("listening")
        };
        let (ours, theirs) = (connect(&server), connect(&other));
        super::to(server.local_addr().expect("bound").port());
        assert!(ours.nodelay().expect("a socket"));
        assert!(!theirs.nodelay().expect("a socket"));
    }
}
