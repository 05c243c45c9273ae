//! The pages: which place is which, and what they have in common.

mod app_passwords;
mod devices;
mod enrol;
mod leave;
mod overview;
mod password;
mod reset;
mod revoke;
mod sessions;

use crate::portal::answer::Answer;
use crate::portal::csrf::{self, Nonce};
use crate::portal::form::{self, Form};
use crate::portal::pages::{Frame, Link};
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::users::app_password::Id;

use super::change::Kind;

/// The purpose of the token in forms of a signed-in visitor.
const FORM: &str = "settings form";

const OVERVIEW: &str = "/settings";
const LEAVE: &str = "/settings/leave";
const FACTORS: &str = "/settings/two-factor";
const PREFERRED: &str = "/settings/two-factor/preferred";
const PASSWORD: &str = "/settings/password";
const SESSIONS: &str = "/settings/sessions";
const APP_PASSWORDS: &str = "/settings/app-passwords";
const RESET: &str = "/reset-password";
const REVOKE_CODE: &str = "/revoke/one-time-code";
const REVOKE_LINK: &str = "/revoke/reset-password";

/// A page, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Overview,
    Leave,
    Factors,
    Preferred,
    /// A device that is being enrolled.
    Enrol(Kind),
    /// One device.
    Device(Kind, i64),
    Password,
    Sessions,
    AppPasswords,
    NewAppPassword,
    /// One app password.
    AppPassword(Id),
    Reset,
    RevokeCode,
    RevokeLink,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            OVERVIEW => Place::Overview,
            LEAVE => Place::Leave,
            FACTORS => Place::Factors,
            PREFERRED => Place::Preferred,
            PASSWORD => Place::Password,
            SESSIONS => Place::Sessions,
            APP_PASSWORDS => Place::AppPasswords,
            RESET => Place::Reset,
            REVOKE_CODE => Place::RevokeCode,
            REVOKE_LINK => Place::RevokeLink,
            _ => return Self::of_app_password(path).or_else(|| Self::of_device(path)),
        })
    }

    fn of_app_password(path: &str) -> Option<Self> {
        Some(match path.strip_prefix(APP_PASSWORDS)?.strip_prefix('/')? {
            app_passwords::NEW => Place::NewAppPassword,
            id => Place::AppPassword(Id::read(id)?),
        })
    }

    fn of_device(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(FACTORS)?.strip_prefix('/')?;
        let (kind, id) = match rest.split_once('/') {
            Some((kind, id)) => (kind, Some(id)),
            None => (rest, None),
        };
        let kind = Kind::from_word(kind)?;
        match id {
            None => Some(Place::Enrol(kind)),
            // Every device has one address.
            Some(id) => {
                let number = id.parse().ok()?;
                (device_path(kind, number) == path).then_some(Place::Device(kind, number))
            }
        }
    }

    const fn allow(self) -> &'static str {
        match self {
            Place::Overview | Place::Factors | Place::AppPasswords => "GET, HEAD",
            Place::Preferred => "POST",
            _ => "GET, HEAD, POST",
        }
    }
}

/// The page of one device.
fn device_path(kind: Kind, id: i64) -> String {
    format!("{FACTORS}/{}/{id}", kind.word())
}

/// The page on which a device is enrolled.
fn enrol_path(kind: Kind) -> String {
    format!("{FACTORS}/{}", kind.word())
}

impl Portal {
    /// The pages below `/settings`, `/reset-password` and `/revoke`.
    pub(in crate::portal) fn account_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let Some(place) = Place::of(request.path) else {
            return Step::Answer(self.refuse(request, 404));
        };
        let allow = place.allow();
        let mut allowed = allow.split(", ");
        if !allowed.any(|method| method.as_bytes() == request.method) {
            return Step::Answer(self.refuse(request, 405).with("Allow", allow));
        }
        let posted = request.method == b"POST";
        match place {
            Place::Reset if posted => return self.reset_form(request, world),
            Place::Reset => return self.reset_page(request, world),
            Place::RevokeCode | Place::RevokeLink if posted => {
                return self.revoke_form(request, world);
            }
            Place::RevokeCode | Place::RevokeLink => {
                return Step::Answer(self.revoke_page(request, 200, None, world));
            }
            _ => {}
        }
        let Some(visitor) = Visitor::find(request, domain, world) else {
            return Step::Answer(to_login(request));
        };
        if !posted {
            return self.settings_page(request, domain, place, visitor, world);
        }
        match Self::posted(request, &visitor, world) {
            Ok(form) => self.settings_form(request, domain, (place, form), visitor, world),
            Err(status) => Step::Answer(self.refuse(request, status)),
        }
    }

    fn settings_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        place: Place,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        match place {
            Place::Leave => self.leave_page(request, visitor, world),
            Place::Factors => self.factors_page(request, domain, visitor),
            Place::Enrol(kind) => self.enrol_page(request, domain, kind, visitor, world),
            Place::Device(kind, id) => self.device_page(request, (kind, id), visitor, world),
            Place::Password => self.change_page(request, visitor, world),
            Place::Sessions => Self::sessions_page(visitor),
            Place::AppPasswords => self.app_passwords_page(request, visitor),
            Place::NewAppPassword => self.new_app_password_page(request, visitor, world),
            Place::AppPassword(id) => self.app_password_page(request, id, visitor),
            _ => Step::Answer(self.overview_page(request, domain, &visitor)),
        }
    }

    fn settings_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        (place, form): (Place, Form),
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        match place {
            Place::Leave => self.leave_form(request, form, visitor, world),
            Place::Preferred => self.preferred_form(domain, form, visitor),
            Place::Enrol(kind) => self.enrol_form(request, domain, (kind, form), visitor, world),
            Place::Device(kind, id) => self.device_form(request, (kind, id), form, visitor, world),
            Place::Password => self.change_form(request, form, visitor, world),
            Place::Sessions => Self::sessions_form(form, visitor),
            Place::NewAppPassword => self.new_app_password_form(request, form, visitor, world),
            Place::AppPassword(id) => self.app_password_form(request, id, visitor, world),
            _ => Step::Answer(self.refuse(request, 404)),
        }
    }

    /// The form that a page of ours sent for this session; otherwise the status of the answer.
    fn posted(request: &Request<'_>, visitor: &Visitor, world: &dyn World) -> Result<Form, u16> {
        let mut form = Form::read(request)?;
        let token = form.take("token");
        match csrf::verify_session(world.keys(), FORM, &visitor.key, &token) {
            true => Ok(form),
            // Somebody has signed in anew since the page was opened, or it was not ours.
            false => Err(403),
        }
    }

    /// To the page that gives leave, and from there back.
    pub(in crate::portal) fn to_leave(&self, request: &Request<'_>) -> Answer {
        let query = form::encode([("to", request.path)]);
        Answer::redirect(request.location(&format!("{LEAVE}?{query}")))
    }

    fn frame(&self, request: &Request<'_>, title: &str, status: u16) -> Frame {
        let theme = self.settings.theme;
        Frame::new(theme, request.messages(), title, status >= 400)
    }
}

/// The token of forms of this session.
fn token(visitor: &Visitor, world: &dyn World) -> String {
    csrf::session_token(world.keys(), FORM, &visitor.key)
}

/// The token of forms of a browser in which nobody is signed in, and the cookie that it needs, if
/// the browser has none yet.
fn strangers_token(
    request: &Request<'_>,
    purpose: &str,
    world: &mut dyn World,
) -> (String, Option<String>) {
    let sent = Nonce::sent(&request.headers.cookies).next();
    let fresh = sent.is_none();
    let nonce = sent.unwrap_or_else(|| Nonce::new(world.random()));
    let token = nonce.token_for(world.keys(), purpose);
    (token, fresh.then(|| nonce.cookie()))
}

/// Why a form of such a browser is not believed to be ours.
fn doubt(
    request: &Request<'_>,
    purpose: &str,
    token: &str,
    world: &dyn World,
) -> Option<&'static str> {
    let t = request.messages();
    let mut nonces = Nonce::sent(&request.headers.cookies).peekable();
    if nonces.peek().is_none() {
        return Some(t.account.cookies_needed);
    }
    let ours = nonces.any(|nonce| nonce.verify_for(world.keys(), purpose, token));
    (!ours).then_some(t.account.form_expired)
}

/// To the login page, and from there back.
fn to_login(request: &Request<'_>) -> Answer {
    let here = request.location(request.path);
    let query = form::encode([("rd", here.as_str())]);
    Answer::redirect(request.location(&format!("/?{query}")))
}

/// To another page, which says that something was done.
fn done(request: &Request<'_>, path: &str, what: &str) -> Answer {
    Answer::redirect(request.location(&format!("{path}?done={what}")))
}

/// What was done, for the page that says so.
fn note(request: &Request<'_>) -> Option<&'static str> {
    let (t, own) = (
        &request.messages().account,
        &request.messages().app_passwords,
    );
    match request.query_value("done")?.as_str() {
        "added" => Some(t.was_added),
        "renamed" => Some(t.was_renamed),
        "removed" => Some(t.was_removed),
        "preferred" => Some(t.was_preferred),
        "ended" => Some(t.was_ended),
        "password" => Some(t.was_changed),
        "revoked" => Some(own.was_revoked),
        _ => None,
    }
}

/// The link back to the overview.
fn to_overview(request: &Request<'_>) -> Link {
    (
        request.link(OVERVIEW),
        request.messages().account.to_settings,
    )
}

/// The link back to the second factors.
fn to_factors(request: &Request<'_>) -> Link {
    (request.link(FACTORS), request.messages().account.to_factors)
}
