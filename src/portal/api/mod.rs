//! Authelia's JSON API: the same paths, statuses and objects, so that a script that signs in
//! there signs in here.

mod account;
mod objects;
mod second;
mod user;

pub(super) use account::lacking;
pub(super) use objects::redact;

use zeroize::Zeroizing;

use crate::portal::answer::Answer;
use crate::portal::event::Event;
use crate::portal::form::BODY_LIMIT;
use crate::portal::login::{Credentials, Door, Login};
use crate::portal::onward::{Onward, Wish};
use crate::portal::request::Request;
use crate::portal::return_address::{self, ReturnAddress};
use crate::portal::settings::Domain;
use crate::portal::visitor::{self, Visitor};
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use crate::store::SecondFactor;

use objects::{
    Configuration, Failure, FirstFactorBody, PasswordPolicy, Redirect, Safe, SafeRedirectionBody,
    SignOutBody, SignedOut, State, data, fine, object,
};

const WRONG: &str = "Authentication failed. Check your credentials.";
const OPERATION_FAILED: &str = "Operation failed.";

/// What stands behind a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Health,
    State,
    FirstFactor,
    SignOut,
    Configuration,
    PasswordPolicy,
    SafeRedirection,
    /// Flows with a second factor.
    Second(second::Place),
    /// Flows in which users change their factors, password and sessions.
    Account(account::Place),
    /// Closed to strangers and empty: push notifications do not exist here.
    Nothing,
}

/// A path and the methods it takes, as `Allow` lists them.
#[derive(Clone, Copy)]
struct Route {
    path: &'static str,
    place: Place,
    allow: &'static str,
}

const fn route(path: &'static str, place: Place, allow: &'static str) -> Route {
    Route { path, place, allow }
}

const ROUTES: [Route; 9] = [
    route("/api/health", Place::Health, "GET, HEAD, OPTIONS"),
    route("/api/state", Place::State, "GET, OPTIONS"),
    route("/api/firstfactor", Place::FirstFactor, "OPTIONS, POST"),
    route("/api/logout", Place::SignOut, "OPTIONS, POST"),
    route("/api/configuration", Place::Configuration, "GET, OPTIONS"),
    route(
        "/api/configuration/password-policy",
        Place::PasswordPolicy,
        "GET, OPTIONS",
    ),
    route(
        "/api/checks/safe-redirection",
        Place::SafeRedirection,
        "OPTIONS, POST",
    ),
    route("/api/secondfactor/duo", Place::Nothing, "OPTIONS, POST"),
    route(
        "/api/secondfactor/duo_devices",
        Place::Nothing,
        "GET, OPTIONS",
    ),
];

/// Whether the portal is there: asked over any scheme and any host.
pub(super) fn health(request: &Request<'_>) -> Option<Answer> {
    let mut routes = ROUTES.iter().filter(|route| route.place == Place::Health);
    let route = routes.find(|route| route.path == request.path)?;
    Some(preflight(request, *route).unwrap_or_else(|| Answer::json(200, &fine())))
}

/// The answer to OPTIONS, and to methods that the route does not take.
fn preflight(request: &Request<'_>, route: Route) -> Option<Answer> {
    let mut methods = route.allow.split(", ");
    match request.method {
        b"OPTIONS" => Some(Answer::text(200).bare().with("Allow", route.allow)),
        method if methods.any(|taken| taken.as_bytes() == method) => None,
        _ => Some(Answer::text(405).with("Allow", route.allow)),
    }
}

/// The route of `path`. What has a name or number at its end is found by what stands before.
fn find(path: &str) -> Option<Route> {
    let fixed = ROUTES.iter().find(|route| route.path == path).copied();
    fixed
        .or_else(|| second::route_of(path))
        .or_else(|| account::route_of(path))
}

impl Portal {
    /// Answers a request below `/api`.
    pub(super) fn api(
        &self,
        request: &Request<'_>,
        domain: Option<&Domain>,
        world: &mut dyn World,
    ) -> Step {
        let Some(route) = find(request.path) else {
            return Step::Answer(Answer::text(404));
        };
        if let Some(answer) = preflight(request, route) {
            return Step::Answer(answer);
        }
        let Some(domain) = domain else {
            return Step::Answer(self.foreign_host(request));
        };
        if request.is_foreign() {
            return Step::Answer(Answer::text(403));
        }
        if request.body.len() > BODY_LIMIT {
            return Step::Answer(Answer::text(413));
        }
        match route.place {
            Place::FirstFactor => self.first_factor(request, world),
            Place::Second(place) => self.second_api(request, domain, place, world),
            Place::Account(place) => self.account_api(request, domain, place, world),
            place => Step::Answer(self.visit(request, domain, place, world)),
        }
    }

    fn visit(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        place: Place,
        world: &mut dyn World,
    ) -> Answer {
        let visitor = Visitor::find(request, domain, world);
        match (place, visitor) {
            (Place::State, visitor) => self.state(domain, visitor.as_ref()),
            (Place::PasswordPolicy, _) => tell(PasswordPolicy::of(&self.settings.account.policy)),
            (Place::SignOut, visitor) => self.api_sign_out(request, domain, visitor, world),
            (Place::SafeRedirection, None) => Answer::text(401),
            (Place::SafeRedirection, Some(_)) => self.safe_redirection(request),
            (_, None) => Answer::text(403),
            (Place::Configuration, Some(_)) => self.configuration(domain),
            (_, Some(_)) => Answer::text(404),
        }
    }

    fn first_factor(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let body = object::<FirstFactorBody>(request);
        match body.filter(|body| !body.username.is_empty() && !body.password.is_empty()) {
            None => {
                let login = Login::unreadable(Door::Api);
                Step::Answer(self.fail(request, login, false, world))
            }
            Some(body) => {
                let wish = Wish::new(
                    body.target_url.unwrap_or_default(),
                    body.request_method.unwrap_or_default(),
                );
                let typed = Credentials {
                    username: body.username,
                    password: Zeroizing::new(body.password),
                    remember: body.keep_me_logged_in.unwrap_or_default(),
                    wish,
                    session: None,
                };
                self.begin(request, Door::Api, typed, world)
            }
        }
    }

    fn state(&self, domain: &Domain, visitor: Option<&Visitor>) -> Answer {
        Answer::json(
            200,
            &data(State {
                username: visitor.map_or("", |visitor| &visitor.name),
                authentication_level: visitor.map_or(0, |visitor| visitor.level),
                factor_knowledge: visitor.is_some_and(|visitor| visitor.factor_knowledge),
                default_redirection_url: self.settings.start_page(domain),
            }),
        )
    }

    fn configuration(&self, domain: &Domain) -> Answer {
        let account = &self.settings.account;
        Answer::json(
            200,
            &data(Configuration {
                available_methods: self.offered(domain).all().map(SecondFactor::word).collect(),
                password_change_disabled: !account.change_password,
                password_reset_disabled: account.reset.is_none(),
            }),
        )
    }

    fn api_sign_out(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Option<Visitor>,
        world: &mut dyn World,
    ) -> Answer {
        // Whoever asks to be signed out is, whatever the body says.
        let body = object::<SignOutBody>(request).unwrap_or_default();
        let target = body.target_url.unwrap_or_default();
        let safe_target_url =
            ReturnAddress::parse(&target, |host| self.settings.covers(host)).is_ok();
        let mut answer = Answer::json(200, &data(SignedOut { safe_target_url }));
        answer
            .cookies
            .extend(visitor::end_all(request, domain, world));
        answer.event = visitor.map(|visitor| Event::SignOut(visitor.name));
        answer
    }

    fn safe_redirection(&self, request: &Request<'_>) -> Answer {
        let body = object::<SafeRedirectionBody>(request);
        match body.filter(|body| return_address::is_address(&body.uri)) {
            None => refused(200, OPERATION_FAILED),
            Some(body) => {
                let ok = ReturnAddress::parse(&body.uri, |host| self.settings.covers(host)).is_ok();
                Answer::json(200, &data(Safe { ok }))
            }
        }
    }
}

/// The answer to every failure to sign in.
pub(super) fn failure(status: u16) -> Answer {
    refused(status, WRONG)
}

/// The answer to a request for something that does not work now.
pub(super) fn unavailable(request: &Request<'_>) -> Answer {
    refused(503, request.messages().unavailable.text)
}

/// Any other refusal.
pub(super) fn refused(status: u16, message: &'static str) -> Answer {
    Answer::json(
        status,
        &Failure {
            status: "KO",
            message,
        },
    )
}

/// What was asked for.
pub(super) fn tell(what: impl serde::Serialize) -> Answer {
    Answer::json(200, &data(what))
}

/// The answer to a successful one.
pub(super) fn signed_in(onward: &Onward) -> Answer {
    match onward {
        Onward::Go(redirect) => Answer::json(200, &data(Redirect { redirect })),
        Onward::ProveMore | Onward::Stay => Answer::json(200, &fine()),
    }
}
