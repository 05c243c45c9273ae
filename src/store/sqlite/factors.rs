//! The calls of [`Factors`], each one transaction.

use super::devices::Devices;
use super::{Outcome, Sqlite, challenges, codes, preferences, totp, webauthn};
use crate::store::{
    Assertion, Credential, Enrolled, Factors, NewCode, NewCredential, NewTotp, Purpose, Random,
    SecondFactor, TotpDevice,
};

impl Sqlite {
    /// The TOTP devices of all users, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn all_totp_devices(&self) -> Outcome<Vec<TotpDevice>> {
        self.read(|tx| totp::list(tx, self.key(), None))
    }

    /// The WebAuthn credentials of all users, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn all_credentials(&self) -> Outcome<Vec<Credential>> {
        self.read(|tx| webauthn::list(tx, self.key(), None))
    }
}

impl Factors for Sqlite {
    fn enrolled(&self, user: &str) -> Outcome<Enrolled> {
        self.read(|tx| {
            let query = "SELECT EXISTS (SELECT 1 FROM totp_devices WHERE user = ?1), \
                EXISTS (SELECT 1 FROM webauthn_credentials WHERE user = ?1)";
            Ok(tx.query_one(query, [user], |row| {
                Ok(Enrolled {
                    totp: row.get(0)?,
                    webauthn: row.get(1)?,
                })
            })?)
        })
    }

    fn totp_devices(&self, user: &str) -> Outcome<Vec<TotpDevice>> {
        self.read(|tx| totp::list(tx, &self.key, Some(user)))
    }

    fn add_totp(&self, new: &NewTotp, now: u64, random: &mut Random<'_>) -> Outcome<i64> {
        self.write(|tx| totp::add(tx, &self.key, new, now, random))
    }

    fn rename_totp(&self, user: &str, id: i64, name: &str) -> Outcome<bool> {
        self.write(|tx| Devices::Totp.rename(tx, user, id, name))
    }

    fn remove_totp(&self, user: &str, id: i64) -> Outcome<bool> {
        self.write(|tx| Devices::Totp.remove(tx, user, id))
    }

    fn spend_step(&self, user: &str, id: i64, step: u64, until: u64, now: u64) -> Outcome<bool> {
        self.write(|tx| totp::spend(tx, user, id, step, until, now))
    }

    fn note_totp(&self, user: &str, id: i64, now: u64) -> Outcome<bool> {
        self.write(|tx| totp::note(tx, user, id, now))
    }

    fn user_handle(&self, rp_id: &str, user: &str, fresh: &[u8; 64]) -> Outcome<Vec<u8>> {
        if let Some(handle) = self.read(|tx| webauthn::handle(tx, rp_id, user))? {
            return Ok(handle);
        }
        self.write(|tx| {
            webauthn::keep_handle(tx, rp_id, user, fresh)?;
            // Another process may have been faster; with random handles nothing else is in the way.
            Ok(webauthn::handle(tx, rp_id, user)?.unwrap_or_else(|| fresh.to_vec()))
        })
    }

    fn user_of_handle(&self, rp_id: &str, handle: &[u8]) -> Outcome<Option<String>> {
        self.read(|tx| webauthn::user_of(tx, rp_id, handle))
    }

    fn credentials(&self, user: &str) -> Outcome<Vec<Credential>> {
        self.read(|tx| webauthn::list(tx, &self.key, Some(user)))
    }

    fn credential(&self, rp_id: &str, credential_id: &[u8]) -> Outcome<Option<Credential>> {
        self.read(|tx| webauthn::find(tx, &self.key, rp_id, credential_id))
    }

    fn add_credential(
        &self,
        new: &NewCredential,
        now: u64,
        random: &mut Random<'_>,
    ) -> Outcome<i64> {
        self.write(|tx| webauthn::add(tx, &self.key, new, now, random))
    }

    fn rename_credential(&self, user: &str, id: i64, name: &str) -> Outcome<bool> {
        self.write(|tx| Devices::Webauthn.rename(tx, user, id, name))
    }

    fn remove_credential(&self, user: &str, id: i64) -> Outcome<bool> {
        self.write(|tx| Devices::Webauthn.remove(tx, user, id))
    }

    fn note_assertion(&self, assertion: &Assertion, now: u64) -> Outcome<bool> {
        self.write(|tx| webauthn::note(tx, assertion, now))
    }

    fn spend_challenge(&self, challenge: &[u8], until: u64, now: u64) -> Outcome<bool> {
        self.write(|tx| challenges::spend(tx, challenge, until, now))
    }

    fn preferred(&self, user: &str) -> Outcome<Option<SecondFactor>> {
        self.read(|tx| preferences::find(tx, user))
    }

    fn prefer(&self, user: &str, method: SecondFactor) -> Outcome<()> {
        self.write(|tx| preferences::set(tx, user, method))
    }

    fn issue_code(&self, code: &NewCode<'_>, now: u64) -> Outcome<bool> {
        self.write(|tx| codes::issue(tx, &self.key, code, now))
    }

    fn code_owner(&self, purpose: Purpose, code: &[u8], now: u64) -> Outcome<Option<String>> {
        self.read(|tx| codes::owner(tx, &self.key, purpose, code, now))
    }

    fn redeem_code(
        &self,
        purpose: Purpose,
        user: Option<&str>,
        code: &[u8],
        now: u64,
    ) -> Outcome<Option<String>> {
        self.write(|tx| {
            let owner = match user {
                Some(user) => Some(user.to_owned()),
                None => codes::owner(tx, &self.key, purpose, code, now)?,
            };
            let Some(owner) = owner else { return Ok(None) };
            let redeemed = codes::redeem(tx, &self.key, purpose, &owner, code, now)?;
            Ok(redeemed.then_some(owner))
        })
    }

    fn revoke_code(&self, id: &[u8; 16], now: u64) -> Outcome<bool> {
        self.write(|tx| codes::revoke(tx, id, now))
    }

    fn revoke_codes(&self, user: &str, purpose: Purpose, now: u64) -> Outcome<usize> {
        self.write(|tx| codes::revoke_all(tx, user, purpose, now))
    }
}
