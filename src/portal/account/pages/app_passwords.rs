//! The pages of app passwords: the list, a new one, and one that may be revoked.

mod words;

use crate::portal::account::app_passwords::{Kept, Made, Wanted};
use crate::portal::account::devices::Refused;
use crate::portal::answer::Answer;
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::pages::{
    AppPasswordLine, AppPasswordPage, AppPasswordsPage, Link, MadePage, NewAppPasswordPage,
};
use crate::portal::request::Request;
use crate::portal::settings::AppPasswords;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::users::app_password::Id;

use super::{APP_PASSWORDS, done, note, to_overview, token};
use words::{Typed, described, ends, lifetimes, opens, said};

/// The page of a new one.
pub(super) const NEW: &str = "new";

/// The page of one app password.
pub(super) fn path_of(id: Id) -> String {
    format!("{APP_PASSWORDS}/{id}")
}

impl Portal {
    pub(super) fn app_passwords_page(&self, request: &Request<'_>, visitor: Visitor) -> Step {
        if self.settings.account.app_passwords.is_none() {
            return Step::Answer(self.refuse(request, 404));
        }
        self.list_app_passwords(visitor, Door::Page, |portal, request, _, found, _| {
            let t = request.messages();
            let line = |kept: &Kept| AppPasswordLine {
                name: kept.name.clone(),
                facts: described(kept, request.now, &t.app_passwords),
                address: request.link(&path_of(kept.id)),
            };
            let page = AppPasswordsPage {
                frame: portal.frame(request, t.app_passwords.heading, 200),
                t,
                note: note(request),
                lines: found.iter().map(line).collect(),
                add: request.link(&format!("{APP_PASSWORDS}/{NEW}")),
                back: to_overview(request),
            };
            Step::Answer(portal.page(200, &page))
        })
    }

    pub(super) fn new_app_password_page(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let Some(limits) = self.settings.account.app_passwords.clone() else {
            return Step::Answer(self.refuse(request, 404));
        };
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         world: &mut dyn World| {
            let typed = Typed::default();
            Step::Answer(portal.ask_for_app_password(request, &visitor, &limits, typed, world))
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    pub(super) fn new_app_password_form(
        &self,
        request: &Request<'_>,
        mut form: Form,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let Some(limits) = self.settings.account.app_passwords.clone() else {
            return Step::Answer(self.refuse(request, 404));
        };
        let mut typed = Typed {
            name: form.take("name").to_string(),
            hosts: form.take("hosts").to_string(),
            lifetime: form.take("lifetime").to_string(),
            ..Typed::default()
        };
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         world: &mut dyn World| {
            match typed.read(&limits, request.messages()) {
                Some(wanted) => portal.make_on_page(request, visitor, (wanted, typed), world),
                None => Step::Answer(
                    portal.ask_for_app_password(request, &visitor, &limits, typed, world),
                ),
            }
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    fn make_on_page(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        (wanted, typed): (Wanted, Typed),
        world: &mut dyn World,
    ) -> Step {
        self.make_app_password(
            request,
            visitor,
            wanted,
            Door::Page,
            world,
            move |portal, request, visitor, outcome, world| {
                let limits = portal.settings.account.app_passwords.clone();
                Step::Answer(match outcome {
                    Ok(made) => portal.show_made(request, visitor, &made),
                    Err(refused) => {
                        let typed = Typed {
                            name_error: Some(said(refused, request.messages())),
                            ..typed
                        };
                        let limits = limits.unwrap_or_default();
                        portal.ask_for_app_password(request, visitor, &limits, typed, world)
                    }
                })
            },
        )
    }

    fn ask_for_app_password(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        limits: &AppPasswords,
        typed: Typed,
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let status = if typed.is_wrong() { 400 } else { 200 };
        let page = NewAppPasswordPage {
            frame: self.frame(request, t.app_passwords.add, status),
            t,
            action: request.link(&format!("{APP_PASSWORDS}/{NEW}")),
            token: token(visitor, world),
            lifetimes: lifetimes(limits, &typed.lifetime, &t.app_passwords),
            name: typed.name,
            hosts: typed.hosts,
            name_error: typed.name_error,
            hosts_error: typed.hosts_error,
            lifetime_error: typed.lifetime_error,
            back: to_list(request),
        };
        self.page(status, &page)
    }

    fn show_made(&self, request: &Request<'_>, visitor: &Visitor, made: &Made) -> Answer {
        let t = request.messages();
        let facts = [
            opens(&made.hosts, &t.app_passwords),
            ends(made.expires, request.now, &t.app_passwords),
        ];
        let page = MadePage {
            frame: self.frame(request, t.app_passwords.made, 200),
            t,
            name: &made.name,
            user: &visitor.name,
            facts: facts.join(" "),
            value: &made.token,
            done: request.link(APP_PASSWORDS),
        };
        self.formless_page(200, &page)
    }

    /// One app password, and the question whether to revoke it.
    pub(super) fn app_password_page(
        &self,
        request: &Request<'_>,
        id: Id,
        visitor: Visitor,
    ) -> Step {
        if self.settings.account.app_passwords.is_none() {
            return Step::Answer(self.refuse(request, 404));
        }
        self.list_app_passwords(
            visitor,
            Door::Page,
            move |portal, request, visitor, found, world| {
                let Some(kept) = found.into_iter().find(|kept| kept.id == id) else {
                    return Step::Answer(portal.refuse(request, 404));
                };
                let t = request.messages();
                let page = AppPasswordPage {
                    frame: portal.frame(request, &kept.name, 200),
                    t,
                    heading: &kept.name,
                    facts: described(&kept, request.now, &t.app_passwords),
                    action: request.link(&path_of(id)),
                    token: token(visitor, world),
                    back: to_list(request),
                };
                Step::Answer(portal.page(200, &page))
            },
        )
    }

    pub(super) fn app_password_form(
        &self,
        request: &Request<'_>,
        id: Id,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if self.settings.account.app_passwords.is_none() {
            return Step::Answer(self.refuse(request, 404));
        }
        let then = |_: &Portal,
                    request: &Request<'_>,
                    _: &Visitor,
                    _: Result<(), Refused>,
                    _: &mut dyn World| {
            // What is gone already is what was wanted.
            Step::Answer(done(request, APP_PASSWORDS, "revoked"))
        };
        self.revoke_app_password(request, visitor, id, Door::Page, world, then)
    }
}

fn to_list(request: &Request<'_>) -> Link {
    let t = &request.messages().app_passwords;
    (request.link(APP_PASSWORDS), t.to_list)
}
