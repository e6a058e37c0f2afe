//! The mixed run of the leak search, over each of three dialects: what is right, each thing that is
//! wrong, what is broken, advices, reversals, repeats, unknown cards. Must note every value of P-02
//! that it sends.

use simulators::chip::{Flaw, SimulatedCard};

use super::forms::Wanted;
use crate::http::get;
use crate::issuer::{chip_and_pin, connect, set};
use crate::speaker::{Draft, Speaker, Value};
use crate::stage::Served;

const PAN: u8 = 2;
const TRACK2: u8 = 35;
const TRACK1: u8 = 45;
const PIN: u8 = 52;
const CHIP: u8 = 55;
const CODE: u8 = 126;

/// One connection that notes what it sends.
struct Terminal<'w> {
    peer: Speaker,
    link: &'static str,
    wanted: &'w mut Wanted,
    stan: u32,
}

fn text(value: impl Into<String>) -> Value {
    Value::Text(value.into())
}

/// Sends all of it; the connections, still open.
pub(super) async fn mixed_run(
    served: &Served,
    mut cards: Vec<SimulatedCard>,
    wanted: &mut Wanted,
) -> Vec<Speaker> {
    let mut open = Vec::new();
    let links = [("test", "iso87-ascii"), ("bcd", "iso87-bcd"), ("ebcdic", "iso87-ebcdic-037")];
    for (first, (link, dialect)) in (1..).zip(links) {
        let again = async || connect(served, link, dialect).await;
        let peer = again().await;
        let mut terminal = Terminal { peer, link, wanted, stan: first * 1_000 };
        for card in &mut cards {
            let facts = card.facts();
            terminal.wanted.pin(&facts.pin, facts.pan.digits());
            terminal.cards(card).await;
            terminal.broken(card).await;
            terminal.cut(card, again().await).await;
        }
        terminal.unknown().await;
        open.push(terminal.peer);
    }
    // The ends of the connections that were cut are noticed when they are counted.
    let cut = 3 * cards.len();
    loop {
        let metrics = get(served.http(), "/metrics");
        let ends = metrics.lines().filter(|line| line.contains("cut_short"));
        let ends = ends.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        if ends.sum::<usize>() >= cut {
            return open;
        }
        tokio::task::yield_now().await;
    }
}

impl Terminal<'_> {
    /// A purchase of the card, read as DE22 says; to be completed.
    fn purchase(&mut self, card: &SimulatedCard, entry: &str) -> Draft {
        self.stan += 1;
        let mut draft = self.peer.purchase(card.facts().pan.digits(), self.stan, 1_250);
        let room = self.peer.dialect().spec(22).map_or(3, |spec| usize::from(spec.max));
        set(&mut draft, 22, text(format!("{entry:0<room$}")));
        draft
    }

    /// Chip and PIN.
    fn chip(&mut self, card: &mut SimulatedCard, flaw: Option<Flaw>) -> Draft {
        let mut draft = self.purchase(card, "051");
        let of = (self.stan, "000000", 1_250);
        let (chip, _) = chip_and_pin(&self.peer, card, of, flaw);
        chip.into_iter()
            .filter(|(field, _)| [23, TRACK2, PIN, CHIP].contains(field))
            .for_each(|(field, value)| set(&mut draft, field, value));
        draft
    }

    fn stripe(&mut self, card: &SimulatedCard, flaw: Option<Flaw>, first: bool) -> Draft {
        let mut draft = self.purchase(card, "901");
        let track = card.stripe(flaw);
        if first {
            let (pan, rest) = track.split_once('=').expect("a separator");
            set(&mut draft, TRACK1, text(format!("B{pan}^LEAK/SEARCH^{rest}")));
        } else {
            set(&mut draft, TRACK2, text(track));
        }
        set(&mut draft, PIN, Value::Bytes(card.pin_block_0(flaw).to_vec()));
        draft
    }

    fn typed(&mut self, card: &SimulatedCard, flaw: Option<Flaw>) -> Draft {
        let mut draft = self.purchase(card, "012");
        set(&mut draft, 25, text("59"));
        set(&mut draft, CODE, text(card.code(flaw)));
        draft
    }

    /// Notes the values of a message before it is sent.
    fn note(&mut self, draft: &Draft) {
        let link = self.link;
        let number = draft.iter().find_map(|(field, value)| match value {
            Value::Text(text) if *field == PAN => Some(text.clone()),
            _ => None,
        });
        for (field, value) in draft {
            match (*field, value) {
                (PAN, Value::Text(pan)) => self.wanted.text(&format!("{link}: number"), pan),
                (TRACK2 | TRACK1, Value::Text(track)) => {
                    self.wanted.text(&format!("{link}: track {field}"), track);
                    let (_, rest) = track.rsplit_once(['=', '^']).expect("a separator");
                    let name = format!("{link}: discretionary data of track {field}");
                    self.wanted.text(&name, rest);
                }
                (PIN, Value::Bytes(block)) => {
                    self.wanted.bytes(&format!("{link}: PIN block"), block);
                }
                (CODE, Value::Text(code)) => {
                    let number = number.as_deref().unwrap_or_default();
                    self.wanted.code(&format!("{link}: CVV2"), number, code);
                }
                _ => {}
            }
        }
    }

    async fn ask(&mut self, kind: &str, draft: &Draft) -> String {
        self.note(draft);
        self.peer.ask(kind, draft).await.action
    }

    /// Everything that a card can do, right and wrong.
    async fn cards(&mut self, card: &mut SimulatedCard) {
        let good = self.chip(card, None);
        assert_eq!(self.ask("100", &good).await, "00", "{}: chip and PIN", self.link);
        assert_eq!(self.ask("101", &good).await, "00", "{}: again", self.link);
        let stan = self.stan;
        let typed = self.typed(card, None);
        assert_eq!(self.ask("100", &typed).await, "00", "{}: printed code", self.link);
        for first in [false, true] {
            let stripe = self.stripe(card, None, first);
            let answer = self.ask("100", &stripe).await;
            let has_chip = card.facts().service_code.starts_with('2');
            assert!(has_chip || first || answer == "00", "{}: a stripe: {answer}", self.link);
        }
        for flaw in Flaw::ALL {
            let drafts = [
                self.chip(card, Some(flaw)),
                self.stripe(card, Some(flaw), false),
                self.stripe(card, Some(flaw), true),
                self.typed(card, Some(flaw)),
            ];
            for draft in &drafts {
                self.ask("100", draft).await;
            }
        }
        let pan = card.facts().pan.digits().to_owned();
        let track = text(card.stripe(None));
        let block = Value::Bytes(card.pin_block_0(None).to_vec());
        self.stan += 2;
        let mut advice = self.peer.advice(&pan, self.stan - 1, 900, true);
        let mut reversal = self.peer.reversal(&pan, self.stan, stan, 1_250);
        for draft in [&mut advice, &mut reversal] {
            set(draft, TRACK2, track.clone());
            set(draft, PIN, block.clone());
        }
        self.ask("120", &advice).await;
        self.ask("420", &reversal).await;
        self.ask("421", &reversal).await;
    }

    /// Messages that cannot be read to their end, or not at all.
    async fn broken(&mut self, card: &mut SimulatedCard) {
        let mut draft = self.chip(card, None);
        set(&mut draft, CHIP, Value::Bytes(vec![0x9F, 0x26, 0x7F, 0x01]));
        self.ask("100", &draft).await;
        let draft = self.chip(card, None);
        self.note(&draft);
        let bytes = self.peer.bytes(self.peer.mti("100"), &draft);
        let mut other = bytes.clone();
        let at = self.peer.content_offset(&bytes, 4);
        other[at] = 0xFB; // no digit in any of the dialects
        for body in [&other[..], &bytes[..bytes.len() - 9], &bytes[..bytes.len() / 2]] {
            self.peer.send(body).await;
            self.peer.answer().await;
        }
        // Nobody answers one that has no type: the next message is answered.
        let mut other = bytes.clone();
        other[0] = 0xFF;
        self.peer.send(&other).await;
        let next = self.typed(card, None);
        self.ask("100", &next).await;
    }

    /// A message of which only a part comes, and then the end of the connection.
    async fn cut(&mut self, card: &mut SimulatedCard, mut other: Speaker) {
        let draft = self.chip(card, None);
        self.note(&draft);
        let bytes = other.bytes(other.mti("100"), &draft);
        let frame = other.framed(&bytes);
        other.send_raw(&frame[..frame.len() - 5]).await;
    }

    /// Cards that nobody issued.
    async fn unknown(&mut self) {
        for pan in ["9999991200009994", "9999881200009996"] {
            self.stan += 1;
            let mut draft = self.peer.purchase(pan, self.stan, 1_000);
            set(&mut draft, TRACK2, text(format!("{pan}=49122010000098765")));
            set(
                &mut draft,
                PIN,
                Value::Bytes(vec![0xE1, 0x5A, 0x77, 0x21, 0x9C, 0x43, 0xB8, 0x06]),
            );
            assert_ne!(self.ask("100", &draft).await, "00");
        }
    }
}
