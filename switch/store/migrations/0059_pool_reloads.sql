-- Reloads of partners' pools: who asked, who agreed, what became of it. Ordinary SQL of the management service: no
-- money follows from a row here, but from the record of the journal that is made for it, once.

CREATE TABLE pool_reload (
    -- In the order in which they were asked for.
    id           int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- As paths name it; the key of the shard's command is made of it.
    public_id    uuid        NOT NULL UNIQUE,
    pool_id      int8        NOT NULL,
    partner_id   int8        NOT NULL,
    -- Minor units.
    amount       int8        NOT NULL,
    currency     int2        NOT NULL,
    -- The bank's.
    reference    text        NOT NULL,
    -- WAITING for a second operator; BOOKING: it is to be booked, and may be already; the others are ends.
    state        text        NOT NULL CHECK (state IN ('WAITING', 'BOOKING', 'DONE', 'REFUSED', 'EXPIRED')),
    -- Why it was refused: an operator's words, or a code of problems.
    refusal      text,
    asked_by     text        NOT NULL,
    asked_at     timestamptz NOT NULL,
    -- The second operator; null where none is needed, or none has decided.
    decided_by   text,
    decided_at   timestamptz,
    -- Until when it waits for one; null where none is needed.
    waits_until  timestamptz,
    booked_at    timestamptz,
    -- The digest of the request that asked for it, under which a repeat finds it.
    made_under   bytea       NOT NULL UNIQUE CHECK (length(made_under) = 16),
    CHECK ((refusal IS NULL) = (state <> 'REFUSED')),
    CHECK ((booked_at IS NULL) = (state <> 'DONE')),
    -- Four eyes: nobody agrees to what they asked for themselves, and without a second nothing is booked.
    CHECK (waits_until IS NULL OR state NOT IN ('BOOKING', 'DONE')
        OR (decided_by IS NOT NULL AND decided_by <> asked_by))
);
CREATE INDEX pool_reload_of ON pool_reload (pool_id, id);
CREATE INDEX pool_reload_waiting ON pool_reload (waits_until) WHERE state = 'WAITING';
CREATE INDEX pool_reload_booking ON pool_reload (id) WHERE state = 'BOOKING';
