//! The SQL of the conventional server. It owns the text, so that pgbench runs the very statements
//! that the server runs; places of values are `$1` and so on here.

/// The tables and functions.
pub(crate) const SCHEMA: &str = include_str!("schema.sql");

/// What the checks look at.
pub(crate) const SELECT: &str = "\
SELECT c.id, c.balance_id, c.deposit_id, c.expiry, c.status, c.lock_code, \
b.state AS balance_state, b.currency, b.ledger - b.held AS funds, u.state AS customer_state, \
d.state AS partner_state, d.level - d.held AS headroom, to_char(now(), 'YYMM')::int2 AS month, \
EXISTS (SELECT 1 FROM early_reversal e WHERE e.card_id = c.id AND e.stan = $2 \
AND e.terminal = $3 AND e.acquirer = $4) AS reversed_before \
FROM card c JOIN balance b ON b.id = c.balance_id JOIN customer u ON u.id = b.customer_id \
JOIN deposit d ON d.id = c.deposit_id WHERE c.token = $1";

/// The authorization. No row where its message came before.
pub(crate) const INSERT: &str = "\
INSERT INTO card_authorization (card_id, stan, rrn, local_time, terminal, acquirer, balance_id, \
deposit_id, amount, currency, code, approval, mcc, entry_mode, merchant) \
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING";

/// The user's funds.
pub(crate) const UPDATE_BALANCE: &str =
    "UPDATE balance SET held = held + $2 WHERE id = $1 AND ledger - held >= $2";

/// The partner's deposit: the hot row, and therefore last.
pub(crate) const UPDATE_DEPOSIT: &str =
    "UPDATE deposit SET held = held + $2 WHERE id = $1 AND level - held >= $2";

/// The answer to a message that came before.
pub(crate) const STORED: &str = "\
SELECT code, approval, amount FROM card_authorization WHERE card_id = $1 AND stan = $2 \
AND rrn = $3 AND local_time = $4 AND terminal = $5 AND acquirer = $6";

/// The whole authorization.
pub(crate) const AUTHORIZE: &str = "\
SELECT code, approval FROM authorize($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

/// The whole reversal.
pub(crate) const REVERSE: &str = "SELECT reverse($1, $2, $3, $4, $5)";
