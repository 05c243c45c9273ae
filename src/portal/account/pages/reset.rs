//! The pages for who has lost the password: asking for a link, and the new password.

use crate::portal::account::password::Unchanged;
use crate::portal::answer::Answer;
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::messages::Notice;
use crate::portal::pages::{ForgotPage, NoticePage, PasswordPage};
use crate::portal::request::Request;
use crate::portal::settings::Reset;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::password::Errors;
use super::{RESET, doubt, strangers_token};

/// The purpose of the token in these forms.
const FORM: &str = "reset form";

/// Who is to have a new password, and by which link.
struct Whose {
    user: String,
    link: String,
}

impl Portal {
    pub(super) fn reset_page(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        match &self.settings.account.reset {
            None => return Step::Answer(self.refuse(request, 404)),
            Some(Reset::Elsewhere(address)) => {
                return Step::Answer(Answer::redirect(address.clone()));
            }
            Some(Reset::Link { .. }) => {}
        }
        let Some(link) = request.query_value("token") else {
            return Step::Answer(self.ask_who(request, 200, "", (None, None), world));
        };
        // Opening a link changes nothing: programs that look through mail open all of them.
        let token = link.clone();
        self.look_at_link(
            request,
            &token,
            Door::Page,
            world,
            |portal, request, holder, world| {
                Step::Answer(match holder {
                    None => portal.link_over(request),
                    Some(holder) => {
                        let user = holder.user;
                        let whose = Whose { user, link };
                        portal.ask_new(request, 200, &whose, Errors::default(), world)
                    }
                })
            },
        )
    }

    pub(super) fn reset_form(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let Some(lifespan) = self.link_lifespan() else {
            return Step::Answer(self.refuse(request, 404));
        };
        let mut form = match Form::read(request) {
            Ok(form) => form,
            Err(status) => return Step::Answer(self.refuse(request, status)),
        };
        let (link, token) = (form.take("link").to_string(), form.take("token"));
        let doubt = doubt(request, FORM, &token, world);
        if !link.is_empty() {
            return self.take_new(request, link, doubt, form, world);
        }
        let username = form.take("username").to_string();
        if doubt.is_some() {
            let page = self.ask_who(request, 403, &username, (doubt, None), world);
            return Step::Answer(page);
        }
        let t = request.messages();
        if username.trim().is_empty() {
            let error = Some(t.username_missing);
            return Step::Answer(self.ask_who(request, 400, &username, (None, error), world));
        }
        let answer = self.told(request, t.account.link_sent, 200);
        self.ask_reset(request, username, lifespan, (Door::Page, answer), world)
    }

    /// Takes a new password, and then the link: a password that will not do costs no link.
    fn take_new(
        &self,
        request: &Request<'_>,
        link: String,
        doubt: Option<&'static str>,
        mut form: Form,
        world: &mut dyn World,
    ) -> Step {
        let (new, again) = (form.take("new"), form.take("again"));
        let token = link.clone();
        self.look_at_link(
            request,
            &token,
            Door::Page,
            world,
            move |portal, request, holder, world| {
                let Some(holder) = holder else {
                    return Step::Answer(portal.link_over(request));
                };
                let t = request.messages();
                let user = holder.user.clone();
                let whose = Whose { user, link };
                if doubt.is_some() {
                    let errors = Errors {
                        alert: doubt,
                        ..Errors::default()
                    };
                    return Step::Answer(portal.ask_new(request, 403, &whose, errors, world));
                }
                if let Some(errors) = Errors::of(t, &new, &again) {
                    return Step::Answer(portal.ask_new(request, 400, &whose, errors, world));
                }
                let then = move |portal: &Portal,
                                 request: &Request<'_>,
                                 set: Result<(), Unchanged>,
                                 world: &mut dyn World| match set {
                    Ok(()) => portal.told(request, request.messages().account.was_reset, 200),
                    Err(Unchanged::Over | Unchanged::Wrong) => portal.link_over(request),
                    Err(reason) => {
                        let errors = Errors::because(reason, request.messages());
                        portal.ask_new(request, 400, &whose, errors, world)
                    }
                };
                portal.set_password(request, holder, new, Door::Page, world, then)
            },
        )
    }

    fn ask_who(
        &self,
        request: &Request<'_>,
        status: u16,
        username: &str,
        (alert, error): (Option<&'static str>, Option<&'static str>),
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let (token, cookie) = strangers_token(request, FORM, world);
        let page = ForgotPage {
            frame: self.frame(request, t.account.forgot, status),
            t,
            action: request.link(RESET),
            token,
            username,
            email_login: self.settings.email_login,
            alert,
            error,
            back: (request.link("/"), t.to_portal),
        };
        let mut answer = self.page(status, &page);
        answer.cookies.extend(cookie);
        answer
    }

    fn ask_new(
        &self,
        request: &Request<'_>,
        status: u16,
        whose: &Whose,
        errors: Errors,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let (token, cookie) = strangers_token(request, FORM, world);
        let page = PasswordPage {
            frame: self.frame(request, t.account.new_heading, status),
            t,
            heading: t.account.new_heading,
            text: t.account.new_for.with(&whose.user),
            login: &whose.user,
            action: request.link(RESET),
            token,
            link: &whose.link,
            alert: errors.alert,
            old_error: None,
            new_error: errors.new,
            again_error: errors.again,
            back: (request.link("/"), t.to_portal),
        };
        let mut answer = self.page(status, &page);
        answer.cookies.extend(cookie);
        answer
    }

    fn link_over(&self, request: &Request<'_>) -> Answer {
        self.told(request, request.messages().account.link_over, 403)
    }

    /// A page that says something to somebody who is not signed in.
    pub(super) fn told(&self, request: &Request<'_>, notice: Notice, status: u16) -> Answer {
        let t = request.messages();
        let page = NoticePage {
            frame: self.frame(request, notice.heading, status),
            heading: notice.heading,
            about: None,
            subject: None,
            text: notice.text.to_owned(),
            link: Some((request.link("/"), t.to_portal)),
        };
        self.formless_page(status, &page)
    }
}
