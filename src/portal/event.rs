//! What an administrator wants to know of what visitors did.

use std::net::IpAddr;

use super::account::Change;
use super::errand::Outage;

/// Something that an administrator wants to find in the log, or counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody has signed in; with what.
    SignIn(String, Method),
    /// A user has proven another factor; which.
    Prove(String, Method),
    /// Somebody did not show who he is.
    Fail(Failure),
    /// What came with a question to an authorization endpoint was right, and no session began. It is
    /// counted and not logged, as programs send it each time.
    Pass(Method),
    /// An attempt came while too many others waited. It is counted and not logged, as there is no end
    /// to them.
    TurnAway(Method),
    /// A session was ended by its user.
    SignOut(String),
    /// A user has ended all sessions, this one among them; so many.
    SignOutEverywhere(String, usize),
    /// A user has leave to change factors and password.
    Leave(String),
    /// A user gave back a code that was not mailed, or may not try.
    NoLeave(String),
    /// A user who wanted to change the password did not know the old one, or may not try.
    WrongPassword(String),
    /// A user has changed something; why nobody was told, if nobody was.
    Change(String, Change, Option<String>),
    /// A user wanted to add a key that does not prove to be one; why not.
    NoKey(String, String),
    /// Somebody asked for a link to set a new password; as it was typed.
    AskReset(String),
    /// A user has ended so many sessions.
    EndSessions(String, usize),
    /// The store or something else outside does not work: a sentence for the administrator.
    Outage(String),
    /// A proxy asked an authorization endpoint what cannot be answered.
    Misask(Misask),
}

/// An attempt that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it was for.
    pub aim: Aim,
    /// With what it was made.
    pub method: Method,
    /// As which user: as it was typed, or the name of one who is known; `None` when nobody can tell.
    pub user: Option<String>,
    /// Why it came to nothing.
    pub why: Why,
    /// The address that it is held against, where that is not the client's: a proxy has told it.
    pub address: Option<IpAddr>,
}

/// A question that cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misask {
    /// The endpoint's path.
    pub endpoint: String,
    /// The header at fault, and what to send.
    pub sentence: String,
    /// Whether it is the setup that is at fault and not what a visitor sends.
    pub setup: bool,
}

/// What an attempt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// To sign in.
    SignIn,
    /// To add a factor to a session.
    StepUp,
}

/// With what somebody shows who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A password.
    Password,
    /// A name and a password in a header.
    Basic,
    /// An app password in a header, with or without a name.
    AppPassword,
    /// A passkey, without name or password.
    Passkey,
    /// A one-time code.
    Totp,
    /// A security key, beside the password.
    Webauthn,
    /// A code by mail.
    Mail,
}

/// Why an attempt came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A password was wrong, or nobody has that name.
    Wrong,
    /// Too many failures before.
    Banned,
    /// It was right, but no session could be kept.
    Lost,
    /// A sentence for the administrator.
    Says(String),
}

impl Event {
    /// That something outside does not work; without an outage there was no thread to find out.
    pub fn outage(outage: Option<Outage>) -> Event {
        Event::Outage(outage.map_or_else(
            || "too much work is waiting; give nginx's thread pool more threads".to_owned(),
            |outage| outage.0,
        ))
    }
}

impl Method {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Method::Password => "password",
            Method::Basic => "basic",
            Method::AppPassword => "app_password",
            Method::Passkey => "passkey",
            Method::Totp => "totp",
            Method::Webauthn => "webauthn",
            Method::Mail => "mail",
        }
    }
}
