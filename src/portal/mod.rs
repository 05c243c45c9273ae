//! What visitors see and do: signing in and out, the pages, the JSON API.
//!
//! A state machine: [`Portal::answer`] takes a request and a [`World`] and gives an answer, or a
//! password to check, with whose outcome [`Portal::finish`] gives the answer. It knows sessions,
//! users and rules; it must not know nginx, a clock, a file, a source of randomness, nor how the
//! configuration is written.
#![forbid(unsafe_code)]

mod account;
mod answer;
mod api;
pub mod app_password;
mod attempt;
mod audit;
mod csrf;
mod dates;
mod doors;
mod entrance;
mod errand;
mod event;
mod form;
mod guarded;
pub mod in_header;
mod leave_everywhere;
mod letter;
mod limits;
mod login;
mod messages;
mod onward;
mod outage;
mod outpost;
mod pages;
mod remembered;
mod request;
mod return_address;
mod second;
mod sessions;
mod settings;
mod sign_out;
mod ticket;
mod visitor;
mod world;

use askama::Template;

pub use account::{Change, Kind};
pub use answer::{Answer, Format, HTML, Header, JSON, Judged, TEXT};
pub use audit::Line;
pub use csrf::COOKIE as FORM_COOKIE;
pub use doors::{CredentialHeader, Endpoint, Implementation, Schemes, Strategy, may_be_endpoint};
pub use errand::{
    AfterSweep, Afterwards, Aside, AsideWork, Cost, Done, Errand, NotChanged, Office, Outage,
    Sweep, Work,
};
pub use event::{Aim, Event, Failure, Method, Misask, Why};
pub use form::BODY_LIMIT;
pub use guarded::{Denied, Reader};
pub use letter::Letter;
pub use limits::{Bucket, RateLimits};
pub use login::{Login, Verify};
pub use messages::Messages;
pub use outpost::may_be_outpost;
pub use remembered::Remembered;
pub use request::{Doorway, Headers, Here, Request};
pub use return_address::{Refusal, ReturnAddress};
pub use settings::{
    Account, AppPasswords, Domain, Elevation, Reset, SecondFactors, Settings, Theme,
};
pub use world::{Busy, Limited, World};

use messages::Notice;
use pages::{Frame, NoticePage};

/// What follows from a request.
pub enum Step {
    /// This is the answer.
    Answer(Answer),
    /// A password has to be checked first.
    Verify(Box<Verify>),
    /// Something has to be done first that may block; then [`Portal::resume`].
    Errand(Errand),
    /// This is the answer, and there is work besides.
    Aside(Box<Aside>),
    /// The sessions of a user have to be gone through first; then [`Portal::swept`].
    Sweep(Sweep),
}

/// The login portal of one configuration.
pub struct Portal {
    settings: Settings,
    policy: String,
    formless_policy: String,
    script_policy: String,
}

impl Portal {
    /// A portal with these settings.
    pub fn new(mut settings: Settings) -> Self {
        settings.endpoints.extend(doors::endpoints_of_authentik());
        let policy = pages::form_policy();
        Portal {
            settings,
            policy,
            formless_policy: pages::formless_policy(),
            script_policy: pages::script_policy(),
        }
    }

    /// What follows from `request`.
    pub fn answer(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        if let Some(answer) = self.still(request) {
            return Step::Answer(answer);
        }
        if let Some(step) = self.endpoint(request, world) {
            return step;
        }
        let leaving = self.leaving(request);
        let only = request.doorway.as_ref().is_some_and(|it| it.only);
        if !only && !request.is_https() {
            return Step::Answer(self.needs_https(reader(request)));
        }
        if let Some(leaving) = leaving {
            return self.leave_everywhere(request, leaving, world);
        }
        if request.doorway.as_ref().is_some_and(|it| it.here.sign_out) {
            return Step::Answer(self.foreign_host(request));
        }
        let domain = self
            .settings
            .domain_of(request.host_name())
            .map(|(_, domain)| domain);
        if request.path == "/api" || request.path.starts_with("/api/") {
            return self.api(request, domain, world);
        }
        match domain {
            Some(domain) => self.visit_page(request, domain, world),
            None => Step::Answer(self.foreign_host(request)),
        }
    }

    /// The answer where no session has a say in it, and so no store: whether the portal is there, what
    /// its pages load, and what is no question to an endpoint.
    pub fn still(&self, request: &Request<'_>) -> Option<Answer> {
        if request.doorway.as_ref().is_some_and(|it| it.here.sign_out) {
            return None;
        }
        self.outpost(request)
            .or_else(|| self.no_endpoint(request))
            .or_else(|| api::health(request))
            .or_else(|| self.asset(request))
    }

    /// The page for a status that the glue gives by itself (413, 500, 503), with `Retry-After`
    /// where it is known.
    pub fn error(&self, request: &Request<'_>, status: u16, retry_after: Option<u64>) -> Answer {
        self.refusal(reader(request), status, retry_after)
    }

    fn visit_page(&self, request: &Request<'_>, domain: &Domain, world: &mut dyn World) -> Step {
        let place = request.path.split('/').nth(1).unwrap_or_default();
        match place {
            "2fa" | "passkey" => return self.second_page(request, domain, world),
            "settings" | "reset-password" | "revoke" => {
                return self.account_page(request, domain, world);
            }
            _ => {}
        }
        Step::Answer(match (request.path, request.method) {
            ("/", b"GET" | b"HEAD") => return self.entrance(request, domain, world),
            ("/", b"POST") => return self.login_form(request, world),
            ("/logout", b"GET" | b"HEAD") => self.sign_out_page(request, domain, world),
            ("/logout", b"POST") => self.sign_out_form(request, domain, world),
            ("/" | "/logout", _) => self.refuse(request, 405).with("Allow", "GET, HEAD, POST"),
            _ => self.refuse(request, 404),
        })
    }

    fn page(&self, status: u16, page: &impl Template) -> Answer {
        Self::render(status, &self.policy, page)
    }

    /// A page that loads our script.
    fn script_page(&self, status: u16, page: &impl Template) -> Answer {
        Self::render(status, &self.script_policy, page)
    }

    fn formless_page(&self, status: u16, page: &impl Template) -> Answer {
        Self::render(status, &self.formless_policy, page)
    }

    fn render(status: u16, policy: &str, page: &impl Template) -> Answer {
        // Our templates only write strings, and writing to a string does not fail.
        match page.render() {
            Ok(body) => Answer::page(status, policy.to_owned(), body),
            Err(_) => Answer::text(500),
        }
    }

    /// An error page of the portal.
    fn refuse(&self, request: &Request<'_>, status: u16) -> Answer {
        let reader = reader(request);
        let notice = reader.messages.notice(status);
        let link = Some(request.link("/")).filter(|_| request.path != "/" || status != 503);
        self.notice(reader, status, notice, None, link)
    }

    fn foreign_host(&self, request: &Request<'_>) -> Answer {
        let reader = reader(request);
        self.notice(reader, 400, reader.messages.foreign_host, None, None)
    }

    fn notice(
        &self,
        reader: Reader,
        status: u16,
        notice: Notice,
        retry_after: Option<u64>,
        link: Option<String>,
    ) -> Answer {
        let t = reader.messages;
        if reader.format == Format::Json {
            return guarded::json(status, notice.text, None);
        }
        let retry = retry_after.map(|seconds| t.retry(seconds));
        let text = retry.map_or(notice.text.to_owned(), |retry| {
            format!("{} {retry}", notice.text)
        });
        let page = NoticePage {
            frame: Frame::new(self.settings.theme, t, notice.heading, true),
            heading: notice.heading,
            about: None,
            subject: None,
            text,
            link: link.map(|address| (address, t.to_portal)),
        };
        self.formless_page(status, &page)
    }
}

fn reader(request: &Request<'_>) -> Reader {
    Reader::new(request.headers.accept, request.headers.accept_language)
}
