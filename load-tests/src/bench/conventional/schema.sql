-- What a user would write: one row each for deposit, customer, balance and card, and one for each
-- authorization, whose key is the key under which its message may come again.
CREATE TABLE deposit (
    id    int4 PRIMARY KEY,
    -- Of the partner, whose only deposit it is.
    state text NOT NULL DEFAULT 'active',
    level int8 NOT NULL,
    held  int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 10); -- a hot row: its new versions stay on its page

CREATE TABLE customer (
    id    int8 PRIMARY KEY,
    state text NOT NULL DEFAULT 'active'
);

CREATE TABLE balance (
    id          int8 PRIMARY KEY,
    customer_id int8 NOT NULL REFERENCES customer,
    currency    int2 NOT NULL,
    state       text NOT NULL DEFAULT 'active',
    ledger      int8 NOT NULL,
    held        int8 NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- Found by a hash of its number. The programme's facts stand with the card.
CREATE TABLE card (
    token      int8 PRIMARY KEY,
    id         int8 NOT NULL UNIQUE,
    balance_id int8 NOT NULL REFERENCES balance,
    deposit_id int4 NOT NULL REFERENCES deposit,
    expiry     int2 NOT NULL,
    status     text NOT NULL DEFAULT 'active',
    lock_code  int2
);

-- No foreign keys here: each would cost a look and a lock for every authorization.
CREATE TABLE card_authorization (
    card_id    int8        NOT NULL,
    stan       int4        NOT NULL,
    rrn        text        NOT NULL,
    local_time int8        NOT NULL,
    terminal   text        NOT NULL,
    acquirer   text        NOT NULL,
    balance_id int8        NOT NULL,
    deposit_id int4        NOT NULL,
    amount     int8        NOT NULL,
    reversed   int8        NOT NULL DEFAULT 0,
    currency   int2        NOT NULL,
    code       text        NOT NULL,
    approval   text,
    mcc        int2        NOT NULL,
    entry_mode int2        NOT NULL,
    merchant   text        NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (card_id, stan, rrn, local_time, terminal, acquirer)
);

-- Reversals that came before what they reverse.
CREATE TABLE early_reversal (
    card_id  int8 NOT NULL,
    stan     int4 NOT NULL,
    terminal text NOT NULL,
    acquirer text NOT NULL,
    PRIMARY KEY (card_id, stan, terminal, acquirer)
);

-- DE39 of a lock.
CREATE FUNCTION lock_answer(lock int2) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE lock WHEN 1 THEN '41' WHEN 2 THEN '43' WHEN 3 THEN '05' WHEN 4 THEN '51'
        WHEN 5 THEN '56' WHEN 6 THEN '75' WHEN 7 THEN '59' WHEN 8 THEN '14' ELSE '75' END
$$;

-- A whole authorization in one round trip. The hot row comes last: it is locked for as short as can
-- be, from here to the end of the commit.
CREATE FUNCTION authorize(the_token int8, the_expiry int2, the_amount int8, the_currency int2,
    the_stan int4, the_rrn text, the_time int8, the_terminal text, the_acquirer text, the_mcc int2,
    the_entry int2, the_merchant text, the_approval text,
    OUT code text, OUT approval text) LANGUAGE plpgsql AS $$
DECLARE
    found_card record;
    stored     record;
BEGIN
    SELECT c.id, c.balance_id, c.deposit_id,
        CASE WHEN c.status = 'inactive' THEN '62' WHEN c.status <> 'active' THEN '14'
            WHEN c.lock_code IS NOT NULL THEN lock_answer(c.lock_code)
            WHEN c.expiry <> the_expiry OR c.expiry < to_char(now(), 'YYMM')::int2 THEN '54'
            WHEN b.state = 'blocked' THEN '57' WHEN b.state <> 'active' THEN '05'
            WHEN u.state <> 'active' OR d.state <> 'active' THEN '62'
            WHEN b.currency <> the_currency THEN '57'
            WHEN d.level - d.held < the_amount OR b.ledger - b.held < the_amount THEN '51'
            WHEN EXISTS (SELECT 1 FROM early_reversal e WHERE e.card_id = c.id
                AND e.stan = the_stan AND e.terminal = the_terminal
                AND e.acquirer = the_acquirer) THEN '12'
            ELSE '00' END AS code
        INTO found_card
        FROM card c JOIN balance b ON b.id = c.balance_id JOIN customer u ON u.id = b.customer_id
            JOIN deposit d ON d.id = c.deposit_id
        WHERE c.token = the_token;
    IF NOT FOUND THEN
        code := '14';
        RETURN;
    END IF;
    code := found_card.code;
    approval := CASE WHEN code = '00' THEN the_approval END;
    INSERT INTO card_authorization (card_id, stan, rrn, local_time, terminal, acquirer, balance_id,
            deposit_id, amount, currency, code, approval, mcc, entry_mode, merchant)
        VALUES (found_card.id, the_stan, the_rrn, the_time, the_terminal, the_acquirer,
            found_card.balance_id, found_card.deposit_id, the_amount, the_currency, code, approval,
            the_mcc, the_entry, the_merchant)
        ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT a.code, a.approval, a.amount INTO stored FROM card_authorization a
            WHERE a.card_id = found_card.id AND a.stan = the_stan AND a.rrn = the_rrn
                AND a.local_time = the_time AND a.terminal = the_terminal
                AND a.acquirer = the_acquirer;
        code := CASE WHEN stored.amount = the_amount THEN stored.code ELSE '94' END;
        approval := CASE WHEN code = '00' THEN stored.approval END;
        RETURN;
    END IF;
    IF code <> '00' THEN
        RETURN;
    END IF;
    UPDATE balance SET held = held + the_amount
        WHERE id = found_card.balance_id AND ledger - held >= the_amount;
    IF FOUND THEN
        UPDATE deposit SET held = held + the_amount
            WHERE id = found_card.deposit_id AND level - held >= the_amount;
        IF FOUND THEN
            RETURN;
        END IF;
        UPDATE balance SET held = held - the_amount WHERE id = found_card.balance_id;
    END IF;
    -- Somebody was faster.
    code := '51';
    approval := NULL;
    UPDATE card_authorization a SET code = '51', approval = NULL
        WHERE a.card_id = found_card.id AND a.stan = the_stan AND a.rrn = the_rrn
            AND a.local_time = the_time AND a.terminal = the_terminal AND a.acquirer = the_acquirer;
END $$;

-- A whole reversal in one round trip. Always accepted; a second one finds nothing left to release.
CREATE FUNCTION reverse(the_token int8, the_stan int4, the_rrn text, the_terminal text,
    the_acquirer text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    the_card int8;
    original record;
BEGIN
    SELECT id INTO the_card FROM card WHERE token = the_token;
    IF NOT FOUND THEN
        RETURN '00';
    END IF;
    UPDATE card_authorization a SET reversed = a.amount
        WHERE a.card_id = the_card AND a.stan = the_stan AND a.terminal = the_terminal
            AND a.acquirer = the_acquirer AND a.rrn = the_rrn
            AND a.code = '00' AND a.reversed = 0
        RETURNING a.balance_id, a.deposit_id, a.amount INTO original;
    IF FOUND THEN
        UPDATE balance SET held = held - original.amount WHERE id = original.balance_id;
        UPDATE deposit SET held = held - original.amount WHERE id = original.deposit_id;
    ELSIF NOT EXISTS (SELECT 1 FROM card_authorization a WHERE a.card_id = the_card
            AND a.stan = the_stan AND a.terminal = the_terminal AND a.acquirer = the_acquirer) THEN
        INSERT INTO early_reversal VALUES (the_card, the_stan, the_terminal, the_acquirer)
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN '00';
END $$;
