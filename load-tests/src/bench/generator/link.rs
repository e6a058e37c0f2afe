//! One connection: what is to be written, and what was read of it. Must never wait for its socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result};

use crate::bench::wire::first_frame;

const READ_ROOM: usize = 128 * 1024;

pub(crate) struct Link {
    pub(crate) stream: TcpStream,
    /// Appended to by whoever has a request; the front of it is written already.
    pub(crate) output: Vec<u8>,
    written: usize,
    input: Vec<u8>,
    filled: usize,
    pub(crate) in_flight: usize,
    pub(crate) open: bool,
}

impl Link {
    pub(crate) fn connect(address: SocketAddr) -> Result<Link> {
        let stream = TcpStream::connect(address);
        Link::over(stream.with_context(|| format!("connecting {address}"))?)
    }

    /// Over a connection that was made.
    pub(crate) fn over(stream: TcpStream) -> Result<Link> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Link {
            stream,
            output: Vec::with_capacity(64 * 1024),
            written: 0,
            input: vec![0; READ_ROOM],
            filled: 0,
            in_flight: 0,
            open: true,
        })
    }

    /// True while something waits to be written.
    pub(crate) fn wants_to_write(&self) -> bool {
        self.open && self.written < self.output.len()
    }

    /// Writes as much as the socket takes.
    pub(crate) fn write(&mut self) {
        while self.wants_to_write() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(0) => self.open = false,
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.open = false,
            }
        }
        self.output.clear();
        self.written = 0;
    }

    /// Reads once and hands every whole message over. One read is enough: what is left is there at
    /// the next look.
    pub(crate) fn read(&mut self, mut take: impl FnMut(&[u8])) {
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => self.open = false,
            Ok(count) => self.filled += count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.open = false,
        }
        let mut start = 0;
        while let Some((message, size)) = first_frame(&self.input[start..self.filled]) {
            take(message);
            start += size;
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        self.input.copy_within(start..self.filled, 0);
        self.filled -= start;
    }
}
