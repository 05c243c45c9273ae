-- Version 2. Challenges of WebAuthn whose answer has counted, until their tickets have ended.
CREATE TABLE challenges (
    hash BLOB PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenges_until ON challenges (until);
