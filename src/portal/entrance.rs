//! The pages at `/`: the login form, or who is signed in and where to go.

use zeroize::Zeroizing;

use crate::access::Requirement;

use super::answer::Answer;
use super::csrf::{self, Nonce};
use super::form::Form;
use super::login::{Credentials, Door, Login};
use super::onward::{self, Wish};
use super::pages::{Frame, LoginPage, PasskeyForm, SCRIPT_PATH, SignedInPage};
use super::request::Request;
use super::settings::{Domain, Reset};
use super::visitor::Visitor;
use super::world::World;
use super::{Portal, Step};

/// What the login page shows beside its fields.
#[derive(Clone, Copy, Default)]
struct Shown<'a> {
    username: &'a str,
    remembered: bool,
    alert: Option<&'static str>,
    username_error: Option<&'static str>,
    password_error: Option<&'static str>,
    wrong: bool,
}

impl Portal {
    /// The page at `/`: the login form, or who is signed in.
    pub(super) fn entrance(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let wish = Wish::of_query(request);
        Step::Answer(match Visitor::find(request, domain, world) {
            Some(visitor) => self.signed_in_page(request, domain, &visitor, &wish, world),
            None => self.login_page(request, 200, &wish, Shown::default(), world),
        })
    }

    /// The login form as it comes back.
    pub(super) fn login_form(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let mut form = match Form::read(request) {
            Ok(form) => form,
            Err(status) => return Step::Answer(self.refuse(request, status)),
        };
        let t = request.messages();
        let wish = Wish::of_form(&mut form);
        let username = form.take("username").to_string();
        let remember = !form.take("remember").is_empty();
        let password = form.take("password");
        let shown = Shown {
            username: &username,
            remembered: remember,
            ..Shown::default()
        };
        if let Some(alert) = self.doubt(request, &form.take("token"), world) {
            let shown = Shown {
                alert: Some(alert),
                ..shown
            };
            return Step::Answer(self.login_page(request, 403, &wish, shown, world));
        }
        if username.is_empty() || password.is_empty() {
            let shown = Shown {
                username_error: username.is_empty().then_some(t.username_missing),
                password_error: password.is_empty().then_some(t.password_missing),
                ..shown
            };
            return Step::Answer(self.login_page(request, 400, &wish, shown, world));
        }
        let typed = Credentials {
            username,
            password,
            remember,
            wish,
            session: None,
        };
        self.begin(request, Door::Page, typed, world)
    }

    /// The login form again, after a failure.
    pub(super) fn login_failed(
        &self,
        request: &Request<'_>,
        login: &Login,
        world: &mut dyn World,
    ) -> Answer {
        let shown = Shown {
            username: &login.typed,
            remembered: login.remember,
            password_error: Some(request.messages().wrong),
            wrong: true,
            ..Shown::default()
        };
        self.login_page(request, 401, &login.wish, shown, world)
    }

    /// The login form again, because nobody could check the password.
    pub(super) fn login_busy(
        &self,
        request: &Request<'_>,
        login: &Login,
        world: &mut dyn World,
    ) -> Answer {
        let shown = Shown {
            username: &login.typed,
            remembered: login.remember,
            alert: Some(request.messages().busy),
            ..Shown::default()
        };
        self.login_page(request, 503, &login.wish, shown, world)
    }

    /// The login form again, because of a passkey.
    pub(super) fn login_again(
        &self,
        request: &Request<'_>,
        status: u16,
        (wish, remembered): (&Wish, bool),
        alert: &'static str,
        world: &mut dyn World,
    ) -> Answer {
        let shown = Shown {
            remembered,
            alert: Some(alert),
            ..Shown::default()
        };
        self.login_page(request, status, wish, shown, world)
    }

    fn login_page(
        &self,
        request: &Request<'_>,
        status: u16,
        wish: &Wish,
        shown: Shown<'_>,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let sent = Nonce::sent(&request.headers.cookies).next();
        let fresh = sent.is_none();
        let nonce = sent.unwrap_or_else(|| Nonce::new(world.random()));
        let target = wish.address(&self.settings);
        let domain = self.settings.domain_of(request.host_name());
        let passkeys = domain.and_then(|(_, domain)| self.passkeys(domain));
        let is_error = status >= 400;
        let page = LoginPage {
            frame: Frame::new(self.settings.theme, t, t.sign_in, is_error),
            t,
            action: request.link("/"),
            token: nonce.token(world.keys()),
            host: target.as_ref().map(|target| target.authority()),
            rd: target.as_ref().map_or("", |target| target.as_str()),
            rm: &wish.rm,
            username: shown.username,
            email_login: self.settings.email_login,
            remember: domain.is_some_and(|(_, d)| d.realm.lifetimes.remember_me.is_some()),
            remembered: shown.remembered,
            alert: shown.alert,
            username_error: shown.username_error,
            password_error: shown.password_error,
            wrong: shown.wrong,
            passkey: passkeys.map(|_| PasskeyForm {
                action: request.link("/passkey"),
                options: request.link("/api/firstfactor/passkey"),
                script: request.link(SCRIPT_PATH),
            }),
            forgot: self
                .settings
                .account
                .reset
                .as_ref()
                .map(|reset| match reset {
                    Reset::Link { .. } => request.link("/reset-password"),
                    Reset::Elsewhere(address) => address.clone(),
                }),
        };
        let mut answer = match page.passkey {
            Some(_) => self.script_page(status, &page),
            None => self.page(status, &page),
        };
        if fresh {
            answer.cookies.push(nonce.cookie());
        }
        answer
    }

    fn signed_in_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: &Visitor,
        wish: &Wish,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let (text, next) = match self.wanted(request, visitor, wish, world) {
            Some((_, None)) => {
                let place = format!("/2fa{}", wish.query());
                return Answer::redirect(request.location(&place));
            }
            Some((host, Some(address))) => ("", Some((address, t.go_on_to.with(&host)))),
            None => match self.settings.start_page(domain) {
                Some(start) => ("", Some((start.to_owned(), t.go_on.to_owned()))),
                None => (t.signed_in_hint, None),
            },
        };
        let page = SignedInPage {
            frame: Frame::new(self.settings.theme, t, t.signed_in, false),
            t,
            heading: t.signed_in,
            text: text.to_owned(),
            who: t.signed_in_as,
            name: &visitor.display_name,
            login: &visitor.name,
            quiet: next.is_some(),
            next,
            back: Some((request.link("/settings"), t.account.to_settings)),
            action: request.link("/logout"),
            token: csrf::sign_out_token(world.keys(), &visitor.key),
            rd: "",
        };
        self.page(200, &page)
    }

    /// Host and address that the visitor came for; no address where one factor is not enough.
    fn wanted(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        wish: &Wish,
        world: &dyn World,
    ) -> Option<(String, Option<String>)> {
        let target = wish.address(&self.settings)?;
        let subject = visitor.subject();
        let needs =
            onward::requirement(&target, &wish.rm, world.rules(), &subject, request.address);
        let enough = visitor.level > 1 || needs != Some(Requirement::TwoFactor);
        let address = enough.then(|| target.as_str().to_owned());
        Some((target.authority().to_owned(), address))
    }

    /// Why the login form is not believed to be ours.
    pub(super) fn doubt(
        &self,
        request: &Request<'_>,
        token: &Zeroizing<String>,
        world: &dyn World,
    ) -> Option<&'static str> {
        let t = request.messages();
        let mut nonces = Nonce::sent(&request.headers.cookies).peekable();
        if nonces.peek().is_none() {
            return Some(t.cookies_needed);
        }
        let ours = nonces.any(|nonce| nonce.verify(world.keys(), token));
        (!ours).then_some(t.form_expired)
    }
}
