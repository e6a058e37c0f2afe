-- Client certificates that the platform signed for partners (SR-051). Ordinary SQL of the management
-- service: rows are added, and once taken back. Every certificate that is shown is looked up here.
CREATE TABLE partner_certificate (
    serial          bytea       PRIMARY KEY CHECK (octet_length(serial) = 16),
    partner_id      int8        NOT NULL,
    -- SHA-256 of the certificate's bytes.
    fingerprint     bytea       NOT NULL UNIQUE CHECK (octet_length(fingerprint) = 32),
    -- SHA-256 of the key that it is for, with its kind: no two partners have one key.
    public_key      bytea       NOT NULL CHECK (octet_length(public_key) = 32),
    subject         text        NOT NULL,
    certificate     bytea       NOT NULL,
    -- SHA-256 of the authority's certificate.
    issuer          bytea       NOT NULL CHECK (octet_length(issuer) = 32),
    not_before      timestamptz NOT NULL,
    not_after       timestamptz NOT NULL,
    issued_at       timestamptz NOT NULL,
    issued_by       text        NOT NULL,
    -- The same key gives the same certificate again, for the same request alone (its SHA-256).
    idempotency_key bytea       NOT NULL UNIQUE CHECK (octet_length(idempotency_key) = 16),
    request         bytea       NOT NULL CHECK (octet_length(request) = 32),
    revoked_at      timestamptz,
    revoked_by      text,
    -- key-compromise, superseded, ceased, withdrawn
    revoked_reason  text,
    CHECK (num_nonnulls(revoked_at, revoked_by, revoked_reason) IN (0, 3))
);
CREATE INDEX partner_certificate_partner ON partner_certificate (partner_id, issued_at);
CREATE INDEX partner_certificate_key ON partner_certificate (public_key);
-- Read every few seconds by every node.
CREATE INDEX partner_certificate_revoked ON partner_certificate (not_after)
    WHERE revoked_at IS NOT NULL;
