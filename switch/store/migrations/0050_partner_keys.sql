-- Public keys that partners have registered, to which their answers are encrypted, and who chose the settings of a
-- partner. Ordinary SQL of the management service.

CREATE TABLE partner_key (
    -- The newest is the one that is used where a request names none.
    id         int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id int8        NOT NULL,
    -- RFC 7638, as base64url: what people tell a key by. No two partners have one key.
    thumbprint text        NOT NULL UNIQUE,
    -- DER of SubjectPublicKeyInfo.
    public_key bytea       NOT NULL,
    added_at   timestamptz NOT NULL,
    added_by   text        NOT NULL,
    -- Never used again.
    retired_at timestamptz,
    retired_by text,
    CHECK ((retired_at IS NULL) = (retired_by IS NULL))
);
CREATE INDEX partner_key_of ON partner_key (partner_id, id);

-- Each is chosen by itself; what was not is the default of the configuration.
ALTER TABLE partner_settings
    ALTER COLUMN kyc_mode DROP NOT NULL,
    ADD COLUMN changed_at timestamptz,
    ADD COLUMN changed_by text;
