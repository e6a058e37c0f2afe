//! The sandbox at its port: it plays what it is asked to, and remembers what it played. Must never
//! play the same simulation twice, but for one that was not answered, as the repeat that it is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};
use codecs::framing::Framing;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::asked::{Act, Asked, Following};
use super::book::{Book, Claimed, Kept};
use super::told::{Done, Told, Why};
use super::{lines, play};
use crate::acquirer::{Acquirer, NetworkCode, NumberSource, Numbers, repeat_of};
use crate::bureau::Bureau;
use crate::iso::Message;
use crate::port::{Port, until_out};

/// Where the switch is, and how much is done for it.
#[derive(Clone, Copy, Debug)]
pub struct SandboxSettings {
    /// Framing of the switch's link, which speaks `iso87-ascii`.
    pub framing: Framing,
    /// Simulations that are remembered; the oldest is forgotten.
    pub remembered: usize,
    /// Connections at a time; one more is closed at once.
    pub connections: usize,
}

/// What the connections have in common.
pub(super) struct Desk {
    settings: SandboxSettings,
    book: Mutex<Book>,
    numbers: Mutex<NumberSource>,
    /// Host and port of the link.
    link: Mutex<String>,
    bureau: Mutex<Option<Bureau>>,
    room: Semaphore,
}

/// A sandbox simulator that listens.
pub struct SandboxSimulator {
    port: Port,
    desk: Arc<Desk>,
}

impl SandboxSimulator {
    /// Listens, on this machine alone: whoever connects is believed.
    ///
    /// # Errors
    /// The address is not of this machine, or the port cannot be opened.
    pub async fn listen(
        address: SocketAddr,
        settings: SandboxSettings,
        link: String,
        bureau: Option<Bureau>,
    ) -> Result<Self> {
        ensure!(address.ip().is_loopback(), "{address}: listen on a loopback address");
        let desk = Arc::new(Desk {
            book: Mutex::new(Book::new(settings.remembered)),
            numbers: Mutex::new(NumberSource::starting_at(Timestamp::now())),
            link: Mutex::new(link),
            bureau: Mutex::new(bureau),
            room: Semaphore::new(settings.connections),
            settings,
        });
        let of_all = Arc::clone(&desk);
        let serving = move |stream, alive| {
            let desk = Arc::clone(&of_all);
            until_out(async move { lines::serve(&desk, stream).await }, alive)
        };
        Ok(Self { port: Port::open(address, serving).await?, desk })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Goes out: it listens no more, and every connection ends.
    pub fn die(&self) {
        self.port.die();
    }

    /// From now on it plays over this link, and with this bureau: who listens before the switch
    /// does cannot know them.
    pub fn play_at(&self, link: String, bureau: Option<Bureau>) {
        *locked(&self.desk.link) = link;
        *locked(&self.desk.bureau) = bureau;
    }
}

impl Desk {
    /// Room for another connection.
    pub(super) const fn room(&self) -> &Semaphore {
        &self.room
    }

    /// What comes of a line.
    pub(super) async fn told(self: &Arc<Self>, line: &[u8]) -> Told {
        let Some(asked) = Asked::read(line) else { return Told::Refused(Why::Unreadable) };
        let told = match asked.act {
            Act::Shipment => self.work().await,
            _ => self.play(asked).await,
        };
        told.unwrap_or_else(Told::Refused)
    }

    async fn play(&self, asked: Asked) -> Result<Told, Why> {
        let (simulation, owner) = (asked.simulation.clone(), asked.owner.clone());
        let claimed = self.book().claim(&simulation, &owner);
        let (kept, message) = match claimed {
            Claimed::Busy => return Err(Why::Busy),
            Claimed::Foreign => return Err(Why::Unknown),
            Claimed::Before(kept) => match &kept.answer {
                Some(answer) => {
                    return Ok(Told::Done(Box::new(Done::of(&simulation, &kept, answer))));
                }
                None => {
                    let repeat = repeat_of(&kept.request, Timestamp::now());
                    let repeat = repeat.map_err(|_| Why::Unfit);
                    (*kept, repeat?)
                }
            },
            Claimed::New => {
                let kept = self.drafted(asked);
                let kept = kept.inspect_err(|_| self.book().withdraw(&simulation))?;
                let message = kept.request.clone();
                (kept, message)
            }
        };
        let sent = self.send(&message).await;
        if sent == Err(Why::Unreachable) && message.mti().ends_with('0') {
            self.book().withdraw(&simulation);
            return Err(Why::Unreachable);
        }
        let kept = Kept { answer: sent.as_ref().ok().cloned(), ..kept };
        self.book().keep(&simulation, kept.clone());
        let answer = sent?;
        Ok(Told::Done(Box::new(Done::of(&simulation, &kept, &answer))))
    }

    /// The message of a simulation that was not played yet.
    fn drafted(&self, asked: Asked) -> Result<Kept, Why> {
        let Asked { owner, act, number, .. } = asked;
        let numbers = self.numbers();
        let unfit = |_| Why::Unfit;
        let following = |following: Following, draft: Draft| {
            let of = self.book().find(&following.of, &owner).ok_or(Why::Unknown)?;
            let same = |currency: &String| of.request.text(49) == Some(currency);
            if !following.currency.as_ref().is_none_or(same) {
                return Err(Why::Unfit);
            }
            let request = draft(&of, &following, &numbers).map_err(unfit)?;
            Ok((of.card, request))
        };
        let (card, request) = match act {
            Act::Authorization(presented) => {
                let pan = number.ok_or(Why::Unreadable)?;
                let request = play::authorization(&presented, pan, &numbers).map_err(unfit)?;
                (presented.card, request)
            }
            Act::Advice(of) => following(of, play::advice)?,
            Act::Clearing(of) => following(of, play::clearing)?,
            Act::Refund(of) => following(of, play::refund)?,
            Act::Reversal(of) => following(of, play::reversal)?,
            Act::Shipment => return Err(Why::Unfit),
        };
        Ok(Kept { owner, card, request, answer: None })
    }

    /// Over a connection of its own, signed on.
    async fn send(&self, message: &Message) -> Result<Message, Why> {
        let link = locked(&self.link).clone();
        let connected = Acquirer::connect(&link, &self.settings.framing, 1).await;
        let mut acquirer = connected.map_err(|_| Why::Unreachable)?;
        let signed_on = acquirer.network_management(NetworkCode::SignOn).await;
        signed_on.map_err(|_| Why::Unreachable)?;
        acquirer.exchange(0, message).await.map_err(|_| Why::Silent)
    }

    /// The bureau takes all files that are new. It reads and writes files, and so blocks.
    async fn work(self: &Arc<Self>) -> Result<Told, Why> {
        let desk = Arc::clone(self);
        let worked = tokio::task::spawn_blocking(move || {
            let mut bureau = locked(&desk.bureau);
            let worked = bureau.as_mut()?.look(None);
            worked.inspect_err(|error| eprintln!("the bureau: {error:#}")).ok()
        });
        let worked = worked.await.ok().flatten().ok_or(Why::NoBureau)?;
        let (files, cards, refused) = (worked.files, worked.cards, worked.refused);
        Ok(Told::Worked { files, cards, refused })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        locked(&self.book)
    }

    fn numbers(&self) -> Numbers {
        locked(&self.numbers).next(Timestamp::now())
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a message is made of one before it.
type Draft = fn(&Kept, &Following, &Numbers) -> Result<Message>;
