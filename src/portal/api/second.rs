//! The API of second factors: codes, assertions, passkeys, the password after a passkey.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::factors::webauthn::AssertionResponse;
use crate::portal::answer::Answer;
use crate::portal::errand::Cost;
use crate::portal::login::{Credentials, Door, Login};
use crate::portal::onward::Wish;
use crate::portal::request::Request;
use crate::portal::second::{NOT_PROVEN, PasskeyAnswer};
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::TotpDevice;

use super::objects::{object, rfc3339};
use super::{Route, account, refused, route, tell};

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One-time codes.
    Totp,
    /// Keys as a second factor.
    Webauthn,
    /// The password after a passkey.
    Password,
    /// Passkeys instead of a name and a password.
    Passkey,
    /// Who is signed in, and with what.
    UserInfo,
    /// The preferred method.
    Method,
}

const ROUTES: [Route; 6] = [
    route(
        "/api/secondfactor/totp",
        super::Place::Second(Place::Totp),
        "DELETE, GET, OPTIONS, POST",
    ),
    route(
        "/api/secondfactor/webauthn",
        super::Place::Second(Place::Webauthn),
        "GET, OPTIONS, POST",
    ),
    route(
        "/api/secondfactor/password",
        super::Place::Second(Place::Password),
        "OPTIONS, POST",
    ),
    route(
        "/api/firstfactor/passkey",
        super::Place::Second(Place::Passkey),
        "GET, OPTIONS, POST",
    ),
    route(
        "/api/user/info",
        super::Place::Second(Place::UserInfo),
        "GET, OPTIONS, POST",
    ),
    route(
        "/api/user/info/2fa_method",
        super::Place::Second(Place::Method),
        "OPTIONS, POST",
    ),
];

#[derive(Deserialize)]
struct CodeBody {
    #[serde(default)]
    token: String,
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct PasswordBody {
    password: String,
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
}

#[derive(Deserialize)]
struct KeyBody {
    response: Value,
    #[serde(default, rename = "targetURL")]
    target_url: Option<String>,
    #[serde(default, rename = "requestMethod")]
    request_method: Option<String>,
    #[serde(default, rename = "keepMeLoggedIn")]
    keep_me_logged_in: Option<bool>,
}

#[derive(Serialize)]
struct TotpInfo {
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    issuer: String,
    algorithm: &'static str,
    digits: u8,
    period: u32,
}

/// The route of `path`, if it is one of these.
pub(super) fn route_of(path: &str) -> Option<Route> {
    ROUTES.iter().find(|route| route.path == path).copied()
}

impl Portal {
    /// Answers a request to one of these places. It is not foreign, and its method is allowed.
    pub(super) fn second_api(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        place: Place,
        world: &mut dyn World,
    ) -> Step {
        if (place, request.method) == (Place::Totp, b"DELETE") {
            return self.account_api(request, domain, account::Place::Totp, world);
        }
        let is_post = request.method == b"POST";
        let visitor = Visitor::find(request, domain, world);
        let offered = self.offered(domain);
        match (place, visitor) {
            (Place::Passkey, _) if self.passkeys(domain).is_none() => {
                Step::Answer(Answer::text(404))
            }
            // Who is signed in has no use for it.
            (Place::Passkey, Some(_)) => Step::Answer(refused(403, NOT_PROVEN)),
            (Place::Passkey, None) if is_post => self.passkey_body(request, domain, world),
            (Place::Passkey, None) => Step::Answer(self.passkey_options(request, domain, world)),
            (_, None) => Step::Answer(Answer::text(403)),
            (Place::UserInfo, Some(visitor)) => self.user_info(domain, visitor, is_post),
            (Place::Password, Some(visitor)) => self.password_body(request, visitor, world),
            (Place::Method, Some(visitor)) if offered.any() => {
                self.prefer_factor(request, domain, visitor)
            }
            (Place::Totp, Some(visitor)) if offered.totp && is_post => {
                self.code_body(request, visitor, world)
            }
            (Place::Totp, Some(visitor)) if offered.totp => totp_info(visitor),
            (Place::Webauthn, Some(visitor)) if offered.webauthn => {
                self.key_api(request, domain, visitor, world)
            }
            (_, Some(_)) => Step::Answer(Answer::text(404)),
        }
    }

    fn code_body(&self, request: &Request<'_>, visitor: Visitor, world: &mut dyn World) -> Step {
        let body = object::<CodeBody>(request).filter(|body| !body.token.is_empty());
        let Some(body) = body.filter(|_| visitor.factor_knowledge) else {
            return Step::Answer(refused(403, NOT_PROVEN));
        };
        if !(6..=8).contains(&body.token.chars().filter(|c| *c != ' ').count()) {
            return Step::Answer(refused(400, NOT_PROVEN));
        }
        let wish = Wish::new(body.target_url.unwrap_or_default(), String::new());
        self.try_code(
            request,
            (visitor, Door::Api, wish),
            Zeroizing::new(body.token),
            world,
        )
    }

    fn key_api(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        // A key adds nothing to a passkey: that takes the password.
        if !visitor.factor_knowledge {
            return Step::Answer(refused(403, NOT_PROVEN));
        }
        if request.method != b"POST" {
            return self.key_options(domain, request, visitor, world);
        }
        let body = object::<KeyBody>(request);
        let Some((body, response)) = body.and_then(with_response) else {
            return Step::Answer(refused(400, NOT_PROVEN));
        };
        let wish = Wish::new(body.target_url.unwrap_or_default(), String::new());
        self.try_key(request, domain, (visitor, Door::Api, wish), response, world)
    }

    fn passkey_body(&self, request: &Request<'_>, domain: &Domain, world: &mut dyn World) -> Step {
        let body = object::<KeyBody>(request);
        let Some((body, response)) = body.and_then(with_response) else {
            return Step::Answer(refused(400, NOT_PROVEN));
        };
        let answer = PasskeyAnswer {
            response,
            remember: body.keep_me_logged_in.unwrap_or_default(),
            wish: Wish::new(
                body.target_url.unwrap_or_default(),
                body.request_method.unwrap_or_default(),
            ),
        };
        self.try_passkey(request, domain, Door::Api, answer, world)
    }

    fn password_body(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if visitor.factor_knowledge {
            return Step::Answer(refused(403, NOT_PROVEN));
        }
        let body = object::<PasswordBody>(request).filter(|body| !body.password.is_empty());
        let Some(body) = body else {
            let login = Login::unreadable(Door::Api);
            return Step::Answer(self.fail(request, login, false, world));
        };
        let typed = Credentials {
            username: visitor.name,
            password: Zeroizing::new(body.password),
            remember: false,
            wish: Wish::new(body.target_url.unwrap_or_default(), String::new()),
            session: Some(visitor.key),
        };
        self.begin(request, Door::Api, typed, world)
    }
}

/// What is told of the newest device.
fn totp_info(visitor: Visitor) -> Step {
    Step::attempt(
        Cost::Waits,
        Door::Api,
        move |office| Ok(office.factors()?.totp_devices(&visitor.name)?.pop()),
        |_, _, device, _| {
            Step::Answer(match device {
                Some(device) => tell(TotpInfo::of(device)),
                None => refused(404, "Could not find TOTP Configuration for user."),
            })
        },
    )
}

fn with_response(body: KeyBody) -> Option<(KeyBody, AssertionResponse)> {
    let response = AssertionResponse::parse(body.response.to_string().as_bytes()).ok()?;
    Some((body, response))
}

impl TotpInfo {
    fn of(device: TotpDevice) -> Self {
        TotpInfo {
            created_at: rfc3339(device.created),
            last_used_at: device.last_used.map(rfc3339),
            issuer: device.device.issuer,
            algorithm: device.device.algorithm.word(),
            digits: device.device.digits,
            period: device.device.period,
        }
    }
}
