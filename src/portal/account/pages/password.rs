//! The page on which a password is changed by who knows the old one.

use crate::portal::account::password::Unchanged;
use crate::portal::answer::Answer;
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::messages::Messages;
use crate::portal::pages::PasswordPage;
use crate::portal::request::Request;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::users::Weakness;

use super::{OVERVIEW, PASSWORD, done, to_overview, token};

/// What is wrong with what was typed.
#[derive(Default)]
pub(super) struct Errors {
    pub(super) alert: Option<&'static str>,
    pub(super) old: Option<&'static str>,
    pub(super) new: Option<String>,
    pub(super) again: Option<&'static str>,
}

impl Errors {
    /// What is wrong before anything is checked; nothing where that is so.
    pub(super) fn of(t: &Messages, new: &str, again: &str) -> Option<Self> {
        let t = &t.account;
        match (new, again) {
            ("", _) => Some(Errors {
                new: Some(t.new_missing.to_owned()),
                ..Errors::default()
            }),
            (new, again) if new != again => Some(Errors {
                again: Some(t.not_the_same),
                ..Errors::default()
            }),
            _ => None,
        }
    }

    /// Why a password was not changed.
    pub(super) fn because(reason: Unchanged, t: &Messages) -> Self {
        let t = &t.account;
        let mut errors = Errors::default();
        match reason {
            Unchanged::Wrong => errors.old = Some(t.old_wrong),
            Unchanged::Same => errors.new = Some(t.same_password.to_owned()),
            Unchanged::Over => errors.alert = Some(t.over),
            Unchanged::Weak(weakness) => {
                errors.new = Some(match weakness {
                    Weakness::Empty => t.new_missing.to_owned(),
                    Weakness::Huge => t.weak_huge.to_owned(),
                    Weakness::Short(least) => t.weak_short.with(&least.to_string()),
                    Weakness::Long(most) => t.weak_long.with(&most.to_string()),
                    Weakness::NoUppercase => t.weak_uppercase.to_owned(),
                    Weakness::NoLowercase => t.weak_lowercase.to_owned(),
                    Weakness::NoNumber => t.weak_number.to_owned(),
                    Weakness::NoSpecial => t.weak_special.to_owned(),
                    Weakness::Guessable { .. } => t.weak_guessable.to_owned(),
                });
            }
        }
        errors
    }
}

impl Portal {
    pub(super) fn change_page(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if !self.settings.account.change_password {
            return Step::Answer(self.refuse(request, 404));
        }
        let then =
            |portal: &Portal, request: &Request<'_>, visitor: Visitor, world: &mut dyn World| {
                let token = token(&visitor, world);
                let errors = Errors::default();
                Step::Answer(portal.show_password(request, 200, (&visitor.name, token), errors))
            };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    pub(super) fn change_form(
        &self,
        request: &Request<'_>,
        mut form: Form,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if !self.settings.account.change_password {
            return Step::Answer(self.refuse(request, 404));
        }
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         world: &mut dyn World| {
            let t = request.messages();
            let (old, new, again) = (form.take("old"), form.take("new"), form.take("again"));
            let who = (visitor.name.clone(), token(&visitor, world));
            let missing = old.is_empty().then(|| Errors {
                old: Some(t.account.old_missing),
                ..Errors::default()
            });
            if let Some(errors) = missing.or_else(|| Errors::of(t, &new, &again)) {
                let who = (who.0.as_str(), who.1);
                return Step::Answer(portal.show_password(request, 400, who, errors));
            }
            let then = move |portal: &Portal,
                             request: &Request<'_>,
                             changed: Result<(), Unchanged>,
                             _: &mut dyn World| match changed {
                Ok(()) => done(request, OVERVIEW, "password"),
                Err(reason) => {
                    let status = if reason == Unchanged::Wrong { 401 } else { 400 };
                    let errors = Errors::because(reason, request.messages());
                    portal.show_password(request, status, (&who.0, who.1), errors)
                }
            };
            portal.change_password(visitor, (old, new), Door::Page, world, request, then)
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    fn show_password(
        &self,
        request: &Request<'_>,
        status: u16,
        (login, token): (&str, String),
        errors: Errors,
    ) -> Answer {
        let t = request.messages();
        let page = PasswordPage {
            frame: self.frame(request, t.account.password, status),
            t,
            heading: t.account.password,
            text: t.account.password_explained.to_owned(),
            login,
            action: request.link(PASSWORD),
            token,
            link: "",
            alert: errors.alert,
            old_error: errors.old,
            new_error: errors.new,
            again_error: errors.again,
            back: to_overview(request),
        };
        self.page(status, &page)
    }
}
