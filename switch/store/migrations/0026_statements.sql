-- Statements of an account, for its holder (mini-statements) and for people.
--
-- The postings of an account, the latest first: few settle, and only what settles has an entry here.
-- Authorizations have no postings, and pay nothing for it.
CREATE INDEX posting_of_balance ON posting (account_id, at) WHERE account = 'balance';

-- Whose account an event is about, and how much more is held on it from then on (below zero: less).
-- What an authorization holds when it is granted stands in its own row (`authorized`); where a part
-- of it had been reversed before it came, an event of kind `reversed_early` takes that off. Null
-- where nothing is held or given back, and in all that was written before.
ALTER TABLE authorization_event ADD COLUMN balance_id int8, ADD COLUMN held int8;
