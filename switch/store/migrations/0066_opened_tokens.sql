-- Tokens of encrypted requests that were opened, and the call that each came with first: one that comes again with
-- another (another caller's, or to another path) was captured, and is not taken (J-05). Ordinary SQL of the
-- management service.
CREATE TABLE opened_token (
    -- Of the token as it came; there is one text of it.
    digest bytea       PRIMARY KEY CHECK (length(digest) = 32),
    -- Of the caller, the method and the path.
    call   bytea       NOT NULL CHECK (length(call) = 32),
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX opened_token_by_age ON opened_token (at);
