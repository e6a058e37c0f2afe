-- Card numbers, encrypted, and found by a keyed hash. The only table that holds any; it never
-- holds one in clear. Written by ordinary SQL before the command that names the row (W-9), where
-- uniqueness across shards is decided (W-23).
CREATE TABLE pan_vault (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Counts re-encryptions.
    version     int4        NOT NULL DEFAULT 1,
    fingerprint bytea       NOT NULL UNIQUE,
    key_id      text        NOT NULL,
    nonce       bytea       NOT NULL,
    ciphertext  bytea       NOT NULL,
    last_four   text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- So that a wrong key file is noticed at start, and not by the first card that cannot be read.
CREATE TABLE vault_key (
    key_id      text        PRIMARY KEY,
    check_value bytea       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
