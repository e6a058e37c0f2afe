//! Management operations as data: what comes over the control socket, one JSON object each. It owns
//! the names and shapes of the members; every operation is one call of a service.

use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switch_domain::{
    AsciiText, BalanceId, BalanceState, Bin, BinRange, CardId, Currency, CustomerId, CustomerState,
    Expiry, Funding, IdempotencyKey, LockCode, MinorUnits, OutsideAsk, PartnerId, PoolId, PoolKind,
    ProgrammeId, TransferId,
};

use crate::partner_operation::partner;
use crate::{NewCard, NewProgramme, NewTransfer, Problem, Services};

/// One operation. Amounts are decimal text in major units (`"12.50"`), exact or refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)] // the members are the documentation; `cardswitch help` says each in words
pub enum Operation {
    PartnerCreate {
        name: String,
    },
    PartnerSuspend {
        partner: i64,
    },
    PartnerResume {
        partner: i64,
    },
    PartnerPartialMinimum {
        partner: i64,
        currency: String,
        /// In major units; none: nothing is approved in part.
        minimum: Option<String>,
    },
    PoolOpen {
        partner: i64,
        kind: Kind,
        currency: String,
    },
    PoolReload {
        pool: i64,
        amount: String,
        reference: String,
    },
    PoolShow {
        pool: i64,
    },
    ProgrammeCreate {
        partner: i64,
        name: String,
        bin_low: u32,
        bin_high: u32,
        pan_length: u8,
        currency: String,
        pool: i64,
    },
    CustomerCreate {
        partner: i64,
        reference: String,
    },
    CustomerBlock {
        customer: i64,
    },
    CustomerUnblock {
        customer: i64,
    },
    BalanceOpen {
        programme: i64,
        customer: i64,
    },
    BalanceCredit {
        balance: i64,
        amount: String,
        reference: String,
    },
    BalanceTransfer {
        from: i64,
        to: i64,
        amount: String,
        reference: String,
    },
    TransferShow {
        transfer: i64,
    },
    BalanceBlock {
        balance: i64,
    },
    BalanceUnblock {
        balance: i64,
    },
    BalanceClose {
        balance: i64,
    },
    BalanceShow {
        balance: i64,
    },
    CardIssue {
        balance: i64,
        expiry: u16,
        active: bool,
        reveal_test_pan: bool,
    },
    CardActivate {
        card: i64,
    },
    CardLock {
        card: i64,
        code: u8,
    },
    CardUnlock {
        card: i64,
    },
    CardLockOutside {
        card: i64,
        source: String,
        code: Option<u8>,
        unlock: bool,
    },
    CardRemove {
        card: i64,
    },
    CardShow {
        card: i64,
    },
    ReconciliationList {
        link: Option<u16>,
        most: u32,
    },
    Status,
}

/// Characters of the name of a source outside: what a row has room for beside the operator.
const MOST_OF_SOURCE: usize = 20;

/// What a pool is for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Kind {
    Credit,
    Deposit,
}

/// Who asks, and under which key.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Stands in the audit trail.
    pub actor: AsciiText<40>,
    /// The same for every sending of one operation.
    pub key: IdempotencyKey,
}

/// Does an operation and gives its result.
///
/// # Errors
/// See [`Problem`].
pub async fn perform(
    services: &Services,
    caller: Caller,
    operation: Operation,
) -> Result<Value, Problem> {
    match operation {
        Operation::PartnerCreate { .. }
        | Operation::PartnerSuspend { .. }
        | Operation::PartnerResume { .. }
        | Operation::PartnerPartialMinimum { .. } => partner(services, caller, operation).await,
        Operation::PoolOpen { .. }
        | Operation::PoolReload { .. }
        | Operation::PoolShow { .. }
        | Operation::ProgrammeCreate { .. } => set_up(services, caller, operation).await,
        Operation::CardIssue { .. }
        | Operation::CardActivate { .. }
        | Operation::CardLock { .. }
        | Operation::CardUnlock { .. }
        | Operation::CardLockOutside { .. }
        | Operation::CardRemove { .. }
        | Operation::CardShow { .. } => card(services, caller, operation).await,
        Operation::BalanceTransfer { .. } | Operation::TransferShow { .. } => {
            transfer(services, caller, operation).await
        }
        Operation::ReconciliationList { link, most } => services.reconciliations(link, most).await,
        Operation::Status => Ok(status(services)),
        other => account(services, caller, other).await,
    }
}

async fn set_up(services: &Services, caller: Caller, op: Operation) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match op {
        Operation::PoolOpen { partner, kind, currency } => {
            let kind = match kind {
                Kind::Credit => PoolKind::Credit,
                Kind::Deposit => PoolKind::Deposit,
            };
            let currency = currency_of(&currency)?;
            let id = services.open_pool(key, actor, PartnerId(partner), kind, currency).await?;
            Ok(json!({ "pool": id.0 }))
        }
        Operation::PoolReload { pool, amount, reference } => {
            let currency = pool_currency(services, PoolId(pool))?;
            let amount = amount_of(&amount, currency)?;
            let reference = text("reference", &reference)?;
            done(services.reload_pool(key, actor, PoolId(pool), amount, reference).await)
        }
        Operation::PoolShow { pool } => {
            let currency = pool_currency(services, PoolId(pool))?;
            let share = services.whole_pool(PoolId(pool)).await?;
            Ok(json!({
                "pool": pool,
                "currency": currency.alphabetic(),
                "level": decimal(share.level, currency),
                "held": decimal(share.held, currency),
                "available": decimal(share.available(), currency),
            }))
        }
        Operation::ProgrammeCreate {
            partner,
            name,
            bin_low,
            bin_high,
            pan_length,
            currency,
            pool,
        } => {
            let pool = PoolId(pool);
            let kind = services.node().control().pools.get(&pool).map(|pool| pool.kind);
            let funding = match kind.ok_or_else(|| Problem::not_found("there is no such pool"))? {
                PoolKind::Credit => Funding::Credit(pool),
                PoolKind::Deposit => Funding::Deposit(pool),
            };
            let new = NewProgramme {
                partner: PartnerId(partner),
                name: text("name", &name)?,
                bins: BinRange { low: Bin(bin_low), high: Bin(bin_high), pan_length },
                currency: currency_of(&currency)?,
                funding,
            };
            let id = services.define_programme(key, actor, new).await?;
            Ok(json!({ "programme": id.0 }))
        }
        _ => Err(Problem::invalid("not an operation on pools and programmes")),
    }
}

async fn account(services: &Services, caller: Caller, op: Operation) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    let set = |balance, state| services.set_balance_state(key, actor, BalanceId(balance), state);
    let mark = |id, state| services.set_customer_state(key, actor, CustomerId(id), state);
    match op {
        Operation::CustomerCreate { partner, reference } => {
            let id = services.register_customer(PartnerId(partner), &reference).await?;
            Ok(json!({ "customer": id.0 }))
        }
        Operation::CustomerBlock { customer } => done(mark(customer, CustomerState::Blocked).await),
        Operation::CustomerUnblock { customer } => {
            done(mark(customer, CustomerState::Active).await)
        }
        Operation::BalanceOpen { programme, customer } => {
            let (programme, customer) = (ProgrammeId(programme), CustomerId(customer));
            let id = services.open_balance(key, actor, programme, customer).await?;
            Ok(json!({ "balance": id.0 }))
        }
        Operation::BalanceCredit { balance, amount, reference } => {
            let id = BalanceId(balance);
            let currency = balance_of(services, id).await?.currency;
            let amount = amount_of(&amount, currency)?;
            let reference = text("reference", &reference)?;
            done(services.credit_balance(key, actor, id, amount, reference).await)
        }
        Operation::BalanceBlock { balance } => done(set(balance, BalanceState::Blocked).await),
        Operation::BalanceUnblock { balance } => done(set(balance, BalanceState::Active).await),
        Operation::BalanceClose { balance } => done(set(balance, BalanceState::Closed).await),
        Operation::BalanceShow { balance } => {
            let balance = balance_of(services, BalanceId(balance)).await?;
            let currency = balance.currency;
            Ok(json!({
                "balance": balance.id.0,
                "customer": balance.customer.0,
                "state": format!("{:?}", balance.state).to_uppercase(),
                "currency": currency.alphabetic(),
                "ledger": decimal(balance.ledger, currency),
                "held": decimal(balance.held, currency),
                "available": decimal(balance.available(), currency),
            }))
        }
        _ => Err(Problem::invalid("not an operation on balances")),
    }
}

async fn transfer(services: &Services, caller: Caller, op: Operation) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match op {
        Operation::BalanceTransfer { from, to, amount, reference } => {
            let (from, to) = (BalanceId(from), BalanceId(to));
            let currency = balance_of(services, from).await?.currency;
            let amount = amount_of(&amount, currency)?;
            let reference = text("reference", &reference)?;
            let new = NewTransfer { from, to, amount, reference };
            let id = services.send_transfer(key, actor, new).await?;
            Ok(json!({ "transfer": id.0 }))
        }
        Operation::TransferShow { transfer } => {
            let sent = services.transfer(TransferId(transfer)).await?;
            let currency = sent.amount.currency;
            Ok(json!({
                "transfer": transfer,
                "from": sent.from.0,
                "to": sent.to.0,
                "amount": decimal(sent.amount.minor, currency),
                "currency": currency.alphabetic(),
                "state": sent.outcome.unwrap_or_else(|| "in_transit".into()).to_uppercase(),
            }))
        }
        _ => Err(Problem::invalid("not an operation on transfers")),
    }
}

async fn card(services: &Services, caller: Caller, op: Operation) -> Result<Value, Problem> {
    let Caller { actor, key } = caller;
    match op {
        Operation::CardIssue { balance, expiry, active, reveal_test_pan } => {
            let expiry = Expiry::from_yymm(expiry).map_err(|e| Problem::invalid(e.to_string()))?;
            let new = NewCard { balance: BalanceId(balance), expiry, active };
            let issued = services.issue_card(key, actor, new).await?;
            let last_four = issued.pan.last_four();
            let mut result = json!({
                "card": issued.card.0,
                "last_four": String::from_utf8_lossy(&last_four),
                "expiry": format!("{:04}", issued.expiry.yymm()),
            });
            if reveal_test_pan {
                let pan = switch_security::exit::reveal_test_pan(&issued.pan)
                    .map_err(|error| Problem::invalid(error.to_string()))?;
                result["pan"] = Value::String(pan);
            }
            Ok(result)
        }
        Operation::CardActivate { card } => {
            done(services.activate_card(key, actor, CardId(card)).await)
        }
        Operation::CardLock { card, code } => {
            done(services.lock_card(key, actor, CardId(card), lock_code(code)?).await)
        }
        Operation::CardUnlock { card } => {
            done(services.unlock_card(key, actor, CardId(card)).await)
        }
        Operation::CardLockOutside { card, source, code, unlock } => {
            let code = code.map(lock_code).transpose()?;
            let ask = match (unlock, code) {
                (true, code) => OutsideAsk::Unlock(code),
                (false, Some(code)) => OutsideAsk::Lock(code),
                (false, None) => return Err(Problem::invalid("a lock needs its code")),
            };
            let actor = on_behalf(actor, &source)?;
            done(services.lock_card_outside(key, actor, CardId(card), ask).await)
        }
        Operation::CardRemove { card } => {
            done(services.remove_card(key, actor, CardId(card)).await)
        }
        Operation::CardShow { card } => {
            let card = services.node().card(CardId(card)).await;
            let card = card.ok_or_else(|| Problem::not_found("there is no such card"))?;
            Ok(json!({
                "card": card.id.0,
                "balance": card.balance.0,
                "expiry": format!("{:04}", card.expiry.yymm()),
                "status": format!("{:?}", card.status).to_uppercase(),
                "lock": card.lock.map(LockCode::number),
            }))
        }
        _ => Err(Problem::invalid("not an operation on cards")),
    }
}

fn status(services: &Services) -> Value {
    let node = services.node();
    let control = node.control();
    json!({
        "serving": node.is_serving(),
        "partners": control.partners.len(),
        "programmes": control.programmes.len(),
        "pools": control.pools.keys().map(|pool| pool.0).collect::<Vec<_>>(),
        "cards": node.directory().len(),
    })
}

pub(crate) fn done(result: Result<(), Problem>) -> Result<Value, Problem> {
    result.map(|()| json!({ "done": true }))
}

pub(crate) fn text(member: &str, value: &str) -> Result<AsciiText<40>, Problem> {
    let text = AsciiText::new(value.as_bytes());
    let text = text.map_err(|error| Problem::invalid(format!("{member}: {error}")))?;
    if text.is_empty() {
        return Err(Problem::invalid(format!("{member} is empty")));
    }
    Ok(text)
}

fn lock_code(number: u8) -> Result<LockCode, Problem> {
    let code = LockCode::from_number(number);
    code.ok_or_else(|| Problem::invalid("lock codes are 1 to 8 and 11"))
}

/// Who stands in the audit trail for what somebody does at the request of a source outside.
fn on_behalf(actor: AsciiText<40>, source: &str) -> Result<AsciiText<40>, Problem> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if source.is_empty() || source.len() > MOST_OF_SOURCE || !source.bytes().all(plain) {
        return Err(Problem::invalid(format!(
            "{source:?} names no source: write up to {MOST_OF_SOURCE} letters, digits and hyphens, \
             as visa or acquirer-999001"
        )));
    }
    text("actor", &format!("{actor} for {source}"))
}

pub(crate) fn currency_of(code: &str) -> Result<Currency, Problem> {
    Currency::from_alphabetic(code).ok_or_else(|| {
        Problem::invalid(format!("{code:?} is no currency; use a code of ISO 4217, as EUR"))
    })
}

fn pool_currency(services: &Services, pool: PoolId) -> Result<Currency, Problem> {
    let control = services.node().control();
    let pool = control.pools.get(&pool).map(|pool| pool.currency);
    pool.ok_or_else(|| Problem::not_found("there is no such pool"))
}

async fn balance_of(services: &Services, id: BalanceId) -> Result<switch_domain::Balance, Problem> {
    let balance = services.node().balance(id).await;
    balance.ok_or_else(|| Problem::not_found("there is no such balance"))
}

/// Major units as decimal text, to minor units: exact, or refused.
pub(crate) fn amount_of(amount: &str, currency: Currency) -> Result<MinorUnits, Problem> {
    let places = u32::from(currency.exponent());
    let plain = amount.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    let exact = Decimal::from_str(amount).ok().filter(|_| plain).and_then(|amount| {
        let minor = amount.checked_mul(Decimal::from(10u64.pow(places)))?;
        minor.is_integer().then(|| minor.to_i64()).flatten()
    });
    exact.map(MinorUnits).ok_or_else(|| {
        let decimals = currency.exponent();
        Problem::invalid(format!(
            "{amount:?} is not an amount of {currency}: write major units with at most \
             {decimals} decimals, as 12.5"
        ))
    })
}

pub(crate) fn decimal(amount: MinorUnits, currency: Currency) -> String {
    Decimal::new(amount.0, u32::from(currency.exponent())).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        let cases = [
            ("12.5", "EUR", Some(1250)),
            ("12.50", "EUR", Some(1250)),
            ("12.505", "EUR", None),
            ("12", "JPY", Some(12)),
            ("12.5", "JPY", None),
            ("1.234", "BHD", Some(1234)),
            ("-1", "EUR", Some(-100)),
            ("1e3", "EUR", None),
            ("ten", "EUR", None),
            ("99999999999999999999", "EUR", None),
        ];
        for (text, code, expected) in cases {
            let currency = Currency::from_alphabetic(code).expect("a currency");
            let amount = amount_of(text, currency).ok().map(|minor| minor.0);
            assert_eq!(amount, expected, "{text} {code}");
        }
    }
}
