//! Keeping what was found, all or nothing.

use rusqlite::{Connection, params};
use secrecy::ExposeSecret;

use super::{Count, Dated, Found, Handle, NewCredential, NewTotp, Sqlite, Taken};
use crate::store::error::Fault;
use crate::store::sqlite::{preferences, seconds, totp, webauthn};
use crate::store::{MAX_DEVICES, MAX_NAME, Random, StorageKey, StoreError};

impl Sqlite {
    /// Keeps what was found in Authelia's file, but for what was taken before. What users have
    /// chosen here stays.
    ///
    /// # Errors
    /// When the store cannot be written; then nothing was taken.
    pub fn import(
        &self,
        found: &Found,
        now: u64,
        random: &mut Random<'_>,
    ) -> Result<Taken, StoreError> {
        self.write(|connection| {
            let mut take = Take {
                connection,
                key: self.key(),
                now,
                random,
                taken: Taken::default(),
            };
            for handle in &found.handles {
                take.handle(handle)?;
            }
            for device in &found.totp {
                take.totp(device)?;
            }
            for credential in &found.webauthn {
                take.credential(credential)?;
            }
            for (user, method) in &found.preferences {
                let mark: [&[u8]; 2] = [b"preference", user.as_bytes()];
                let kept = take.once(&mark, |take| {
                    if preferences::find(take.connection, user)?.is_some() {
                        return Ok(Kept::Known);
                    }
                    preferences::set(take.connection, user, *method)?;
                    Ok(Kept::Now)
                })?;
                take.taken.preferences.add(kept);
            }
            Ok(take.taken)
        })
    }
}

/// What became of one thing that was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Now,
    Known,
    LeftOut,
}

struct Take<'a, 'r> {
    connection: &'a Connection,
    key: &'a StorageKey,
    now: u64,
    random: &'a mut Random<'r>,
    taken: Taken,
}

impl Take<'_, '_> {
    /// Does `work` unless an earlier import did. What was left out may be taken another time.
    fn once(
        &mut self,
        mark: &[&[u8]],
        work: impl FnOnce(&mut Self) -> Result<Kept, Fault>,
    ) -> Result<Kept, Fault> {
        let mark = self.key.mark(mark);
        if preferences::is_marked(self.connection, &mark)? {
            return Ok(Kept::Known);
        }
        let kept = work(self)?;
        if kept != Kept::LeftOut {
            preferences::mark(self.connection, &mark, self.now)?;
        }
        Ok(kept)
    }

    fn totp(&mut self, found: &Dated<NewTotp>) -> Result<(), Fault> {
        let what = &found.what;
        let mark: [&[u8]; 3] = [b"totp", what.user.as_bytes(), what.secret.expose_secret()];
        let kept = self.once(&mark, |take| {
            let (key, created) = (take.key, found.created.unwrap_or(take.now));
            let id = named(&what.name, |name| {
                let device = NewTotp {
                    name,
                    ..what.clone()
                };
                totp::add(take.connection, key, &device, created, take.random)
            });
            let Some(id) = take.or_left_out("TOTP device", &what.user, id)? else {
                return Ok(Kept::LeftOut);
            };
            if let Some(used) = found.last_used {
                totp::note(take.connection, &what.user, id, used)?;
            }
            Ok(Kept::Now)
        })?;
        self.taken.totp.add(kept);
        Ok(())
    }

    fn credential(&mut self, found: &Dated<NewCredential>) -> Result<(), Fault> {
        let what = &found.what;
        let mark: [&[u8]; 3] = [b"webauthn", what.rp_id.as_bytes(), &what.credential_id];
        let kept = self.once(&mark, |take| {
            let (key, created) = (take.key, found.created.unwrap_or(take.now));
            let id = named(&what.name, |name| {
                let credential = NewCredential {
                    name,
                    ..what.clone()
                };
                webauthn::add(take.connection, key, &credential, created, take.random)
            });
            let id = match id {
                Err(Fault::Store(StoreError::CredentialTaken)) => return Ok(Kept::Known),
                id => take.or_left_out("security key", &what.user, id)?,
            };
            let Some(id) = id else {
                return Ok(Kept::LeftOut);
            };
            let update = "UPDATE webauthn_credentials SET last_used = ?2 WHERE id = ?1";
            let used = found.last_used.map(seconds);
            take.connection.execute(update, params![id, used])?;
            Ok(Kept::Now)
        })?;
        self.taken.webauthn.add(kept);
        Ok(())
    }

    /// The handle by which imported passkeys know their user. One that is in use here stays.
    fn handle(&mut self, found: &Handle) -> Result<(), Fault> {
        let Handle {
            rp_id,
            user,
            handle,
        } = found;
        let delete = "DELETE FROM webauthn_users WHERE rp_id = ?1 AND user = ?2 AND NOT EXISTS \
            (SELECT 1 FROM webauthn_credentials WHERE rp_id = ?1 AND user = ?2)";
        self.connection.execute(delete, [rp_id, user])?;
        webauthn::keep_handle(self.connection, rp_id, user, handle)?;
        if webauthn::handle(self.connection, rp_id, user)?.as_ref() != Some(handle) {
            self.taken.left_out.push(format!(
                "{user} has registered security keys for {rp_id} here already: passkeys of Authelia can be \
                his second factor, but not sign him in without his name"
            ));
        }
        Ok(())
    }

    /// A device too many is no reason to take none.
    fn or_left_out(
        &mut self,
        what: &str,
        user: &str,
        result: Result<i64, Fault>,
    ) -> Result<Option<i64>, Fault> {
        match result {
            Ok(id) => Ok(Some(id)),
            Err(Fault::Store(error @ (StoreError::TooMany | StoreError::NameTaken))) => {
                self.taken
                    .left_out
                    .push(format!("a {what} of {user} is left out: {error}"));
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }
}

/// Tries the name, then with numbers behind it, until it is free.
fn named(name: &str, mut keep: impl FnMut(String) -> Result<i64, Fault>) -> Result<i64, Fault> {
    let mut result = keep(name.into());
    for number in 2..=MAX_DEVICES + 1 {
        if !matches!(result, Err(Fault::Store(StoreError::NameTaken))) {
            break;
        }
        let ending = format!(" {number}");
        let short: String = name.chars().take(MAX_NAME - ending.len()).collect();
        result = keep(short + &ending);
    }
    result
}

impl Count {
    fn add(&mut self, kept: Kept) {
        match kept {
            Kept::Now => self.taken += 1,
            Kept::Known => self.known += 1,
            Kept::LeftOut => {}
        }
    }
}
