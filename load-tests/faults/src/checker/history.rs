//! What the client knows: every request that it sent and every reply that it received, and what the
//! proxy between did to them. It owns the states of a request; it judges nothing.

use std::collections::BTreeMap;

use super::asks::AskKind;

/// A trace number (DE11), unique within a run: all messages share the count.
pub(crate) type Stan = u32;

/// A connection of the client, by the order in which they were opened.
pub(crate) type LinkId = u32;

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// An authorization, a financial message, or the advice of one.
    Ask(Ask),
    /// 0400, or 0420: so much of this request is to stand, nothing where that is 0.
    Reversal { of: Stan, standing: i64, advice: bool },
}

/// What is asked for: so much with this card, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) kind: AskKind,
    pub(crate) card: usize,
    pub(crate) amount: i64,
    /// The request that it names: what it completes, or adds to.
    pub(crate) of: Option<Stan>,
}

impl What {
    /// A word for tables.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Ask(ask) => ask.kind.name(),
            Self::Reversal { advice: true, .. } => "reversal advice",
            Self::Reversal { standing: 0, .. } => "reversal",
            Self::Reversal { .. } => "partial reversal",
        }
    }

    /// The words of all.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        let asks = AskKind::ALL.into_iter().map(AskKind::name);
        asks.chain(["reversal", "partial reversal", "reversal advice", REPEAT])
    }
}

/// Of what was sent again, marked so.
const REPEAT: &str = "repeat";

/// One time that a request left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) link: LinkId,
    pub(crate) at_us: u64,
    /// With the repeat digit in its type: 0101, 0401.
    pub(crate) repeat: bool,
    /// After everything had healed, to learn the one definite answer.
    pub(crate) inquest: bool,
}

/// One time that a request was answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) link: LinkId,
    pub(crate) at_us: u64,
    /// DE39.
    pub(crate) code: String,
    /// DE38; empty where there was none.
    pub(crate) approval: String,
    /// The last request that went out before it was asked for after healing.
    pub(crate) inquest: bool,
}

impl Reply {
    pub(crate) fn is_approval(&self) -> bool {
        self.code == APPROVED
    }

    /// Whether nothing of it is remembered: asked again, the request is decided anew.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.code == INOPERATIVE || self.code == MALFUNCTION
    }

    /// What must be the same whenever the request is answered.
    pub(crate) fn substance(&self) -> (&str, &str) {
        (&self.code, &self.approval)
    }
}

/// DE39 of an approval, and of an advice or a reversal that was taken note of.
pub(crate) const APPROVED: &str = "00";

/// DE39 where nothing can be committed in time.
pub(crate) const INOPERATIVE: &str = "91";

/// DE39 where a defect came to light while it was decided.
pub(crate) const MALFUNCTION: &str = "96";

/// A request with all that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) what: What,
    pub(crate) sent: Vec<Sent>,
    pub(crate) replies: Vec<Reply>,
    /// Copies that the proxy made, by the link on which their replies come.
    pub(crate) copies: Vec<LinkId>,
    /// Links on which the switch cannot have received it whole, once for each such sending.
    pub(crate) cut: Vec<LinkId>,
}

impl Request {
    pub(crate) const fn new(what: What) -> Self {
        Self { what, sent: Vec::new(), replies: Vec::new(), copies: Vec::new(), cut: Vec::new() }
    }

    pub(crate) fn is_approved(&self) -> bool {
        self.replies.iter().any(Reply::is_approval)
    }

    /// How often the switch can have received it whole on a link.
    pub(crate) fn deliveries(&self, link: LinkId) -> usize {
        let on = |links: &[LinkId]| links.iter().filter(|other| **other == link).count();
        let sent = self.sent.iter().filter(|sent| sent.link == link).count();
        (sent + on(&self.copies)).saturating_sub(on(&self.cut))
    }
}

/// A connection of the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    /// Which start of the switch it leads to.
    pub(crate) generation: u32,
    pub(crate) closed_us: Option<u64>,
}

/// Everything of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) requests: BTreeMap<Stan, Request>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    /// Starts of the switch that another has taken over from, and when each ran again after that.
    pub(crate) fenced: BTreeMap<u32, u64>,
    /// Requests of the last phase, every one of which must be approved.
    pub(crate) after_healing: Vec<Stan>,
}

impl History {
    /// Everything but reversals.
    pub(crate) fn asks(&self) -> impl Iterator<Item = (Stan, Ask, &Request)> {
        self.requests.iter().filter_map(|(stan, request)| match request.what {
            What::Ask(ask) => Some((*stan, ask, request)),
            What::Reversal { .. } => None,
        })
    }

    /// Reversals with the request that they name, and what is to stand of it.
    pub(crate) fn reversals(&self) -> impl Iterator<Item = (Stan, (Stan, i64), &Request)> {
        self.requests.iter().filter_map(|(stan, request)| match request.what {
            What::Reversal { of, standing, .. } => Some((*stan, (of, standing), request)),
            What::Ask(_) => None,
        })
    }

    /// How many requests of each sort were answered, and how many repeats of any were sent.
    pub(crate) fn answered(&self) -> BTreeMap<&'static str, usize> {
        let mut counts: BTreeMap<_, _> = What::names().map(|name| (name, 0)).collect();
        for request in self.requests.values() {
            let answered = usize::from(!request.replies.is_empty());
            *counts.entry(request.what.name()).or_default() += answered;
            let repeats = request.sent.iter().filter(|sent| sent.repeat).count();
            *counts.entry(REPEAT).or_default() += repeats;
        }
        counts
    }

    /// Everything about one request, for people.
    pub(crate) fn tell(&self, stan: Stan) -> Vec<String> {
        let Some(request) = self.requests.get(&stan) else { return Vec::new() };
        let mut lines: Vec<(u64, String)> = Vec::new();
        for sent in &request.sent {
            let kind = if sent.repeat { "repeat sent" } else { "sent" };
            let when = if sent.inquest { ", after healing" } else { "" };
            lines.push((sent.at_us, format!("{kind} on link {}{when}", sent.link)));
        }
        for reply in &request.replies {
            let Reply { link, code, approval, .. } = reply;
            lines.push((reply.at_us, format!("link {link} answered {code} {approval}")));
        }
        lines.sort_by_key(|(at, _)| *at);
        let mut told = vec![format!("STAN {stan:06}: {:?}", request.what)];
        let lines = lines.into_iter();
        told.extend(lines.map(|(at, what)| format!("  {:>9.3} ms {what}", at as f64 / 1000.0)));
        if !request.copies.is_empty() || !request.cut.is_empty() {
            let Request { copies, cut, .. } = request;
            told.push(format!("  the proxy copied it to links {copies:?} and cut it on {cut:?}"));
        }
        told
    }
}
