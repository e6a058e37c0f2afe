-- Operators of the platform: people at the panel (SR-052, SR-260). Ordinary SQL of the management
-- service. Nobody is ever removed: records of the audit name them.
CREATE TABLE operator (
    id              int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What paths and records name.
    public_id       uuid        NOT NULL UNIQUE,
    -- What is typed.
    name            text        NOT NULL UNIQUE,
    role            text        NOT NULL CHECK (role IN ('EMPLOYEE', 'MANAGER', 'ADMIN')),
    blocked         boolean     NOT NULL DEFAULT false,
    -- Argon2id: parameters, salt, hash.
    password        bytea       NOT NULL,
    password_at     timestamptz NOT NULL,
    -- The password was given by somebody else: nothing is done before there is another.
    must_change     boolean     NOT NULL DEFAULT true,
    -- The secret of the second factor, under the key of the operators' key file.
    totp            bytea       NOT NULL,
    -- The latest step of thirty seconds whose code was taken: none is taken twice.
    totp_step       int8        NOT NULL DEFAULT 0,
    -- Tries since the last one that was right, each counted before it is looked at.
    tries           int4        NOT NULL DEFAULT 0,
    locked_until    timestamptz,
    -- The last time that somebody got in, or was let back in.
    seen_at         timestamptz NOT NULL,
    made_at         timestamptz NOT NULL,
    made_by         text        NOT NULL,
    -- The same request makes the same operator.
    made_under      bytea       NOT NULL UNIQUE CHECK (octet_length(made_under) = 16)
);

-- Passwords of before, so that none comes back.
CREATE TABLE operator_password (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id int8        NOT NULL,
    password    bytea       NOT NULL
);
CREATE INDEX operator_password_of ON operator_password (operator_id, id);

-- Sessions at the panel.
CREATE TABLE operator_session (
    -- SHA-256 of the token.
    token       bytea       PRIMARY KEY CHECK (octet_length(token) = 32),
    operator_id int8        NOT NULL,
    opened_at   timestamptz NOT NULL,
    used_at     timestamptz NOT NULL
);
CREATE INDEX operator_session_of ON operator_session (operator_id, opened_at);

-- Written for names that nobody has, so that trying one takes as long as trying another.
CREATE TABLE operator_nobody (tries int8 NOT NULL);
INSERT INTO operator_nobody VALUES (0);

-- What waits for somebody to look at it.
CREATE INDEX customer_kyc_pending ON customer (id)
    WHERE kyc_state = 'PENDING' AND removed_at IS NULL;
