-- Incremental authorizations. An increment has a row of its own, with what it added, and is closed
-- from the start: `completes_id` and `completes_at` name the first authorization of the purchase, whose
-- row holds for all of them (`incremented`). Whoever adds up `authorized` over rows leaves those out.
-- For each increment an event of kind `incremented`. The life of the hold begins again with it: which
-- increment was the last of a purchase is looked up by this index, which has these events alone.
CREATE INDEX authorization_event_incremented ON authorization_event (authorization_id)
    WHERE kind = 'incremented';

-- As in migration 0007; a day also stays while an increment in it is of a purchase that is open: the
-- end of that hold is found by it.
CREATE OR REPLACE FUNCTION drop_day(parent text, day date) RETURNS bool
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name    text := parent || to_char(day, '"_"YYYYMMDD');
    is_open bool := false;
BEGIN
    IF to_regclass(name) IS NULL THEN
        RETURN false;
    END IF;
    IF parent = 'card_authorization' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE NOT closed)
            OR EXISTS (SELECT FROM %I AS later
                JOIN card_authorization AS one
                    ON one.id = later.completes_id AND one.decided_at = later.completes_at
                WHERE NOT one.closed)', name, name) INTO is_open;
    ELSIF parent = 'authorization_event' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I AS event
            JOIN card_authorization AS one ON one.id = event.authorization_id
            WHERE NOT one.closed)', name) INTO is_open;
    ELSIF parent = 'posting' THEN
        EXECUTE format('INSERT INTO posting_carried AS old (account, account_id, currency, amount)
            SELECT account, account_id, currency, sum(amount) FROM %I
            GROUP BY account, account_id, currency
            ON CONFLICT (account, account_id, currency)
            DO UPDATE SET amount = old.amount + excluded.amount', name);
    END IF;
    IF NOT is_open THEN
        EXECUTE format('DROP TABLE %I', name);
    END IF;
    RETURN NOT is_open;
END $$;
