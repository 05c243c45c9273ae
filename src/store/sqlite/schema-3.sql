-- Version 3. What the command line shows of sessions and bans, and its orders to the workers.
-- A session that is over stays for a while, so that news of its beginning that come late do not count.
CREATE TABLE sessions (
    key BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    domain TEXT NOT NULL,
    address TEXT NOT NULL,
    device TEXT NOT NULL,
    methods TEXT NOT NULL, -- words, separated by commas
    remember INTEGER NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    over INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user);
CREATE INDEX sessions_ends ON sessions (ends);

-- Each of those who ban has a row: none takes back what another has said.
CREATE TABLE bans (
    kind TEXT NOT NULL, -- user, address
    target TEXT NOT NULL,
    until INTEGER NOT NULL,
    created INTEGER NOT NULL,
    by TEXT NOT NULL, -- regulation, second factors, administrator
    PRIMARY KEY (kind, target, by)
) STRICT, WITHOUT ROWID;
CREATE INDEX bans_until ON bans (until);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, -- end session, end user, end all, ban, revoke
    session BLOB,
    target_kind TEXT,
    target TEXT,
    until INTEGER,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_at ON orders (at);
