-- Version 5. What programs send instead of a user's password. All that it is good for is bound to the
-- sealed column: a row that was changed opens nothing.
CREATE TABLE app_passwords (
    id BLOB PRIMARY KEY,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    verifier BLOB NOT NULL, -- sealed
    hosts TEXT NOT NULL, -- separated by spaces; empty: all
    created INTEGER NOT NULL,
    expires INTEGER,
    last_used INTEGER,
    UNIQUE (user, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX app_passwords_expires ON app_passwords (expires);
