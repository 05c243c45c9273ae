//! The pages of the portal: sign in, signed in, sign out.

use zeroize::Zeroizing;

use crate::access::Requirement;

use super::answer::{Answer, Event};
use super::csrf::{self, Nonce};
use super::form::{Form, FormError};
use super::login::{Credentials, Door, Login};
use super::messages::Phrase;
use super::onward::{self, Wish};
use super::pages::{Frame, LoginPage, NoticePage, SignedInPage};
use super::request::Request;
use super::settings::Domain;
use super::visitor::{self, Visitor};
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
    ) -> Answer {
        let wish = Wish {
            rd: request.query_value("rd").unwrap_or_default(),
            rm: request.query_value("rm").unwrap_or_default(),
        };
        match Visitor::find(request, domain, world) {
            Some(visitor) => self.signed_in_page(request, domain, &visitor, &wish, world),
            None => self.login_page(request, 200, &wish, Shown::default(), world),
        }
    }

    /// The login form as it comes back.
    pub(super) fn login_form(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let mut form = match self.read_form(request) {
            Ok(form) => form,
            Err(answer) => return Step::Answer(answer),
        };
        let t = request.messages();
        let wish = Wish { rd: form.take("rd").to_string(), rm: form.take("rm").to_string() };
        let username = form.take("username").to_string();
        let remember = !form.take("remember").is_empty();
        let password = form.take("password");
        let shown = Shown { username: &username, remembered: remember, ..Shown::default() };
        if let Some(alert) = self.doubt(request, &form.take("token"), world) {
            let shown = Shown { alert: Some(alert), ..shown };
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
        let typed = Credentials { username, password, remember, wish };
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

    /// `GET /logout`. Only a person who opens it in a window is signed out at once.
    pub(super) fn sign_out_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Answer {
        let wish = Wish { rd: request.query_value("rd").unwrap_or_default(), rm: String::new() };
        let visitor = Visitor::find(request, domain, world);
        if request.method == b"GET" && request.is_navigation() {
            return self.sign_out(request, domain, visitor, &wish, world);
        }
        match visitor {
            Some(visitor) => self.sign_out_question(request, 200, &visitor, &wish, world),
            None => self.signed_out_page(request),
        }
    }

    /// The sign-out form as it comes back.
    pub(super) fn sign_out_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Answer {
        let mut form = match self.read_form(request) {
            Ok(form) => form,
            Err(answer) => return answer,
        };
        let wish = Wish { rd: form.take("rd").to_string(), rm: String::new() };
        let visitor = Visitor::find(request, domain, world);
        if let Some(visitor) = &visitor
            && !csrf::verify_sign_out(world.keys(), &visitor.key, &form.take("token"))
        {
            return self.sign_out_question(request, 403, visitor, &wish, world);
        }
        let mut answer = self.sign_out(request, domain, visitor, &wish, world);
        if answer.location.is_none() {
            let page = Answer::redirect(request.location("/logout"));
            answer = Answer { cookies: answer.cookies, event: answer.event, ..page };
        }
        answer
    }

    fn sign_out(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Option<Visitor>,
        wish: &Wish,
        world: &mut dyn World,
    ) -> Answer {
        let cookie = visitor::end_all(request, domain, world);
        let mut answer = match wish.address(&self.settings) {
            Some(address) => Answer::redirect(address.as_str().to_owned()),
            None => self.signed_out_page(request),
        };
        answer.cookies.extend(cookie);
        answer.event = visitor.map(|visitor| Event::SignOut(visitor.name));
        answer
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
            remember: domain.is_some_and(|(_, d)| d.lifetimes.remember_me.is_some()),
            remembered: shown.remembered,
            alert: shown.alert,
            username_error: shown.username_error,
            password_error: shown.password_error,
            wrong: shown.wrong,
        };
        let mut answer = self.page(status, &page);
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
        let target = wish.address(&self.settings);
        let needs = target.as_ref().and_then(|target| {
            let subject = visitor.subject();
            onward::requirement(target, &wish.rm, world.rules(), &subject, request.address)
        });
        let start = || self.settings.start_page(domain).map(|s| (s.to_owned(), t.go_on.to_owned()));
        let (heading, text, next) = match &target {
            Some(target) if needs == Some(Requirement::TwoFactor) && visitor.level < 2 => {
                (t.second_factor, t.second_factor_explained.with(target.authority()), None)
            }
            Some(target) => {
                let label = t.go_on_to.with(target.authority());
                (t.signed_in, String::new(), Some((target.as_str().to_owned(), label)))
            }
            None => (t.signed_in, String::new(), start()),
        };
        let nowhere = next.is_none() && text.is_empty();
        let text = if nowhere { t.signed_in_hint.to_owned() } else { text };
        let page = SignedInPage {
            frame: Frame::new(self.settings.theme, t, heading, false),
            t,
            heading,
            text,
            name: &visitor.display_name,
            login: &visitor.name,
            quiet: next.is_some(),
            next,
            back: None,
            action: request.link("/logout"),
            token: csrf::sign_out_token(world.keys(), &visitor.key),
            rd: "",
        };
        self.page(200, &page)
    }

    fn sign_out_question(
        &self,
        request: &Request<'_>,
        status: u16,
        visitor: &Visitor,
        wish: &Wish,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let target = wish.address(&self.settings);
        let page = SignedInPage {
            frame: Frame::new(self.settings.theme, t, t.sign_out_question, status >= 400),
            t,
            heading: t.sign_out_question,
            text: t.sign_out_explained.to_owned(),
            name: &visitor.display_name,
            login: &visitor.name,
            next: None,
            back: Some((request.link("/"), t.stay)),
            action: request.link("/logout"),
            token: csrf::sign_out_token(world.keys(), &visitor.key),
            rd: target.as_ref().map_or("", |target| target.as_str()),
            quiet: false,
        };
        self.page(status, &page)
    }

    fn signed_out_page(&self, request: &Request<'_>) -> Answer {
        let t = request.messages();
        let nothing: Option<(Phrase, &str)> = None;
        let page = NoticePage {
            frame: Frame::new(self.settings.theme, t, t.signed_out, false),
            heading: t.signed_out,
            about: nothing,
            subject: nothing,
            text: t.signed_out_explained.to_owned(),
            link: Some((request.link("/"), t.sign_in_again)),
        };
        self.page(200, &page)
    }

    /// The form in the body, or the page that says why there is none.
    fn read_form(&self, request: &Request<'_>) -> Result<Form, Answer> {
        if request.is_foreign() {
            return Err(self.refuse(request, 403));
        }
        if !request.has_content_type("application/x-www-form-urlencoded") {
            return Err(self.refuse(request, 400));
        }
        Form::parse(request.body).map_err(|error| match error {
            FormError::Large => self.refuse(request, 413),
            FormError::Repeated | FormError::Malformed => self.refuse(request, 400),
        })
    }

    /// Why the login form is not believed to be ours.
    fn doubt(
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
