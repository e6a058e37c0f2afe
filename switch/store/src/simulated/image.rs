//! Rows of the simulated tables as a start and a look-up read them. It owns windows and limits as
//! the statements for PostgreSQL have them; it changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use switch_domain::{
    AnsweredReversal, Authorization, AuthorizationId, Control, ControlId, ControlSubject,
    CustomerState, DoneCommand, Fingerprint, Forgotten, Reach, Recalled, ShardId, ShardImage,
    Timestamp, Usage,
};

use super::rows::Rows;
use crate::load::moved::apply;
use crate::projection::{Moves, Position};

/// Keyed hashes of card numbers, by the vault row that keeps the number.
pub(super) type Prints = BTreeMap<i64, Fingerprint>;

/// The latest of rows in order that `is_recent`, at most so many, in order again.
fn latest<T: Clone>(rows: &[T], most: usize, is_recent: impl Fn(&T) -> bool) -> Vec<T> {
    let mut found: Vec<T> =
        rows.iter().rev().filter(|row| is_recent(row)).take(most).cloned().collect();
    found.reverse();
    found
}

/// What a start reads: rows that moved are brought to where history is by `moves`. `None` where a
/// card's number is not in the vault.
pub(super) fn image(
    rows: &Rows,
    shard: ShardId,
    window_start: Timestamp,
    most: usize,
    (prints, moves): (&Prints, &Moves),
) -> Option<ShardImage> {
    let Some(position) = rows.position else { return Some(ShardImage::empty(shard)) };
    let all: Vec<Authorization> = rows.authorizations.values().cloned().collect();
    let authorizations = latest(&all, most, |row| row.decided_at >= window_start);
    let recent = |row: &AnsweredReversal| row.decided_at >= window_start;
    let reversals = latest(&rows.reversals, most, recent);
    let commands = latest(&rows.commands, most, |row: &DoneCommand| row.at >= window_start);
    let any_before = all.iter().any(|row| row.decided_at < window_start)
        || rows.reversals.iter().any(|row| row.decided_at < window_start)
        || rows.commands.iter().any(|row| row.at < window_start);
    let limited = [authorizations.len(), reversals.len(), commands.len()];
    let blocked = rows.customers.iter().filter(|(_, state)| **state != CustomerState::Active);
    let mut cards = Vec::with_capacity(rows.cards.len());
    for card in rows.cards.values() {
        cards.push((card.row.clone(), *prints.get(&card.row.vault.row)?));
    }
    let Position { history, .. } = position;
    let open = rows.transfers.values().filter(|(_, outcome)| outcome.is_none());
    let unsettled = rows.received.iter().filter(|(_, (_, settled))| !settled);
    let mut image = ShardImage {
        shard,
        projected: history,
        last_counter: rows.last_counter,
        last_decided: rows.last_decided,
        control: control(rows),
        balances: rows.balances.values().map(|one| one.row.clone()).collect(),
        customers: blocked.map(|(id, state)| (*id, *state)).collect(),
        cards,
        spend_controls: rows
            .spend_controls
            .values()
            .filter(|one| !matches!(one.terms.subject, ControlSubject::Programme(_)))
            .cloned()
            .collect(),
        usage: usage(rows),
        counters: rows.counters.iter().map(|(id, one)| (*id, one.row.clone())).collect(),
        shares: rows.shares.iter().map(|(id, share)| (*id, share.row)).collect(),
        transfers: open.map(|(one, _)| one.clone()).collect(),
        received: unsettled.map(|(id, (said, _))| (*id, *said)).collect(),
        complete: limited.iter().all(|count| *count < most) && !any_before,
        authorizations,
        reversals,
        commands,
    };
    apply(&mut image, moves);
    Some(image)
}

fn control(rows: &Rows) -> Control {
    let mut control = Control::default();
    rows.partners.values().for_each(|one| control.put_partner(one.clone()));
    rows.pools.values().for_each(|one| control.put_pool(one.clone()));
    rows.programmes.values().for_each(|one| control.put_programme(one.clone()));
    rows.spend_controls.values().for_each(|one| control.put_spend_control(one.clone()));
    rows.rates.values().for_each(|one| control.put_rate(*one));
    rows.fees.iter().for_each(|(id, one)| control.set_fees(*id, Some(one.clone())));
    control.version = rows.control_version;
    control
}

fn usage(rows: &Rows) -> Vec<((ControlId, i64), Usage)> {
    let mut usage: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for ((control, holder, part), used) in &rows.usage {
        usage.entry((*control, *holder)).or_default().push((*part, used.row));
    }
    usage.into_iter().map(|(key, parts)| (key, Usage::from_parts(parts))).collect()
}

/// What a look-up finds.
pub(super) fn find(rows: &Rows, what: &Forgotten) -> Recalled {
    match what {
        Forgotten::Message { answered, .. } => {
            let answered =
                answered.and_then(|key| rows.reversals.iter().rfind(|row| row.key == key).copied());
            let mut found = Recalled::default();
            let Some(mut reach) = Reach::of(what) else { return found };
            loop {
                found = reached(rows, &reach);
                if !reach.grow(&found) {
                    return Recalled { reversal: answered, ..found };
                }
            }
        }
        Forgotten::Hold(hold) => Recalled {
            hold: rows.authorizations.get(&hold.authorization).cloned(),
            ..Recalled::default()
        },
        Forgotten::Command(key) => Recalled {
            command: rows.commands.iter().rfind(|row| row.key == *key).copied(),
            ..Recalled::default()
        },
    }
}

/// What there is as far as a search has come.
fn reached(rows: &Rows, reach: &Reach) -> Recalled {
    let all = rows.authorizations.values();
    let of_key = all.clone().filter(|row| reach.has_key(&row.facts));
    let authorizations: Vec<Authorization> = of_key.cloned().collect();
    let traced: Vec<Authorization> =
        all.filter(|row| reach.has_trace(&row.facts)).cloned().collect();
    let early = rows
        .reversals
        .iter()
        .filter(|row| rows.gave_nothing.contains(&row.id) && reach.has_early(&row.reference));
    let firsts: BTreeSet<AuthorizationId> = authorizations
        .iter()
        .chain(&traced)
        .filter_map(|row| row.completes.map(|first| first.authorization))
        .collect();
    let firsts = firsts.iter().filter_map(|id| rows.authorizations.get(id));
    Recalled {
        firsts: firsts.cloned().collect(),
        traced,
        authorizations,
        early: early.copied().collect(),
        ..Recalled::default()
    }
}
