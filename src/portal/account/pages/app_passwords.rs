//! The pages of app passwords: the list, a new one, and one that may be revoked.

use crate::portal::account::app_passwords::{BadWish, Kept, Made, Wanted};
use crate::portal::account::devices::Refused;
use crate::portal::answer::Answer;
use crate::portal::dates;
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::messages::{AppPasswordMessages, Messages};
use crate::portal::pages::{
    AppPasswordLine, AppPasswordPage, AppPasswordsPage, Lifetime, Link, MadePage,
    NewAppPasswordPage,
};
use crate::portal::request::Request;
use crate::portal::settings::AppPasswords;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::users::app_password::{BadHost, HostScope, Id, MAX_HOSTS};

use super::{APP_PASSWORDS, done, note, to_overview, token};

/// The page of a new one.
pub(super) const NEW: &str = "new";

const DAY: u64 = 24 * 60 * 60;
const HOUR: u64 = 60 * 60;

/// How long new ones may be good for, in days; the first is chosen unless somebody chooses.
const DAYS: [u64; 3] = [90, 30, 365];

/// The word for one without end.
const NO_END: &str = "none";

/// The page of one app password.
pub(super) fn path_of(id: Id) -> String {
    format!("{APP_PASSWORDS}/{id}")
}

/// What was typed, and what of it will not do.
#[derive(Default)]
struct Typed {
    name: String,
    hosts: String,
    lifetime: String,
    name_error: Option<&'static str>,
    hosts_error: Option<String>,
    lifetime_error: Option<&'static str>,
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

impl Typed {
    fn is_wrong(&self) -> bool {
        self.name_error.is_some() || self.hosts_error.is_some() || self.lifetime_error.is_some()
    }

    /// What is wanted, or a word on what will not do.
    fn read(&mut self, limits: &AppPasswords, t: &Messages) -> Option<Wanted> {
        let lifetime = match self.lifetime.as_str() {
            NO_END => None,
            // Nothing is read as no time at all, which is refused.
            seconds => Some(seconds.parse().unwrap_or(0)),
        };
        let all = match Wanted::read((&self.name, &self.hosts, lifetime), limits) {
            Ok(wanted) => return Some(wanted),
            Err(all) => all,
        };
        let own = &t.app_passwords;
        for bad in all {
            match bad {
                BadWish::Name => self.name_error = Some(t.account.bad_name),
                BadWish::Lifetime => self.lifetime_error = Some(own.bad_lifetime),
                BadWish::Hosts(BadHost::Word(word)) => {
                    self.hosts_error = Some(own.bad_host.with(&word));
                }
                BadWish::Hosts(BadHost::TooMany) => {
                    self.hosts_error = Some(own.too_many_hosts.with(&MAX_HOSTS.to_string()));
                }
            }
        }
        None
    }
}

/// What can be chosen, and what is.
fn lifetimes(limits: &AppPasswords, chosen: &str, t: &AppPasswordMessages) -> Vec<Lifetime> {
    let most = limits.maximum_lifetime.unwrap_or(u64::MAX);
    let days = DAYS.map(|days| days * DAY);
    let default = *days
        .iter()
        .find(|seconds| **seconds <= most)
        .unwrap_or(&most);
    let mut seconds: Vec<u64> = days
        .into_iter()
        .filter(|seconds| *seconds <= most)
        .collect();
    seconds.extend(limits.maximum_lifetime.filter(|most| !days.contains(most)));
    seconds.sort_unstable();
    let is_chosen = |value: &str| match chosen {
        "" => value == default.to_string(),
        chosen => value == chosen,
    };
    let choice = |value: String, label| Lifetime {
        chosen: is_chosen(&value),
        value,
        label,
    };
    let mut choices: Vec<_> = seconds
        .into_iter()
        .map(|seconds| choice(seconds.to_string(), period(seconds, t)))
        .collect();
    if limits.maximum_lifetime.is_none() {
        choices.push(choice(NO_END.into(), t.no_end.into()));
    }
    choices
}

fn period(seconds: u64, t: &AppPasswordMessages) -> String {
    let (phrase, number) = match seconds {
        0 => (t.seconds, 0),
        _ if seconds.is_multiple_of(DAY) => (t.days, seconds / DAY),
        _ if seconds.is_multiple_of(HOUR) => (t.hours, seconds / HOUR),
        _ => (t.seconds, seconds),
    };
    phrase.with(&number.to_string())
}

/// What there is to know of one: what it is good for, and what was done with it.
fn described(kept: &Kept, now: u64, t: &AppPasswordMessages) -> [String; 2] {
    let (opens, ends) = (
        opens(&kept.grant.hosts, t),
        ends(kept.grant.expires, now, t),
    );
    let made = t.made_at.with(&dates::minute(kept.created));
    let used = kept.last_used.map(dates::minute);
    let used = used.map_or_else(|| t.never_used.to_owned(), |used| t.last_used.with(&used));
    [format!("{opens} {ends}"), format!("{made} {used}")]
}

fn opens(hosts: &HostScope, t: &AppPasswordMessages) -> String {
    match hosts.is_all() {
        true => t.opens_all.to_owned(),
        false => t.opens.with(&hosts.words().collect::<Vec<_>>().join(", ")),
    }
}

fn ends(expires: Option<u64>, now: u64, t: &AppPasswordMessages) -> String {
    match expires {
        None => t.never_ends.to_owned(),
        Some(end) if end <= now => t.expired.with(&dates::minute(end)),
        Some(end) => t.ends.with(&dates::minute(end)),
    }
}

/// What a user is told of a refusal.
fn said(refused: Refused, t: &Messages) -> &'static str {
    match refused {
        Refused::NameTaken => t.app_passwords.name_taken,
        Refused::TooMany => t.app_passwords.too_many,
        refused => super::devices::said(refused, t),
    }
}

fn to_list(request: &Request<'_>) -> Link {
    let t = &request.messages().app_passwords;
    (request.link(APP_PASSWORDS), t.to_list)
}
