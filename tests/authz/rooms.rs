//! What the rooms answer to a recorded request, put together by hand, and which rule of ours makes
//! an answer differ.

use super::doors::{self, Asked, Credential};
use super::recorded::{Answer, Line};
use ngx_http_auth_gate_module::access::{
    Ask, Challenge, Decision, Guard, Level, Object, Requirement, Subject, Verdict, decide,
    original_url, portal_url,
};
use ngx_http_auth_gate_module::config::Config;

/// The rules of ours that make an answer differ from Authelia's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ours {
    /// A control character in a path, once decoded, is a bad target.
    ControlCharacter,
    /// A path that can be read in several ways is judged by its strictest reading.
    AmbiguousPath,
    /// Rules see the host in lower case and without a final dot.
    HostForm,
    /// The query of a request to ext-authz counts, and the way back keeps it.
    Query,
    /// The portal that a request names must be https.
    HttpPortal,
}

/// Which of them hold.
#[derive(Clone, Copy)]
pub struct Terms {
    strictest: bool,
    query: bool,
    https: bool,
}

impl Terms {
    /// All.
    pub const OURS: Terms = Terms {
        strictest: true,
        query: true,
        https: true,
    };
}

/// The rule that makes our answer differ from the recorded one.
pub fn explain(config: &Config, line: &Line) -> Option<Ours> {
    let alone = |terms| answer(config, line, terms) == line.answer;
    let portal = line.portal.as_deref().unwrap_or_default();
    let https = portal.starts_with("http://");
    let query = line.door == "ext-authz" && line.target.contains('?');
    if https
        && alone(Terms {
            https: false,
            ..Terms::OURS
        })
    {
        return Some(Ours::HttpPortal);
    }
    if query
        && alone(Terms {
            query: false,
            ..Terms::OURS
        })
    {
        return Some(Ours::Query);
    }
    let asked = doors::asked(line, true)?;
    let Ok(object) = asked.object() else {
        return doors::has_control_character(&asked.target).then_some(Ours::ControlCharacter);
    };
    let first_reading = Terms {
        strictest: false,
        query: false,
        ..Terms::OURS
    };
    if object.path_readings().count() > 1 && alone(first_reading) {
        return Some(Ours::AmbiguousPath);
    }
    let name = asked.host.split(':').next()?;
    let dotted = name.ends_with('.') && line.answer.status == doors::bad(line);
    let by_name = ["home", "files", "wiki", "team-", "lab"]
        .iter()
        .any(|part| object.host().contains(part));
    let folded = name != object.host() && by_name && line.answer.status != doors::bad(line);
    (dotted || folded).then_some(Ours::HostForm)
}

/// What the rooms answer at the door where `line` was asked.
pub fn answer(config: &Config, line: &Line, terms: Terms) -> Answer {
    let bad = Answer::status(doors::bad(line));
    let Some(asked) = doors::asked(line, terms.query) else {
        return bad;
    };
    let Ok(object) = asked.object() else {
        return bad;
    };
    let Some((_, domain)) = config.session.domain_of(object.host()) else {
        return bad;
    };
    let own = domain
        .authelia_url
        .as_ref()
        .expect("every domain has a portal");
    let portal = match line.portal.as_deref() {
        Some(given) if !doors::is_portal(given, &domain.realm.domain, terms.https) => return bad,
        Some(given) => given,
        None => own.as_str(),
    };
    let (user, level, credential) = identity(config, line, &domain.realm.domain);
    let groups = user
        .and_then(|user| config.directory.user(user))
        .map(|user| user.groups.as_slice());
    let subject = user.map(|user| Subject {
        user,
        groups: groups.unwrap_or_default(),
    });
    let verdict = verdict(config, &object, subject.as_ref(), level, terms.strictest);
    if credential == Credential::Bad && verdict.requirement != Requirement::Bypass {
        return Answer::by_header();
    }
    match verdict.decision {
        Decision::Allow => Answer::allow(user.and_then(|user| config.directory.user(user))),
        Decision::Forbid => Answer::status(403),
        Decision::Challenge if credential == Credential::Good => Answer::by_header(),
        Decision::Challenge => challenge(line, &asked, &object, portal),
    }
}

fn verdict(
    config: &Config,
    object: &Object<'_>,
    subject: Option<&Subject<'_>>,
    level: Level,
    strictest: bool,
) -> Verdict {
    let verdict = Guard::default().judge(&config.rules, object, subject, level);
    if strictest {
        return verdict;
    }
    let found = config.rules.explain(subject, object).remove(0).found;
    let decision = decide(found.requirement, found.asks, level);
    Verdict {
        requirement: found.requirement,
        decision,
        ..verdict
    }
}

fn challenge(line: &Line, asked: &Asked, object: &Object<'_>, portal: &str) -> Answer {
    let ask = Ask {
        method: &asked.method,
        accept: line.accept.as_deref().map(str::as_bytes),
        requested_with: line.xhr.as_deref().map(str::as_bytes),
        ..Ask::default()
    };
    let status = match ask.challenge() {
        _ if line.door == "auth-request" => 401,
        Challenge::Redirect => 302,
        Challenge::SeeOther => 303,
        Challenge::Unauthorized => 401,
    };
    // The oldest endpoint knows a portal only where the question names one.
    if line.door == "verify" && line.portal.is_none() {
        return Answer::status(401);
    }
    let back = original_url(object, &asked.host);
    Answer {
        location: Some(portal_url(portal, &back, &asked.method)),
        ..Answer::status(status)
    }
}

/// Who asks: by a header first, then by the session.
fn identity<'l>(
    config: &'l Config,
    line: &'l Line,
    domain: &str,
) -> (Option<&'l str>, Level, Credential) {
    match doors::header(config, line) {
        (Credential::None, _) => {}
        (credential, user) => {
            let level = if user.is_some() {
                Level::OneFactor
            } else {
                Level::None
            };
            return (user, level, credential);
        }
    }
    // A header that names somebody else than the session does ends the session.
    let claimed = line.session_username.as_deref();
    let session = line.user.as_deref().filter(|user| {
        line.cookie_domain.as_deref() == Some(domain)
            && claimed.is_none_or(|name| name.eq_ignore_ascii_case(user))
    });
    let level = match (session, line.level) {
        (None, _) | (_, 0) => Level::None,
        (_, 1) => Level::OneFactor,
        _ => Level::TwoFactor,
    };
    (session, level, Credential::None)
}
