//! A way to PostgreSQL that confirms every segment at once, for setting up only. The switch's
//! driver writes a COPY in two pieces with Nagle's algorithm on, so that each COPY waits for the
//! 40 ms of a delayed acknowledgement; hundreds of thousands of commands, each waiting for its
//! rows, would take half an hour. Must never stand between the switch and PostgreSQL while
//! anything is measured.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use anyhow::{Context, Result};
use rustix::net::sockopt::set_tcp_quickack;
use switch_store::private_postgres::DatabaseUrl;

/// Starts the way and gives the URL by which it is taken. It lasts as long as the process.
pub(crate) fn open(database: &DatabaseUrl) -> Result<DatabaseUrl> {
    let server = server_of(database).context("a URL of a private server names its port")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let own = listener.local_addr()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // One that cannot be served sees its connection closed.
            let _ = join(client, server);
        }
    });
    let text = database.expose().replacen(&format!("@{server}/"), &format!("@{own}/"), 1);
    Ok(DatabaseUrl::parse(&text)?)
}

fn server_of(database: &DatabaseUrl) -> Option<SocketAddr> {
    let (_, rest) = database.expose().split_once('@')?;
    rest.split_once('/')?.0.parse().ok()
}

/// Copies both ways until either side has ended.
fn join(client: TcpStream, server: SocketAddr) -> Result<()> {
    let server = TcpStream::connect(server)?;
    let (reading, writing) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(reading, writing));
    thread::spawn(move || copy(server, client));
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    let _ = to.set_nodelay(true);
    loop {
        // The kernel falls back to delaying by itself, so this is said each time.
        let _ = set_tcp_quickack(&from, true);
        match from.read(&mut buffer) {
            Ok(count) if count > 0 && to.write_all(&buffer[..count]).is_ok() => {}
            _ => break,
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
