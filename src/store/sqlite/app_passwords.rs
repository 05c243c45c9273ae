//! App passwords: a sealed hash in each row, bound to what it is good for.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Outcome, Sqlite, all, good_name, or_taken, prepare, seconds, time};
use crate::store::error::Fault;
use crate::store::model::MAX_DEVICES;
use crate::store::seal::Place;
use crate::store::{AppPassword, AppPasswords, Random, StorageKey, StoreError};

const COLUMNS: &str = "id, user, name, verifier, hosts, created, expires, last_used";

/// Seconds that one which is over is kept, so that its owner sees why a program stopped working.
const REMEMBERED: u64 = 30 * 24 * 60 * 60;

impl Sqlite {
    /// The app passwords of all users, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn all_app_passwords(&self) -> Outcome<Vec<AppPassword>> {
        self.read(|tx| list(tx, self.key(), None))
    }
}

impl AppPasswords for Sqlite {
    fn app_password(&self, id: &[u8]) -> Outcome<Option<AppPassword>> {
        self.read(|tx| find(tx, &self.key, id))
    }

    fn app_passwords(&self, user: &str) -> Outcome<Vec<AppPassword>> {
        self.read(|tx| list(tx, &self.key, Some(user)))
    }

    fn add_app_password(&self, new: &AppPassword, random: &mut Random<'_>) -> Outcome<()> {
        self.write(|tx| add(tx, &self.key, new, random))
    }

    fn remove_app_password(&self, user: &str, id: &[u8]) -> Outcome<Option<String>> {
        self.write(|tx| {
            let delete = "DELETE FROM app_passwords WHERE id = ?2 AND user = ?1 RETURNING name";
            let mut statement = prepare(tx, delete)?;
            let name = statement.query_row(params![user, id], |row| row.get(0));
            Ok(name.optional()?)
        })
    }

    fn note_app_password(&self, id: &[u8], now: u64) -> Outcome<bool> {
        self.write(|tx| {
            let update = "UPDATE app_passwords SET last_used = max(coalesce(last_used, 0), ?2) \
                WHERE id = ?1";
            Ok(prepare(tx, update)?.execute(params![id, seconds(now)])? == 1)
        })
    }
}

/// What the seal of a row is bound to.
fn bound(of: &AppPassword) -> [Vec<u8>; 5] {
    // As the column keeps them, or a time beyond its end would not be found again.
    let kept = |time| seconds(time).to_le_bytes().to_vec();
    [
        of.id.clone(),
        of.user.clone().into_bytes(),
        of.hosts.join(" ").into_bytes(),
        kept(of.created),
        of.expires.map_or_else(Vec::new, kept),
    ]
}

fn place<'a>(row: &'a [&'a [u8]]) -> Place<'a> {
    Place {
        table: "app_passwords",
        column: "verifier",
        row,
    }
}

fn open_row(row: &Row<'_>, key: &StorageKey) -> Result<AppPassword, Fault> {
    let hosts: String = row.get(4)?;
    let sealed: Vec<u8> = row.get(3)?;
    let mut found = AppPassword {
        id: row.get(0)?,
        user: row.get(1)?,
        name: row.get(2)?,
        verifier: Vec::new(),
        hosts: hosts.split_whitespace().map(str::to_owned).collect(),
        created: time(row.get(5)?),
        expires: row.get::<_, Option<i64>>(6)?.map(time),
        last_used: row.get::<_, Option<i64>>(7)?.map(time),
    };
    let bound = bound(&found);
    let bound = bound.each_ref().map(Vec::as_slice);
    found.verifier = key.open(place(&bound), &sealed)?.to_vec();
    Ok(found)
}

fn find(
    connection: &Connection,
    key: &StorageKey,
    id: &[u8],
) -> Result<Option<AppPassword>, Fault> {
    let query = format!("SELECT {COLUMNS} FROM app_passwords WHERE id = ?1");
    let mut statement = prepare(connection, &query)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| open_row(row, key)).transpose()
}

/// The app passwords of one user, or of all.
pub(super) fn list(
    connection: &Connection,
    key: &StorageKey,
    user: Option<&str>,
) -> Result<Vec<AppPassword>, Fault> {
    let query = format!(
        "SELECT {COLUMNS} FROM app_passwords WHERE ?1 IS NULL OR user = ?1 ORDER BY created, name"
    );
    let mut statement = connection.prepare(&query)?;
    all(statement.query([user])?, |row| open_row(row, key))
}

fn add(
    connection: &Connection,
    key: &StorageKey,
    new: &AppPassword,
    random: &mut Random<'_>,
) -> Result<(), Fault> {
    let forget = "DELETE FROM app_passwords WHERE expires < ?1";
    let before = seconds(new.created.saturating_sub(REMEMBERED));
    connection.execute(forget, [before])?;
    let query = "SELECT count(*) FROM app_passwords WHERE user = ?1";
    let count: i64 = connection.query_one(query, [&new.user], |row| row.get(0))?;
    if count >= MAX_DEVICES as i64 {
        return Err(StoreError::TooManyAppPasswords.into());
    }
    let bound = bound(new);
    let bound = bound.each_ref().map(Vec::as_slice);
    let insert =
        format!("INSERT INTO app_passwords ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)");
    let values = params![
        new.id,
        new.user,
        good_name(&new.name)?,
        key.seal(place(&bound), &new.verifier, random),
        new.hosts.join(" "),
        seconds(new.created),
        new.expires.map(seconds)
    ];
    connection
        .execute(&insert, values)
        .map_err(or_taken(StoreError::NameTaken))?;
    Ok(())
}
