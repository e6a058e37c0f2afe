//! One connection of a unit: commands in, answers out, and what goes wrong between. Must answer in
//! the order in which commands come, but for answers that are late on purpose.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::unit::Shared;
use super::wire::{self, Command};
use crate::network::Wire;

/// What one turn of waiting brought.
enum Event {
    Read(std::io::Result<usize>),
    Late(Vec<u8>),
    Stopped,
}

/// What a command comes to.
enum Reaction {
    Send(Vec<u8>),
    SendLater(Vec<u8>, Duration),
    /// This, and then nothing more.
    SendLast(Vec<u8>),
    Keep(Vec<u8>),
    Nothing,
    Reset,
}

pub(super) struct Connection {
    shared: Arc<Shared>,
    stream: Wire,
    /// Answers that come late.
    later: (mpsc::UnboundedSender<Vec<u8>>, mpsc::UnboundedReceiver<Vec<u8>>),
    /// An answer that is to go out under the header of the next command.
    kept: Option<Vec<u8>>,
    /// It stopped in the midst of an answer, and says nothing more.
    mute: bool,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, stream: Wire) -> Self {
        Self { shared, stream, later: mpsc::unbounded_channel(), kept: None, mute: false }
    }

    /// Serves it until either side ends it; then, or when stopped, it is reset.
    pub(super) async fn serve(mut self, stop: CancellationToken) {
        self.shared.count(|tally| {
            tally.open += 1;
            tally.connected += 1;
        });
        let reset = self.run(&stop).await.unwrap_or(true);
        if reset {
            self.stream.reset();
        } else {
            drop(self.stream);
        }
        self.shared.count(|tally| tally.open -= 1);
    }

    /// True where it is to be reset.
    async fn run(&mut self, stop: &CancellationToken) -> anyhow::Result<bool> {
        let mut input = Vec::new();
        loop {
            while let Some(command) = wire::take(&mut input, self.shared.header_length())? {
                match self.react(&command) {
                    Reaction::Send(bytes) => self.send(&bytes).await?,
                    Reaction::SendLater(bytes, after) => self.send_later(bytes, after),
                    Reaction::SendLast(bytes) => {
                        self.send(&bytes).await?;
                        self.mute = true;
                    }
                    Reaction::Keep(bytes) => self.kept = Some(bytes),
                    Reaction::Nothing => {}
                    Reaction::Reset => return Ok(true),
                }
            }
            let event = tokio::select! {
                biased;
                () = stop.cancelled() => Event::Stopped,
                Some(bytes) = self.later.1.recv() => Event::Late(bytes),
                read = self.stream.read_buf(&mut input) => Event::Read(read),
            };
            match event {
                Event::Stopped => return Ok(true),
                Event::Late(bytes) => self.send(&bytes).await?,
                Event::Read(read) => {
                    if read? == 0 {
                        return Ok(false);
                    }
                }
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    fn send_later(&self, bytes: Vec<u8>, after: Duration) {
        let later = self.later.0.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let _ = later.send(bytes); // the connection may have ended meanwhile
        });
    }

    fn react(&mut self, command: &Command) -> Reaction {
        let letters = command.letters;
        self.shared.count_command(letters);
        if self.mute {
            return Reaction::Nothing;
        }
        if let Some(kept) = self.kept.take() {
            // The answer that was kept goes out under this header, and this one gets none.
            let rest = &kept[2 + command.header.len()..];
            let length = &kept[..2];
            return Reaction::Send([length, &command.header, rest].concat());
        }
        let fault = self.shared.strikes(letters);
        let (error, data) = match fault {
            Some(Fault::Code(code)) => (code, Vec::new()),
            _ => self.shared.answer(letters, &command.data),
        };
        let whole = wire::answer(&command.header, letters, error, &data);
        match fault {
            None | Some(Fault::Code(_)) => {
                self.shared.count_answer(error);
                Reaction::Send(whole)
            }
            Some(Fault::Hang) => Reaction::Nothing,
            Some(Fault::Half) => Reaction::SendLast(whole[..whole.len() / 2].to_vec()),
            Some(Fault::Reset) => Reaction::Reset,
            Some(Fault::Late(after)) => Reaction::SendLater(whole, after),
            Some(Fault::Twice) => Reaction::Send([whole.as_slice(), &whole].concat()),
            Some(Fault::HeaderOfNext) => Reaction::Keep(whole),
            Some(Fault::WrongHeader) => {
                let header = vec![b'?'; command.header.len()];
                Reaction::Send(wire::answer(&header, letters, error, &data))
            }
            Some(Fault::WrongLetters) => {
                Reaction::Send(wire::answer(&command.header, *b"XX", error, &data))
            }
            Some(Fault::TooLong) => Reaction::Send(vec![0xFF; 64]),
            Some(Fault::TooShort) => Reaction::Send(vec![0x00, 0x01, 0x30]),
            Some(Fault::MoreThanAsked) => {
                let more = [data.as_slice(), b"0"].concat();
                Reaction::Send(wire::answer(&command.header, letters, error, &more))
            }
        }
    }
}
