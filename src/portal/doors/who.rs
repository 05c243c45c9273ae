//! Who asks: the strategies of the endpoint in their order. The first that finds somebody counts;
//! a credential that is wrong ends the search, and nobody is found.

use crate::access::Level;
use crate::portal::request::{Doorway, Request};
use crate::portal::visitor::Visitor;
use crate::portal::world::World;

use super::credential::{self, Given};
use super::{CredentialHeader, Endpoint, Question, Schemes, Strategy, asked};

/// What came of a credential that was checked.
pub(super) enum Verified {
    /// It is this user's.
    Right(String),
    /// It is nobody's, or somebody's who is banned.
    Wrong,
}

/// Who asks.
pub(super) enum Who {
    /// A credential has to be checked first, which stood in that header.
    Check(Given, CredentialHeader),
    /// This is known.
    Found(Found),
}

/// What is known of who asks.
pub(super) struct Found {
    /// Canonical name.
    pub(super) user: Option<String>,
    /// What was proven.
    pub(super) level: Level,
    /// Whether a credential was no good.
    pub(super) wrong: bool,
    /// The strategy that was asked last: how more is asked for.
    pub(super) last: Strategy,
}

impl Endpoint {
    /// Asks the strategies. `verified` is what came of the credential that was found before.
    pub(super) fn who(
        &self,
        request: &Request<'_>,
        question: &Question<'_, '_>,
        verified: Option<Verified>,
        world: &mut dyn World,
    ) -> Who {
        let mut found = Found {
            user: None,
            level: Level::None,
            wrong: false,
            last: Strategy::CookieSession,
        };
        for strategy in &self.strategies {
            found.last = *strategy;
            match *strategy {
                Strategy::CookieSession => {
                    if let Some((user, level)) = by_cookie(request, question, world) {
                        (found.user, found.level) = (Some(user), level);
                        break;
                    }
                }
                Strategy::Header(header, schemes) => {
                    let credential = credential(request, header, (schemes, question.app_passwords));
                    match (credential, verified.as_ref()) {
                        (Credential::None, _) => continue,
                        (Credential::Good(given), None) => return Who::Check(given, header),
                        (Credential::Good(_), Some(Verified::Right(user))) => {
                            (found.user, found.level) = (Some(user.clone()), Level::OneFactor);
                        }
                        (Credential::Good(_), Some(Verified::Wrong)) | (Credential::Bad, _) => {
                            found.wrong = true;
                        }
                    }
                    break;
                }
            }
        }
        Who::Found(found)
    }
}

impl Endpoint {
    /// Whether the cookie may say who asks: no strategy before it has found anything.
    pub(super) fn looks_at_cookies(&self, request: &Request<'_>) -> bool {
        for strategy in &self.strategies {
            match *strategy {
                Strategy::CookieSession => return true,
                Strategy::Header(header, schemes) => {
                    let credential = credential(request, header, (schemes, false));
                    if !matches!(credential, Credential::None) {
                        return false;
                    }
                }
            }
        }
        false
    }
}

/// A credential in a header, before it is checked.
enum Credential {
    None,
    Good(Given),
    Bad,
}

fn credential(
    request: &Request<'_>,
    header: CredentialHeader,
    (schemes, app_passwords): (Schemes, bool),
) -> Credential {
    let Some(doorway) = &request.doorway else {
        return Credential::Bad;
    };
    let wants_basic = match header {
        CredentialHeader::Legacy => match asked::asked_for(request, "auth") {
            Ok(value) => value.as_deref() == Some("basic"),
            Err(_) => return Credential::Bad,
        },
        _ => false,
    };
    let name = match header {
        CredentialHeader::Authorization => "Authorization",
        CredentialHeader::Legacy if wants_basic => "Authorization",
        _ => "Proxy-Authorization",
    };
    let mut values = doorway.values(name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Credential::Bad,
        (None | Some(b""), None) if wants_basic => Credential::Bad,
        (None | Some(b""), None) => Credential::None,
        (Some(value), None) => {
            let given = credential::read(value, schemes, app_passwords);
            given.map_or(Credential::Bad, Credential::Good)
        }
    }
}

/// The session of the cookie domain that is asked about. One whose user is not the one whom the
/// application names is ended.
fn by_cookie(
    request: &Request<'_>,
    question: &Question<'_, '_>,
    world: &mut dyn World,
) -> Option<(String, Level)> {
    let visitor = Visitor::find(request, question.domain, world)?;
    if contradicted(request.doorway.as_ref()?, &visitor.name) {
        world.end(&visitor.key);
        return None;
    }
    visitor.use_session(request, question.domain, world);
    let level = match visitor.level {
        0 => return None,
        1 => Level::OneFactor,
        _ => Level::TwoFactor,
    };
    Some((visitor.name, level))
}

/// Whether `Session-Username` names somebody else.
fn contradicted(doorway: &Doorway<'_>, user: &str) -> bool {
    doorway.values("Session-Username").any(|claimed| {
        let claimed = std::str::from_utf8(claimed).map(str::to_lowercase);
        claimed.as_deref() != Ok(&user.to_lowercase())
    })
}
