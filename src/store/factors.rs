//! What the gate asks of a store, so that another engine can follow.

use super::{
    Assertion, Credential, Enrolled, NewCode, NewCredential, NewTotp, Purpose, SecondFactor,
    StoreError, TotpDevice,
};

/// Fills a slice with bytes of a cryptographic random source. Where it cannot, it panics: what was
/// begun is then undone, and nothing is ever sealed without.
pub type Random<'r> = dyn FnMut(&mut [u8]) + 'r;

/// Second factors, preferred methods and one-time codes of all users, shared by every process of
/// this machine. All calls block. Users are canonical names; `now` is Unix seconds.
///
/// What changes only one user's device takes the user's name beside its number, and answers
/// `false` where that user has no such device.
///
/// # Errors
/// Every call fails when the store cannot be reached, and whoever asked must then refuse. Other
/// errors are named at the call.
pub trait Factors: Send + Sync {
    /// What a user has enrolled.
    fn enrolled(&self, user: &str) -> Result<Enrolled, StoreError>;

    /// A user's TOTP devices, oldest first.
    fn totp_devices(&self, user: &str) -> Result<Vec<TotpDevice>, StoreError>;
    /// Keeps a TOTP device and gives its number. Also fails when the name is bad or taken, or the
    /// user has too many.
    fn add_totp(&self, new: &NewTotp, now: u64, random: &mut Random<'_>)
    -> Result<i64, StoreError>;
    /// Gives a TOTP device another name. Also fails when the name is bad or taken.
    fn rename_totp(&self, user: &str, id: i64, name: &str) -> Result<bool, StoreError>;
    /// Removes a TOTP device.
    fn remove_totp(&self, user: &str, id: i64) -> Result<bool, StoreError>;
    /// Uses up the code of one time step: `true` for exactly one caller, whoever asks at the same
    /// time. `until` is when codes of that step have ended, whatever the skew.
    fn spend_step(
        &self,
        user: &str,
        id: i64,
        step: u64,
        until: u64,
        now: u64,
    ) -> Result<bool, StoreError>;
    /// Remembers that a code of the device has signed in, where codes may be used again.
    fn note_totp(&self, user: &str, id: i64, now: u64) -> Result<bool, StoreError>;

    /// The handle by which authenticators of one relying party know a user: the one that is kept,
    /// else `fresh`, which must be random.
    fn user_handle(&self, rp_id: &str, user: &str, fresh: &[u8; 64])
    -> Result<Vec<u8>, StoreError>;
    /// The user of a handle.
    fn user_of_handle(&self, rp_id: &str, handle: &[u8]) -> Result<Option<String>, StoreError>;
    /// A user's WebAuthn credentials of every relying party, oldest first.
    fn credentials(&self, user: &str) -> Result<Vec<Credential>, StoreError>;
    /// The credential of an id, whoever owns it.
    fn credential(
        &self,
        rp_id: &str,
        credential_id: &[u8],
    ) -> Result<Option<Credential>, StoreError>;
    /// Keeps a credential and gives its number. Also fails when the name is bad or taken, the user
    /// has too many, or the credential is somebody's.
    fn add_credential(
        &self,
        new: &NewCredential,
        now: u64,
        random: &mut Random<'_>,
    ) -> Result<i64, StoreError>;
    /// Gives a credential another name. Also fails when the name is bad or taken.
    fn rename_credential(&self, user: &str, id: i64, name: &str) -> Result<bool, StoreError>;
    /// Removes a credential.
    fn remove_credential(&self, user: &str, id: i64) -> Result<bool, StoreError>;
    /// Remembers a use. `false` when the credential is gone or another use has moved its counter
    /// since it was found: then the signature must not count.
    fn note_assertion(&self, assertion: &Assertion, now: u64) -> Result<bool, StoreError>;

    /// Uses up a challenge whose answer was right: `true` for exactly one caller, whoever asks at
    /// the same time. `until` is when no answer to it can be right any more.
    fn spend_challenge(&self, challenge: &[u8], until: u64, now: u64) -> Result<bool, StoreError>;

    /// The second factor that a user prefers.
    fn preferred(&self, user: &str) -> Result<Option<SecondFactor>, StoreError>;
    /// Remembers the second factor that a user prefers.
    fn prefer(&self, user: &str, method: SecondFactor) -> Result<(), StoreError>;

    /// Keeps a one-time code, and forgets those that have long ended. `false`: the user has
    /// [`super::MAX_CODES`] of the kind that are good, and it is not kept.
    fn issue_code(&self, code: &NewCode<'_>, now: u64) -> Result<bool, StoreError>;
    /// Whose code this is, if it is still good. It stays so.
    fn code_owner(
        &self,
        purpose: Purpose,
        code: &[u8],
        now: u64,
    ) -> Result<Option<String>, StoreError>;
    /// Uses up a code, of `user` where one is named, and gives its user: to exactly one caller.
    /// Short codes must be asked for with their user.
    fn redeem_code(
        &self,
        purpose: Purpose,
        user: Option<&str>,
        code: &[u8],
        now: u64,
    ) -> Result<Option<String>, StoreError>;
    /// Ends a code by its random name; `false` where there is none that is good.
    fn revoke_code(&self, id: &[u8; 16], now: u64) -> Result<bool, StoreError>;
    /// Ends all codes of a user for one purpose, and says how many were good.
    fn revoke_codes(&self, user: &str, purpose: Purpose, now: u64) -> Result<usize, StoreError>;
}
