-- Makes the partition of a day as before, and takes in what came before its day had one: those rows
-- stand in the default partition, and would otherwise stop their day from ever being made.
CREATE OR REPLACE FUNCTION make_day(parent text, day date) RETURNS bool
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name     text := parent || to_char(day, '"_"YYYYMMDD');
    fallback text := parent || '_rest';
    moment   text := CASE parent WHEN 'card_authorization' THEN 'decided_at' ELSE 'at' END;
    begins   text := to_char(day, 'YYYY-MM-DD"T00:00:00Z"');
    ends     text := to_char(day + 1, 'YYYY-MM-DD"T00:00:00Z"');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING INDEXES)%s', name, parent,
        CASE parent WHEN 'card_authorization' THEN ' WITH (fillfactor = 90)' ELSE '' END);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', fallback);
    EXECUTE format('WITH early AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)
        INSERT INTO %I SELECT * FROM early', fallback, moment, begins, moment, ends, name);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name,
        begins, ends);
    RETURN true;
END $$;

-- Lets a day of history go, in one transaction: it is there whole, or it is gone and what the books
-- need of it is carried on. True where it went; false where it is not there, or something in it is
-- still open. Nobody writes to a day that old (see the store's retention), so the rows that are
-- looked at here need no lock; the table itself is locked briefly, at the end.
CREATE FUNCTION drop_day(parent text, day date) RETURNS bool
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name    text := parent || to_char(day, '"_"YYYYMMDD');
    is_open bool := false;
BEGIN
    IF to_regclass(name) IS NULL THEN
        RETURN false;
    END IF;
    IF parent = 'card_authorization' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE NOT closed)', name) INTO is_open;
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
