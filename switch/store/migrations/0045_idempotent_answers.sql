-- Answers of the management API to requests that carried an idempotency key, so that the same request
-- gets the same answer again. Which request it was is known by a digest alone.
CREATE TABLE idempotent_answer (
    -- Digest of caller, method, path and key.
    scope         bytea       PRIMARY KEY CHECK (length(scope) = 32),
    -- Digest of the query and the body.
    request       bytea       NOT NULL CHECK (length(request) = 32),
    -- Who works on it, and until when nobody else does.
    claim         uuid        NOT NULL,
    claimed_until timestamptz NOT NULL,
    first_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Null: not answered yet.
    status        int2,
    content_type  text,
    etag          text,
    location      text,
    -- Null where the answer carries a secret: then the request is done again, under the same keys.
    body          bytea
);
CREATE INDEX idempotent_answer_by_age ON idempotent_answer (first_at);
