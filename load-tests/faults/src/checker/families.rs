//! What stands of an authorization, or of what was settled without one, after everything that names
//! it: increments, completions and reversals, in every order that fits what the client saw. One
//! message was decided before another for certain where its answer came before that one was sent.
//! It owns a small model of the rules, written from the contract with the acquirer and not from the
//! switch; that the tables have one of the outcomes is the checker's rule.

use std::collections::{BTreeMap, BTreeSet};

use super::asks::Effect;
use super::history::{Ask, History, Request, Stan, What};
use super::requests::Rows;

/// More messages than this about one authorization would be too many orders to look at.
pub(crate) const MOST: usize = 8;

/// What stands in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stands {
    /// What is held, all together.
    pub(super) held: i64,
    /// What was settled of the first by those that complete it.
    pub(super) completed: i64,
    /// What was settled by each message that settles anything, without zeros.
    pub(super) settled: BTreeMap<Stan, i64>,
}

/// All messages about one.
pub(super) struct Family<'a> {
    /// The first: it names no other.
    pub(super) root: Stan,
    pub(super) card: usize,
    members: BTreeMap<Stan, &'a Request>,
}

/// What a message that took effect does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Does(Ask),
    Leaves { of: Stan, standing: i64 },
}

/// A message that took effect, and when that was: not before it was sent, and not after it was
/// answered for the first time.
#[derive(Clone, Copy, Debug)]
struct Happened {
    stan: Stan,
    act: Act,
    from: u64,
    to: u64,
}

/// What stands so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Sofar {
    stands: Stands,
    /// What is held by the first, and by increments that found nothing to add to.
    holds: BTreeMap<Stan, i64>,
    /// What increments added, and how much of their amounts stands.
    added: BTreeMap<Stan, (i64, i64)>,
    /// What is to stand of messages that had not come.
    early: BTreeMap<Stan, i64>,
    /// Messages that took effect.
    came: BTreeSet<Stan>,
}

/// All families of a history.
pub(super) fn of(history: &History) -> Vec<Family<'_>> {
    let mut families: BTreeMap<Stan, BTreeMap<Stan, &Request>> = BTreeMap::new();
    for (stan, request) in &history.requests {
        families.entry(root_of(history, *stan)).or_default().insert(*stan, request);
    }
    let family = |(root, members): (Stan, BTreeMap<Stan, _>)| {
        // A reversal whose original never left takes nothing back.
        let What::Ask(Ask { card, .. }) = history.requests.get(&root)?.what else { return None };
        Some(Family { root, card, members })
    };
    families.into_iter().filter_map(family).collect()
}

fn root_of(history: &History, stan: Stan) -> Stan {
    let named = history.requests.get(&stan).and_then(|request| match request.what {
        What::Ask(ask) => ask.of,
        What::Reversal { of, .. } => Some(of),
    });
    // Whoever names another has a STAN of its own, and nobody names himself.
    named.map_or(stan, |of| root_of(history, of))
}

impl Family<'_> {
    /// What the rows say.
    pub(super) fn in_rows(&self, rows: &Rows<'_>) -> Stands {
        let mut stands = Stands::default();
        for (stan, ask) in self.asks() {
            for row in rows.get(&stan).into_iter().flatten() {
                stands.held += row.held();
                match ask.kind.effect() {
                    Effect::Takes | Effect::Gives if row.cleared != 0 => {
                        *stands.settled.entry(stan).or_default() += row.cleared;
                    }
                    Effect::Holds if stan == self.root => stands.completed += row.cleared,
                    _ => {}
                }
            }
        }
        stands
    }

    /// Everything that may stand, by what was answered.
    pub(super) fn may_stand(&self, rows: &Rows<'_>) -> BTreeSet<Stands> {
        let happened: Vec<Happened> =
            self.members.iter().flat_map(|(stan, one)| happened(*stan, one, rows)).collect();
        let all = (1_u32 << happened.len()) - 1;
        let mut found = BTreeSet::new();
        let mut open = vec![(all, Sofar::default())];
        let mut seen = BTreeSet::new();
        while let Some((left, sofar)) = open.pop() {
            if left == 0 {
                found.insert(sofar.stands);
                continue;
            }
            let rest: Vec<(usize, &Happened)> =
                happened.iter().enumerate().filter(|(at, _)| left >> at & 1 == 1).collect();
            for (at, next) in &rest {
                if rest.iter().any(|(_, other)| other.to < next.from) {
                    continue;
                }
                let after = sofar.clone().after(self.root, next);
                let after = after.map(|after| (left & !(1 << at), after));
                if let Some(after) = after.filter(|after| seen.insert(after.clone())) {
                    open.push(after);
                }
            }
        }
        found
    }

    fn asks(&self) -> impl Iterator<Item = (Stan, Ask)> {
        self.members.iter().filter_map(|(stan, request)| match request.what {
            What::Ask(ask) => Some((*stan, ask)),
            What::Reversal { .. } => None,
        })
    }
}

/// What of a request took effect. One that was approved too late was taken back at once (W-20): its
/// row says so, and the client was told of a decline.
fn happened(stan: Stan, request: &Request, rows: &Rows<'_>) -> Vec<Happened> {
    let from = request.sent.iter().map(|sent| sent.at_us).min().unwrap_or(0);
    let answers = |approval: bool| {
        let those = request.replies.iter().filter(move |reply| !approval || reply.is_approval());
        those.map(|reply| reply.at_us)
    };
    let act = match request.what {
        What::Ask(ask) => Act::Does(ask),
        What::Reversal { of, standing, .. } => Act::Leaves { of, standing },
    };
    if let Some(to) = answers(true).min() {
        return vec![Happened { stan, act, from, to }];
    }
    let voided = rows.get(&stan).into_iter().flatten().any(|row| row.reason == VOIDED);
    let names = matches!(request.what, What::Ask(Ask { of: Some(_), .. }));
    let to = answers(false).max().unwrap_or(u64::MAX);
    let taken_back = Act::Leaves { of: stan, standing: 0 };
    let both = [act, taken_back].map(|act| Happened { stan, act, from, to });
    if voided && names { both.to_vec() } else { Vec::new() }
}

/// Why a row is declined that was approved too late.
const VOIDED: &str = "issuer_inoperative";

impl Sofar {
    /// After one more; `None` where that cannot have been: it would have been answered otherwise.
    fn after(mut self, root: Stan, next: &Happened) -> Option<Self> {
        match next.act {
            Act::Does(ask) => {
                if self.early.get(&next.stan) == Some(&0) {
                    return None;
                }
                let left = self.early.get(&next.stan).copied().unwrap_or(i64::MAX);
                self.came.insert(next.stan);
                self.does(root, next.stan, ask, ask.amount.min(left));
            }
            Act::Leaves { of, standing } if self.came.contains(&of) => {
                self.leaves(root, of, standing);
            }
            Act::Leaves { of, standing } => {
                let early = self.early.entry(of).or_insert(standing);
                *early = standing.min(*early);
            }
        }
        self.stands.held = self.holds.values().sum();
        self.stands.settled.retain(|_, minor| *minor != 0);
        Some(self)
    }

    fn does(&mut self, root: Stan, stan: Stan, ask: Ask, minor: i64) {
        match ask.kind.effect() {
            Effect::Holds if ask.of.is_some() && self.held_by(root) > 0 => {
                *self.holds.entry(root).or_default() += minor;
                self.added.insert(stan, (minor, minor));
            }
            Effect::Holds => {
                self.holds.insert(stan, minor);
            }
            Effect::Takes | Effect::Gives => {
                self.stands.settled.insert(stan, minor);
                if ask.kind.completes() {
                    self.stands.completed += minor;
                    // A completion by a link is the last: what is held above it is set free.
                    self.holds.insert(root, 0);
                }
            }
            Effect::Nothing => {}
        }
    }

    fn leaves(&mut self, root: Stan, of: Stan, standing: i64) {
        if let Some(settled) = self.stands.settled.get_mut(&of) {
            let back = (*settled - standing).max(0);
            *settled -= back;
            if of != root {
                self.stands.completed -= back;
            }
        } else if let Some((added, stands)) = self.added.get(&of).copied() {
            let held = self.held_by(root);
            let back = (stands - standing).max(0).min(added).min(held);
            self.added.insert(of, (added - back, stands - back));
            self.holds.insert(root, held - back);
        } else {
            let settled = if of == root { self.stands.completed } else { 0 };
            let keeps = (standing - settled).max(0);
            let held = self.held_by(of);
            self.holds.insert(of, held.min(keeps));
        }
    }

    fn held_by(&self, stan: Stan) -> i64 {
        self.holds.get(&stan).copied().unwrap_or(0)
    }
}
