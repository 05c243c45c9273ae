//! Names and passwords in a header. The endpoints read them for other proxies, the gate reads them for
//! itself; both ask here what one is worth.

use std::net::IpAddr;

use crate::users::regulation::FLOOR_BASIC;

use super::Portal;
use super::answer::Answer;
use super::doors::{self, CredentialHeader, Schemes, credential};
use super::event::{Event, Method};
use super::login::{Credentials, Door, Login, Verify};
use super::onward::Wish;
use super::remembered::{Note, Pass, Remembered};
use super::world::{Busy, World};

pub use super::doors::credential::{Given, NameAndPassword};
pub use super::login::Known;

/// How a credential is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A name and a password, which may be an app password.
    Basic,
    /// An app password.
    Bearer,
}

impl Scheme {
    const ALL: [Scheme; 2] = [Scheme::Basic, Scheme::Bearer];

    const fn word(self) -> &'static str {
        match self {
            Scheme::Basic => "basic",
            Scheme::Bearer => "bearer",
        }
    }
}

impl Schemes {
    /// Whether `scheme` is read.
    pub fn list(self, scheme: Scheme) -> bool {
        match scheme {
            Scheme::Basic => self.basic,
            Scheme::Bearer => self.bearer,
        }
    }

    /// The one that is asked for.
    pub fn first(self) -> Option<Scheme> {
        Scheme::ALL.into_iter().find(|scheme| self.list(*scheme))
    }
}

/// What stands in a header of a guarded request and is meant for the gate.
pub struct InHeader {
    /// The scheme.
    pub scheme: Scheme,
    /// `None`: more than one credential, or none that can be right.
    pub given: Option<Given>,
}

/// Who wants what.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The cookie domain of what is asked for.
    pub domain: &'a str,
    /// The visitor's address.
    pub address: IpAddr,
    /// Unix seconds.
    pub now: u64,
    /// Seconds for which a password that is right is remembered; 0: it is not.
    pub lasts: u64,
}

/// What became of a password that was checked.
pub struct Settled {
    /// Whose it is.
    pub user: Option<Known>,
    /// For the log.
    pub event: Event,
    /// Milliseconds after the request arrived before which it is not answered.
    pub hold: u64,
}

/// Reads all values of a header. `None`: there is no credential, or only such as are written in other
/// schemes, which are for the application. Without `app_passwords` there are none of those.
pub fn read<'h>(
    values: impl Iterator<Item = &'h [u8]>,
    schemes: Schemes,
    app_passwords: bool,
) -> Option<InHeader> {
    let (mut count, mut listed) = (0, None);
    for value in values {
        count += 1;
        listed = listed.or_else(|| Some((value, scheme(value, schemes)?)));
    }
    let (value, scheme) = listed?;
    let alone = count == 1;
    let given = alone.then(|| credential::read(value, schemes, app_passwords));
    Some(InHeader {
        scheme,
        given: given.flatten(),
    })
}

/// The scheme, if it is one of these. It ends where no letter of a scheme's name stands, and not at a
/// space only: a backend may take other things for one.
fn scheme(value: &[u8], schemes: Schemes) -> Option<Scheme> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let end = value.iter().position(|byte| !part(byte));
    let word = &value[..end.unwrap_or(value.len())];
    let mut all = Scheme::ALL.into_iter();
    let scheme = all.find(|scheme| word.eq_ignore_ascii_case(scheme.word().as_bytes()))?;
    schemes.list(scheme).then_some(scheme)
}

impl Portal {
    /// Whether there are app passwords.
    pub fn has_app_passwords(&self) -> bool {
        self.settings.account.app_passwords.is_some()
    }
}

/// Whose name and password these were a moment ago, if they are still.
pub fn recall(pair: &NameAndPassword, by: &Asker<'_>, world: &mut dyn World) -> Option<Known> {
    Remembered::recall(&pass(pair, by), (by.address, by.now), world)
}

/// What tells these and who sends them from any other, in this process: those who send the same at the
/// same moment need not be checked one by one.
pub fn name_of(pair: &NameAndPassword, by: &Asker<'_>, world: &mut dyn World) -> [u8; 32] {
    Remembered::name_of(&pass(pair, by), by.address, world)
}

/// Takes a name and a password on, to be checked and then settled by [`settle`]. The attempt is reserved
/// before that.
///
/// # Errors
/// Nobody can check another password now.
pub fn begin(pair: NameAndPassword, by: &Asker<'_>, world: &mut dyn World) -> Result<Verify, Busy> {
    world.admit()?;
    let note = Note::of(&pass(&pair, by), world);
    let name = name_of(&pair, by, world);
    let mut verify = Verify::reserve(Door::Api, attempt(pair), (by.address, by.now), world);
    verify.login.note = note;
    verify.name = Some(name);
    Ok(verify)
}

fn pass<'a>(pair: &'a NameAndPassword, by: &Asker<'a>) -> Pass<'a> {
    Pass {
        domain: by.domain,
        name: &pair.name,
        password: &pair.password,
        lasts: by.lasts,
    }
}

/// Ends an attempt. `matched` is what the check said, `elapsed` how many milliseconds have passed since
/// the request arrived.
pub fn settle(
    mut login: Login,
    matched: bool,
    elapsed: u64,
    now: u64,
    world: &mut dyn World,
) -> Settled {
    let banned = login.is_banned();
    let user = login.settle(matched, world);
    let Some(user) = user else {
        return Settled {
            user: None,
            hold: world.hold(FLOOR_BASIC),
            event: doors::failure(&login, banned),
        };
    };
    world.record_success(elapsed);
    if let Some(note) = login.note.take() {
        note.keep(&user, now, world);
    }
    Settled {
        user: Some(user),
        event: Event::Pass(Method::Basic),
        hold: 0,
    }
}

/// The attempt that a name and a password in a header are.
fn attempt(pair: NameAndPassword) -> Credentials {
    Credentials {
        username: pair.name,
        password: pair.password,
        remember: false,
        wish: Wish::default(),
        session: None,
    }
}

/// The answer that asks for a credential in `header`; `was_wrong`: for another one.
pub fn challenge(header: CredentialHeader, scheme: Scheme, was_wrong: bool) -> Answer {
    let (status, name) = match header {
        CredentialHeader::ProxyAuthorization => (407, "Proxy-Authenticate"),
        _ => (401, "WWW-Authenticate"),
    };
    let value = match (scheme, was_wrong) {
        (Scheme::Basic, _) => "Basic realm=\"Authorization Required\"",
        (Scheme::Bearer, false) => "Bearer realm=\"Authorization Required\"",
        (Scheme::Bearer, true) => {
            "Bearer realm=\"Authorization Required\", error=\"invalid_token\""
        }
    };
    Answer::text(status).with(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(values: &[&str]) -> &'static str {
        let values = values.iter().map(|value| value.as_bytes());
        match read(values, Schemes::BASIC, true) {
            None => "nothing",
            Some(InHeader { given: None, .. }) => "bad",
            Some(InHeader { given: Some(_), .. }) => "given",
        }
    }

    #[test]
    fn a39_only_what_is_listed_is_read() {
        for application in ["Bearer x", "Digest x", "Basicx YTpi", "x", "Negotiate"] {
            assert_eq!(word(&[application]), "nothing", "{application}");
            assert_eq!(word(&[application, application]), "nothing");
        }
        assert_eq!((word(&[]), word(&[""])), ("nothing", "nothing"));
    }

    #[test]
    fn a65_what_is_listed_and_broken_is_bad() {
        assert_eq!(word(&["bAsIc YTpi"]), "given");
        for bad in [
            "Basic",
            "Basic ",
            "Basic\tYTpi",
            "Basic,YTpi",
            "Basic !",
            "Basic YQ==",
        ] {
            assert_eq!(word(&[bad]), "bad", "{bad}");
        }
        assert_eq!(word(&["Basic YTpi", "Basic YTpi"]), "bad");
        assert_eq!(word(&["Bearer x", "Basic YTpi"]), "bad");
        assert_eq!(word(&["", "Basic YTpi"]), "bad");
    }
}
