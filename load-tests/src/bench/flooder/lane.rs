//! One kept connection to the API: one request at a time, as HTTP/1.1 has it. Must never wait for
//! its socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags};

use super::ask::Kind;
use super::http::first_answer;

const ROOM: usize = 64 * 1024;

/// A connection.
pub(super) struct Lane {
    stream: TcpStream,
    /// What the request was, and when it was due.
    pub(super) asked: Option<(Kind, Duration)>,
    pub(super) output: Vec<u8>,
    written: usize,
    input: Vec<u8>,
    filled: usize,
    pub(super) open: bool,
}

impl Lane {
    pub(super) fn connect(address: SocketAddr) -> Result<Lane> {
        let stream = TcpStream::connect(address);
        let stream = stream.with_context(|| format!("connecting {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let (output, input) = (Vec::with_capacity(1024), vec![0; ROOM]);
        Ok(Lane { stream, asked: None, output, written: 0, input, filled: 0, open: true })
    }

    /// Writes as much as the socket takes.
    pub(super) fn write(&mut self) {
        while self.open && self.written < self.output.len() {
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

    /// Reads once. The status of the answer, where it is whole.
    pub(super) fn read(&mut self) -> Result<Option<u16>, &'static str> {
        match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => self.open = false,
            Ok(count) => self.filled += count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.open = false,
        }
        let Some((status, whole)) = first_answer(&self.input[..self.filled])? else {
            return Ok(None);
        };
        self.input.copy_within(whole..self.filled, 0);
        self.filled -= whole;
        Ok(Some(status))
    }

    /// What is to be looked for.
    pub(super) fn watch(&self) -> PollFd<'_> {
        let waits = self.written < self.output.len();
        let writing = if waits { PollFlags::OUT } else { PollFlags::empty() };
        PollFd::new(&self.stream, PollFlags::IN | writing)
    }
}
