-- Version 1. Times are Unix seconds; users are canonical names; sealed columns say so.
CREATE TABLE store_check (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE totp_devices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    digits INTEGER NOT NULL,
    period INTEGER NOT NULL,
    secret BLOB NOT NULL, -- sealed
    created INTEGER NOT NULL,
    last_used INTEGER,
    UNIQUE (user, name)
) STRICT;

-- A device has one user, so this is unique for user, device and step.
CREATE TABLE totp_steps (
    device INTEGER NOT NULL REFERENCES totp_devices (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (device, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX totp_steps_until ON totp_steps (until);

CREATE TABLE webauthn_users (
    rp_id TEXT NOT NULL,
    user TEXT NOT NULL,
    handle BLOB NOT NULL,
    PRIMARY KEY (rp_id, user),
    UNIQUE (rp_id, handle)
) STRICT, WITHOUT ROWID;

CREATE TABLE webauthn_credentials (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    rp_id TEXT NOT NULL,
    credential_id BLOB NOT NULL,
    public_key BLOB NOT NULL, -- sealed
    aaguid TEXT,
    attestation_format TEXT NOT NULL,
    attestation_type TEXT NOT NULL,
    attestation BLOB, -- sealed
    attachment TEXT NOT NULL,
    transports TEXT NOT NULL,
    sign_count INTEGER NOT NULL,
    clone_warning INTEGER NOT NULL,
    legacy INTEGER NOT NULL,
    discoverable INTEGER NOT NULL,
    present INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backup_state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER,
    UNIQUE (rp_id, credential_id),
    UNIQUE (user, rp_id, name)
) STRICT;

CREATE TABLE preferences (
    user TEXT PRIMARY KEY,
    second_factor TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
    id BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    purpose TEXT NOT NULL,
    code BLOB NOT NULL, -- keyed hash
    address TEXT NOT NULL,
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    consumed INTEGER,
    revoked INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_code ON codes (code);
CREATE INDEX codes_expires ON codes (expires);

-- Keyed hashes of what was imported: what its user has removed since does not come back.
CREATE TABLE imported (
    mark BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
