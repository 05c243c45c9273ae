-- Version 4. The store is the truth about sessions: what the workers know of one is kept, sealed. Of those
-- that an older release has listed that is not known, and nobody takes them up again.
DELETE FROM sessions;
ALTER TABLE sessions ADD COLUMN record BLOB; -- sealed
-- The era in which it was written down. All sessions end at once when an era does.
ALTER TABLE sessions ADD COLUMN era INTEGER NOT NULL DEFAULT 0;
DROP INDEX sessions_ends;
DROP INDEX sessions_user;
CREATE INDEX sessions_user ON sessions (user, era, ends);
CREATE INDEX sessions_ends ON sessions (era, ends, over);

CREATE TABLE eras (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    era INTEGER NOT NULL
) STRICT;
INSERT INTO eras (id, era) VALUES (1, 0);

-- Orders say who told of them, and what is to be done in full.
DROP TABLE orders;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, -- end session, end user, end all, ban, revoke
    session BLOB, -- the one that ends, or the one of a user's that goes on
    target_kind TEXT,
    target TEXT,
    until INTEGER,
    created INTEGER, -- of a ban
    banned_by TEXT,
    at INTEGER NOT NULL,
    teller INTEGER NOT NULL -- the workers' memory; 0: the command line
) STRICT;
CREATE INDEX orders_at ON orders (at);
CREATE INDEX orders_target ON orders (kind, target, target_kind, at);

-- Attempts to sign in: those that failed, and the newest that succeeded. Numbered for users and addresses
-- apart, so that a flood from many addresses pushes out nothing that is known of a user.
CREATE TABLE tries (
    kind TEXT NOT NULL, -- user, address
    number INTEGER NOT NULL,
    stage TEXT NOT NULL, -- password, second factor
    target TEXT NOT NULL,
    at INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    PRIMARY KEY (kind, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_target ON tries (kind, target, stage, passed, at);
CREATE INDEX tries_at ON tries (at);

-- The secret behind cookies where the configuration names none.
CREATE TABLE shared_secret (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
) STRICT;

-- Written to find out whether anything can be.
CREATE TABLE probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
