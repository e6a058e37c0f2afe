//! The truth: what the journal says, row for row, as it is committed. It is written apart from the
//! engine, and owns the invariants that hold after every row (I2 to I4, I7 to I9); it knows nothing
//! of what any process has in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use switch_domain::{
    Account, ApprovalCode, AuthorizationId, Authorized, BalanceId, CardCounters, CardId, Cause,
    Event, IdempotencyKey, MessageKey, PoolId, Posting, Record, Seq, ShardId, Timestamp, Totals,
    TransferId, TransferOutcome,
};
use switch_store::{Hash, JournalRow};

use crate::truth::{Amounts, Truth, became};

/// The head of a shard's journal.
#[derive(Clone, Copy, Debug)]
struct Head {
    seq: Seq,
    hash: Hash,
    epoch: i64,
    owner: [u8; 16],
    at: Timestamp,
}

/// A transfer by its records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnItsWay {
    amount: i64,
    /// What the target said.
    said: Option<TransferOutcome>,
}

/// What the journal says.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    heads: BTreeMap<ShardId, Head>,
    pub(crate) authorizations: HashMap<AuthorizationId, Truth>,
    pub(crate) by_key: HashMap<MessageKey, Vec<AuthorizationId>>,
    /// Originals of the reversals that were answered, by the reversal's key.
    pub(crate) reversals: HashMap<MessageKey, Option<AuthorizationId>>,
    pub(crate) commands: HashMap<IdempotencyKey, BTreeSet<ShardId>>,
    pub(crate) balances: BTreeMap<BalanceId, Amounts>,
    pub(crate) pools: BTreeMap<PoolId, Amounts>,
    /// What was ever taken from a pool without asking whether it was there: by what was decided in
    /// our stead, and by what gives money back that had come.
    owed: BTreeMap<PoolId, i64>,
    /// Transfers that are not closed.
    pub(crate) transfers: BTreeMap<TransferId, OnItsWay>,
    /// What is on its way, by the postings.
    in_transit: i64,
    approvals: HashMap<CardId, u32>,
    /// What is counted of cards, and which of them are locked by it.
    counters: HashMap<CardId, CardCounters>,
    codes: HashSet<(CardId, ApprovalCode)>,
    /// Approvals that were taken back, in order; whoever watches answers takes them out.
    pub(crate) voided: Vec<AuthorizationId>,
    /// What happened, in a word each; the same.
    pub(crate) seen: Vec<&'static str>,
    pub(crate) rows: u64,
}

impl Oracle {
    /// Takes a committed row in.
    ///
    /// # Errors
    /// What it violates.
    pub(crate) fn commit(&mut self, row: &JournalRow) -> Result<(), String> {
        let records = row.decode().map_err(|error| format!("unreadable row: {error}"))?;
        self.chain(row, &records)?;
        for record in &records {
            self.record(row.shard, record)
                .map_err(|what| format!("row {}/{}: {what}", row.shard, row.seq))?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Places without gaps, hashes in a chain, owners that never come back (I9), time that never
    /// goes back (W-16).
    fn chain(&mut self, row: &JournalRow, records: &[Record]) -> Result<(), String> {
        let place = format!("row {}/{}", row.shard, row.seq);
        let before = self.heads.get(&row.shard);
        let (seq, hash) =
            before.map_or((Seq(0), Hash::genesis(row.shard)), |head| (head.seq.next(), head.hash));
        if (row.seq, row.previous) != (seq, hash) || row.computed_hash() != row.hash {
            return Err(format!("{place} does not follow on the row before it"));
        }
        let takes_over = matches!(records, [Record { event: Event::TakenOver(_), .. }]);
        let (epoch, owner) = before.map_or((0, row.owner.0), |head| (head.epoch, head.owner));
        let rightful = if takes_over {
            row.epoch.0 == epoch + 1
        } else {
            (row.epoch.0, row.owner.0) == (epoch, owner)
        };
        if !rightful {
            return Err(format!("{place} is of an owner that is not the last to take over (I9)"));
        }
        let mut at = before.map_or(Timestamp::default(), |head| head.at);
        for record in records {
            if record.at < at {
                return Err(format!("{place}: time went back"));
            }
            at = record.at;
        }
        let head =
            Head { seq: row.seq, hash: row.hash, epoch: row.epoch.0, owner: row.owner.0, at };
        self.heads.insert(row.shard, head);
        Ok(())
    }

    fn record(&mut self, shard: ShardId, record: &Record) -> Result<(), String> {
        let mut sums: BTreeMap<u16, i64> = BTreeMap::new();
        for leg in &record.effects.postings {
            *sums.entry(leg.currency.numeric()).or_default() += leg.amount.0;
        }
        if sums.values().any(|sum| *sum != 0) {
            return Err(format!("postings do not sum to zero (I3): {record:?}"));
        }
        if let Cause::Command { key, .. } = &record.cause
            && !self.commands.entry(*key).or_default().insert(shard)
        {
            return Err(format!("a command was done twice (I2): {record:?}"));
        }
        match &record.event {
            Event::Authorized(one) => self.authorized(record, one)?,
            Event::Reversed(one) => {
                self.reversed(one)?;
                let contra = !record.effects.postings.is_empty();
                self.seen.extend(contra.then_some("postings taken back"));
            }
            Event::LockRefused { .. } => self.seen.push("locks refused"),
            Event::Voided(one) => {
                let truth = self.authorizations.get_mut(&one.authorization);
                let truth = truth.ok_or("a void of nothing")?;
                (truth.reason, truth.code) = (one.reason, None);
                self.voided.push(one.authorization);
            }
            Event::Expired(one) => self.expired(record, one.authorization)?,
            _ => {}
        }
        self.counters(record)?;
        self.transfers(record)?;
        self.money(record)
    }

    /// No counter of a card ever falls (I8), and nothing is forgiven that was not counted. A chip's
    /// counter that was used is not granted again.
    fn counters(&mut self, record: &Record) -> Result<(), String> {
        let Some(effect) = record.effects.counters.as_deref() else { return Ok(()) };
        let after = &effect.counters;
        let before = self.counters.insert(effect.card, after.clone()).unwrap_or_default();
        if !after.follow(&before) || after.forgiven_pins > after.wrong_pins {
            return Err(format!("counters of a card fall (I8): {before:?}, then {record:?}"));
        }
        let by_message = matches!(record.event, Event::Authorized(_));
        if after.wrong_pins > before.wrong_pins + u32::from(by_message) {
            return Err(format!("more than one wrong PIN at once: {before:?}, then {record:?}"));
        }
        let declined = |one: &Authorized| one.stand_in.is_none() && !one.reason.is_approval();
        let wrong = after.wrong_pins > before.wrong_pins || after.wrong_codes != before.wrong_codes;
        if wrong && !matches!(&record.event, Event::Authorized(one) if declined(one)) {
            return Err(format!("something was wrong and not declined: {record:?}"));
        }
        self.seen.extend(effect.locks.then_some("cards locked by a PIN"));
        self.seen.push(if wrong { "wrong values counted" } else { "counters moved" });
        Ok(())
    }

    /// Each step of a transfer once and in their order; what is in transit is what was sent and
    /// has neither arrived nor come back, at every moment (I10).
    fn transfers(&mut self, record: &Record) -> Result<(), String> {
        match &record.event {
            Event::TransferSent(one) => {
                let new = OnItsWay { amount: one.amount.minor.0, said: None };
                if self.transfers.insert(one.id, new).is_some() {
                    return Err(format!("a transfer was sent twice (I10): {one:?}"));
                }
            }
            Event::TransferReceived(one) => {
                let known = self.transfers.get_mut(&one.transfer.id);
                let known = known.ok_or("what nobody sent has come (I10)")?;
                if known.said.replace(one.outcome).is_some() {
                    return Err(format!("a transfer came twice (I10): {one:?}"));
                }
            }
            Event::TransferClosed { transfer, outcome, .. } => {
                let known = self.transfers.remove(transfer);
                let known = known.ok_or("what is not open was closed (I10)")?;
                if known.said != Some(*outcome) {
                    return Err(format!("{outcome:?} closes what is {known:?} (I10)"));
                }
            }
            _ => {}
        }
        for leg in &record.effects.postings {
            if matches!(leg.account, Account::InTransit(_)) {
                self.in_transit += leg.amount.0;
            }
        }
        let out = |one: &&OnItsWay| one.said.is_none_or(|said| !said.is_credited());
        let open: i64 = self.transfers.values().filter(out).map(|one| one.amount).sum();
        if open != self.in_transit {
            return Err(format!("{} in transit, {open} by the transfers (I10)", self.in_transit));
        }
        Ok(())
    }

    /// All that an authorization holds is given back at once, and its totals stay what they are.
    fn expired(&self, record: &Record, id: AuthorizationId) -> Result<(), String> {
        let truth = self.authorizations.get(&id).ok_or("the end of no hold")?;
        let held = truth.held() + truth.fees[0];
        let back = record.effects.balance.map(|delta| delta.held.0);
        let totals = record.effects.authorization.map(|delta| delta.totals);
        if held <= 0 || back != Some(-held) || totals != Some(Totals::default()) {
            return Err(format!("{id} held {held} when its hold ended (I7): {record:?}"));
        }
        Ok(())
    }

    fn reversed(&mut self, one: &switch_domain::Reversed) -> Result<(), String> {
        let before = self.reversals.insert(one.key, one.original);
        if before.is_some() {
            return Err(format!("a reversal was answered twice (I2): {one:?}"));
        }
        Ok(())
    }

    fn authorized(
        &mut self,
        record: &Record,
        one: &switch_domain::Authorized,
    ) -> Result<(), String> {
        let truth = Truth {
            key: one.facts.key,
            requested: one.requested.minor.0,
            reason: one.reason,
            code: one.approval_code,
            totals: Totals::default(),
            decided_at: record.at,
            balance: one.balance,
            pool: one.pool,
            belongs_to: one.completes.map(|first| first.authorization),
            closed: false,
            fees: [0; 2],
        };
        self.seen.extend(became(one));
        if self.authorizations.insert(one.id, truth).is_some() {
            return Err(format!("an identifier was given twice: {}", one.id));
        }
        let same = self.by_key.entry(one.facts.key).or_default();
        same.push(one.id);
        if same.len() > 1 {
            return Err(format!("a message was decided twice (I2): {:?}", record.event));
        }
        let Some(card) = one.card else { return Ok(()) };
        let count = self.approvals.entry(card).or_default();
        let approved = u32::from(one.reason.is_approval());
        if one.approvals != *count + approved {
            return Err(format!("card {card} has {} approvals after {count} (I8)", one.approvals));
        }
        *count = one.approvals;
        if let Some(code) = one.approval_code
            && !self.codes.insert((card, code))
        {
            return Err(format!("card {card} was given code {code:?} twice"));
        }
        Ok(())
    }

    /// What is held changes by what authorizations hold, and ledgers by what is posted; nothing is
    /// granted of what is not there.
    fn money(&mut self, record: &Record) -> Result<(), String> {
        let effects = &record.effects;
        let account = (effects.balance.map(|d| d.balance), effects.pool.map(|d| d.pool));
        let mut holds = 0;
        for delta in effects.of_authorizations() {
            let truth = self.authorizations.get_mut(&delta.authorization);
            let truth = truth.ok_or("totals of no authorization")?;
            holds += truth.add(&delta)?;
            let moves = delta.totals != Totals::default();
            if moves && account != (truth.balance, truth.pool) {
                return Err(format!("{} moves what it does not hold", delta.authorization));
            }
        }
        holds += self.fees(record)?;
        if holds != effects.balance.map_or(0, |delta| delta.held.0) {
            return Err(format!("holds change by {holds}, and not the account (I7): {record:?}"));
        }
        let granted = match &record.event {
            Event::Authorized(one) => one.stand_in.is_none(),
            Event::TransferSent(_) => true,
            _ => false,
        };
        if let Some(delta) = effects.balance {
            let of_it = |leg: &&Posting| leg.account == Account::Balance(delta.balance);
            let posted: i64 = effects.postings.iter().filter(of_it).map(|leg| leg.amount.0).sum();
            let amounts = self.balances.entry(delta.balance).or_default();
            amounts.ledger += delta.ledger.0;
            amounts.held += delta.held.0;
            let lower = delta.ledger.0 < delta.held.0;
            if amounts.held < 0 || (granted && lower && amounts.available() < 0) {
                return Err(format!("balance {} has {amounts:?} (I4)", delta.balance));
            }
            if posted != delta.ledger.0 {
                return Err(format!("a ledger moves without a posting (I3): {record:?}"));
            }
        }
        self.pool(record)
    }

    /// What is held more for fees. What is charged is posted, and where nothing is held, nothing is
    /// held for fees either.
    fn fees(&mut self, record: &Record) -> Result<i64, String> {
        let (mut holds, effects) = (0, &record.effects);
        for (delta, fees) in effects.of_fees() {
            let truth = self.authorizations.get_mut(&delta.authorization);
            holds += truth.ok_or("fees of no authorization")?.add_fees(fees)?;
            self.seen.extend((fees.held.0 > 0).then_some("fees held"));
            self.seen.extend((fees.charged.0 > 0).then_some("fees charged"));
            self.seen.extend((fees.charged.0 < 0).then_some("fees given back"));
        }
        for delta in effects.of_authorizations() {
            let truth = &self.authorizations[&delta.authorization];
            if truth.held() == 0 && truth.fees[0] != 0 {
                return Err(format!("fees are held of nothing (I7): {record:?}"));
            }
        }
        let income = |leg: &&Posting| matches!(leg.account, Account::FeeIncome(_));
        let posted: i64 = effects.postings.iter().filter(income).map(|leg| leg.amount.0).sum();
        // The purchase's where there is one: its other messages may have paid what goes back.
        let charged = effects.fees.as_ref().map_or(0, |fees| match fees.completed.charged.0 {
            0 => fees.own.charged.0,
            of_purchase => of_purchase,
        });
        if posted != charged {
            return Err(format!("{charged} of fees, and {posted} posted (I3): {record:?}"));
        }
        Ok(holds)
    }

    /// What is asked for has to be there, whichever shard commits first; what is owed has not.
    fn pool(&mut self, record: &Record) -> Result<(), String> {
        let Some(delta) = record.effects.pool else { return Ok(()) };
        let owes = match &record.event {
            Event::Authorized(one) => one.stand_in.is_some(),
            Event::Reversed(_) | Event::Voided(_) => true,
            _ => false,
        };
        let owed = self.owed.entry(delta.pool).or_default();
        if owes {
            *owed += (delta.held.0 - delta.level.0).max(0);
        }
        let amounts = self.pools.entry(delta.pool).or_default();
        amounts.ledger += delta.level.0;
        amounts.held += delta.held.0;
        if amounts.held < 0 || amounts.available() + *owed < 0 {
            return Err(format!("pool {} has {amounts:?}, {owed} owed (I4)", delta.pool));
        }
        Ok(())
    }

    /// What stands of an authorization or financial message: what it holds or settled; of an
    /// increment what it added, while the purchase that it belongs to holds anything.
    pub(crate) fn stands(&self, id: AuthorizationId) -> i64 {
        let Some(truth) = self.authorizations.get(&id) else { return 0 };
        let Totals { authorized, reversed, cleared, .. } = truth.totals;
        match truth.belongs_to.and_then(|first| self.authorizations.get(&first)) {
            _ if truth.key.class.is_financial() => cleared.0,
            Some(first) => (authorized.0 - reversed.0).min(first.held()),
            None => truth.held(),
        }
    }

    /// The authorization that a key made.
    pub(crate) fn of_key(&self, key: &MessageKey) -> Option<(AuthorizationId, &Truth)> {
        let id = *self.by_key.get(key)?.first()?;
        Some((id, self.authorizations.get(&id)?))
    }

    /// Whether a row took its shard over.
    pub(crate) fn begins_an_epoch(row: &JournalRow) -> bool {
        let records = row.decode().unwrap_or_default();
        records.iter().any(|record| matches!(record.event, Event::TakenOver(_)))
    }

    /// The last row of a shard.
    pub(crate) fn head(&self, shard: ShardId) -> Seq {
        self.heads.get(&shard).map_or(Seq::NONE, |head| head.seq)
    }
}
