-- Version 4. The store is the truth about sessions: what the workers know of one is kept, sealed. One
-- that an older release has listed has no record, and is not taken up again.
ALTER TABLE sessions ADD COLUMN record BLOB;

-- Orders say who told of them, and what is to be done in full.
DROP TABLE orders;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, -- end session, end user, end all, ban, revoke
    session BLOB, -- the one that ends, or the one of a user's that goes on
    target_kind TEXT,
    target TEXT,
    until INTEGER,
    at INTEGER NOT NULL,
    teller INTEGER NOT NULL -- the workers' memory; 0: the command line
) STRICT;
CREATE INDEX orders_at ON orders (at);

-- Failed attempts that may still count.
CREATE TABLE failures (
    stage TEXT NOT NULL, -- password, second factor
    kind TEXT NOT NULL, -- user, address
    target TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX failures_target ON failures (stage, kind, target, at);
CREATE INDEX failures_at ON failures (at);

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
