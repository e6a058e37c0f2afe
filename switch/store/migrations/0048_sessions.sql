-- How end users reach their own data: devices that were paired, installations of the app on them,
-- sessions. Ordinary SQL of the management service. Secrets are kept as what they hash to.

-- What a person types once to pair a device; one a customer.
CREATE TABLE pairing_code (
    -- The part of the code that finds the row; the whole of it is hashed.
    locator     text        PRIMARY KEY,
    partner_id  int8        NOT NULL,
    customer_id int8        NOT NULL UNIQUE,
    hash        bytea       NOT NULL,
    -- Counted before a code is compared.
    tries       int4        NOT NULL DEFAULT 0,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX pairing_code_expires ON pairing_code (expires_at);

CREATE TABLE device (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id   uuid        NOT NULL UNIQUE,
    customer_id int8        NOT NULL,
    -- What the app calls the device, whatever is installed there.
    device_key  text        NOT NULL,
    platform    text        NOT NULL,
    model       text        NOT NULL,
    paired_at   timestamptz NOT NULL,
    UNIQUE (customer_id, device_key)
);

CREATE TABLE installation (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id   uuid        NOT NULL UNIQUE,
    device_id   int8        NOT NULL,
    customer_id int8        NOT NULL,
    partner_id  int8        NOT NULL,
    secret_hash bytea       NOT NULL,
    -- Argon2id with its parameters and salt.
    pin_hash    bytea       NOT NULL,
    -- Wrong PINs since the last right one; counted before a PIN is compared. At the limit the
    -- installation is blocked until the partner lifts that.
    pin_wrong   int4        NOT NULL DEFAULT 0,
    paired_at   timestamptz NOT NULL,
    -- Null while it is active.
    ended_at    timestamptz
);
-- SR-006.
CREATE UNIQUE INDEX installation_active ON installation (device_id) WHERE ended_at IS NULL;
CREATE INDEX installation_of ON installation (customer_id, id);
CREATE INDEX installation_ended ON installation (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE user_session (
    token_hash      bytea       PRIMARY KEY,
    -- Names it in the audit.
    public_id       uuid        NOT NULL UNIQUE,
    installation_id int8        NOT NULL,
    customer_id     int8        NOT NULL,
    started_at      timestamptz NOT NULL,
    used_at         timestamptz NOT NULL,
    -- Until when the user PIN counts as just given.
    stepped_until   timestamptz
) WITH (fillfactor = 50);
CREATE INDEX user_session_of ON user_session (customer_id);
CREATE INDEX user_session_by ON user_session (installation_id);
