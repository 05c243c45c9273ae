//! What the portal needs of the world around it. The glue has the real one, tests have one in memory.

use std::net::IpAddr;
use std::rc::Rc;

use crate::access::Rules;
use crate::portal::remembered::Remembered;
use crate::session::{Key, Keys, Realm, Record};
use crate::users::Directory;
use crate::users::regulation::{Banned, Reservation};

/// Everything outside the portal that a request may read or change.
pub trait World {
    /// The keys of cookies and form tokens.
    fn keys(&self) -> &Keys;

    /// The keys that outlive the process, where there are such.
    fn lasting_keys(&self) -> &Keys {
        self.keys()
    }

    /// The access rules.
    fn rules(&self) -> &Rules;

    /// Who people are, as of now.
    fn directory(&self) -> &Directory;

    /// 32 bytes of a cryptographic random source.
    fn random(&mut self) -> [u8; 32];

    /// The session kept under `key`, as it was kept; the portal checks whether it still lasts.
    fn session(&mut self, key: &Key) -> Option<Record>;

    /// Keeps a session until `ends` (Unix seconds). `false`: it could not be kept. One that comes in
    /// the place of another, `replaces`, is over if that has ended by the time it is kept.
    ///
    /// Where sessions outlive the process this and [`World::end`] are done after the step, both or
    /// neither; what the step gives is only used if they could be done.
    fn start(
        &mut self,
        key: &Key,
        record: &Record,
        replaces: Option<&Key>,
        ends: u64,
        now: u64,
    ) -> bool;

    /// Notes that the session `before` of `realm` was used and is `after` since.
    fn touch(&mut self, key: &Key, realm: &Realm, before: &Record, after: &Record);

    /// Ends a session, for every worker at once.
    fn end(&mut self, key: &Key);

    /// Takes on one password check, or says that too many are waiting. Asked before anything is
    /// counted against anybody.
    fn admit(&mut self) -> Result<(), Busy>;

    /// Reserves one attempt to sign in, before its password is checked: for the address, and for
    /// `user` (canonical name) if there is such a person.
    fn reserve(
        &mut self,
        user: Option<&str>,
        address: IpAddr,
        now: u64,
    ) -> Result<Reservation, Banned>;

    /// Whether the address, or `user` (canonical name) if one is named, is banned from signing in.
    fn is_banned(&mut self, user: Option<&str>, address: IpAddr, now: u64) -> bool;

    /// Reserves one attempt at a second factor of `user`, before anything of it is checked. Counted
    /// apart from passwords, over all sessions and logins, and bounded even where regulation is off.
    fn reserve_factor(
        &mut self,
        user: &str,
        address: IpAddr,
        now: u64,
    ) -> Result<Reservation, Banned>;

    /// Counts one request of a kind that is limited for each address, or says after how many seconds
    /// another makes sense.
    fn limit(&mut self, what: Limited, address: IpAddr, now: u64) -> Result<(), Busy>;

    /// Says how a reserved attempt ended.
    fn settle(&mut self, reservation: &Reservation, success: bool);

    /// Takes a reserved attempt back, because something outside did not work: nobody is banned for
    /// that.
    fn withdraw(&mut self, reservation: &Reservation);

    /// How often all sessions of a user were ended at once, or those of somebody whom nobody can tell
    /// from him.
    fn generation(&self, user: &str) -> u32;

    /// The passwords in headers that were right a moment ago.
    fn remembered(&self) -> Rc<Remembered>;

    /// Milliseconds after its arrival before which a failed attempt is not answered; no fewer than
    /// `floor`.
    fn hold(&mut self, floor: u64) -> u64;

    /// Remembers that a successful attempt took `millis`, so that failures take as long.
    fn record_success(&mut self, millis: u64);
}

/// What `server.endpoints.rate_limits` limits for each address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    /// `second_factor_totp`: a code, or an assertion of a key.
    SecondFactor,
    /// `session_elevation_start`: a one-time code by mail.
    ElevationStart,
    /// `session_elevation_finish`: giving it back.
    ElevationFinish,
    /// `reset_password_start`: a link by mail.
    ResetStart,
    /// `reset_password_finish`: opening it, and the new password.
    ResetFinish,
}

/// Too many password checks are waiting, or too many requests came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Seconds after which another try makes sense.
    pub retry_after: u64,
}
