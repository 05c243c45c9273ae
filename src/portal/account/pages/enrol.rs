//! Enrolling a second factor: its name, then the app's first code or the key itself.

mod views;

use serde_json::Value;

use crate::portal::account::change::Kind;
use crate::portal::account::devices::{Refused, names, tidy_name};
use crate::portal::account::totp::{Pending, without};
use crate::portal::answer::Answer;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::{FACTORS, done, enrol_path};

/// The fields for how codes are made.
const CHOICES: [&str; 3] = ["algorithm", "digits", "period"];

/// What was typed and why it will not do.
#[derive(Default)]
struct Again {
    name: String,
    alert: Option<Refused>,
    error: Option<Refused>,
}

impl Portal {
    pub(super) fn enrol_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        kind: Kind,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if !self.enrols(domain, kind) {
            return Step::Answer(self.refuse(request, 404));
        }
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         world: &mut dyn World| {
            let pending = Pending::find(request, &visitor, world).filter(|_| kind == Kind::Totp);
            Step::Answer(match pending {
                Some(pending) => portal.show_secret(request, &visitor, &pending, None, world),
                None => portal.ask_name(request, &visitor, kind, Again::default(), world),
            })
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    pub(super) fn enrol_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        (kind, mut form): (Kind, Form),
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        if !self.enrols(domain, kind) {
            return Step::Answer(self.refuse(request, 404));
        }
        let what = form.take("do");
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         world: &mut dyn World| {
            match (kind, what.as_str()) {
                (_, "name") => portal.take_name(request, visitor, kind, form, world),
                (Kind::Totp, "code") => portal.take_first_code(request, visitor, form, world),
                (Kind::Totp, "over") => {
                    let answer = Answer::redirect(request.location(&enrol_path(kind)));
                    Step::Answer(without(answer, Ticket::Totp))
                }
                (Kind::Key, "key") => portal.take_key(request, visitor, form, world),
                _ => Step::Answer(portal.refuse(request, 400)),
            }
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    fn enrols(&self, domain: &Domain, kind: Kind) -> bool {
        let offered = self.offered(domain);
        match kind {
            Kind::Totp => offered.totp,
            Kind::Key => offered.webauthn,
        }
    }

    /// The name comes first, so that nobody scans a code and then cannot keep it.
    fn take_name(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        kind: Kind,
        mut form: Form,
        world: &mut dyn World,
    ) -> Step {
        let typed = form.take("name").to_string();
        let Some(name) = tidy_name(&typed) else {
            let again = Again {
                name: typed,
                error: Some(Refused::BadName),
                ..Again::default()
            };
            return Step::Answer(self.ask_name(request, &visitor, kind, again, world));
        };
        match kind {
            Kind::Totp => self.begin_totp(visitor, name, form),
            Kind::Key => self.begin_key_page(request, visitor, name, world),
        }
    }

    fn begin_totp(&self, visitor: Visitor, name: String, mut form: Form) -> Step {
        let user = visitor.name.clone();
        let [algorithm, digits, period] = CHOICES.map(|field| form.take(field).to_string());
        let work = move |office: &mut dyn Office| -> Result<(bool, String), Outage> {
            let known = names(office.factors()?, &user, Kind::Totp)?;
            Ok((known.iter().any(|(_, known)| *known == name), name))
        };
        Step::attempt(
            Cost::Waits,
            Door::Page,
            work,
            move |portal, request, (taken, name), world| {
                let chosen = |text: &str| text.parse::<u64>().ok();
                let algorithm = Some(algorithm.as_str()).filter(|word| !word.is_empty());
                let settings = portal.settings.second.totp.as_ref().filter(|_| !taken);
                let pending = settings.and_then(|settings| {
                    let chosen = settings.choose(algorithm, chosen(&digits), chosen(&period));
                    Pending::new(settings, &name, chosen.ok()?, world)
                });
                let Some(pending) = pending else {
                    let error = Some(if taken {
                        Refused::NameTaken
                    } else {
                        Refused::Over
                    });
                    let again = Again {
                        name,
                        error,
                        ..Again::default()
                    };
                    let page = portal.ask_name(request, &visitor, Kind::Totp, again, world);
                    return Step::Answer(page);
                };
                let ticket = pending.keep(request, &visitor, world);
                let mut answer = Answer::redirect(request.location(&enrol_path(Kind::Totp)));
                answer.cookies.push(ticket);
                Step::Answer(answer)
            },
        )
    }

    fn take_first_code(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        mut form: Form,
        world: &mut dyn World,
    ) -> Step {
        let Some(settings) = &self.settings.second.totp else {
            return Step::Answer(self.refuse(request, 404));
        };
        let code = form.take("code");
        let then = |portal: &Portal,
                    request: &Request<'_>,
                    visitor: &Visitor,
                    outcome: Result<(), Refused>,
                    world: &mut dyn World| {
            let pending = Pending::find(request, visitor, world);
            Step::Answer(match (outcome, pending) {
                (Ok(()), _) => done(request, FACTORS, "added"),
                (Err(Refused::Wrong), Some(pending)) => {
                    let wrong = Some(Refused::Wrong);
                    portal.show_secret(request, visitor, &pending, wrong, world)
                }
                (Err(refused), _) => {
                    let again = Again {
                        alert: Some(refused),
                        ..Again::default()
                    };
                    let page = portal.ask_name(request, visitor, Kind::Totp, again, world);
                    without(page, Ticket::Totp)
                }
            })
        };
        self.finish_totp(request, (visitor, Door::Page), settings, &code, world, then)
    }

    fn begin_key_page(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        name: String,
        world: &mut dyn World,
    ) -> Step {
        let domain = self.settings.domain_of(request.host_name());
        let Some(ceremony) = domain.and_then(|(_, domain)| self.ceremony(domain)) else {
            return Step::Answer(self.refuse(request, 404));
        };
        let typed = name.clone();
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: &Visitor,
                         begun: Result<(Value, String), Refused>,
                         world: &mut dyn World| {
            Step::Answer(match begun {
                Ok((options, ticket)) => {
                    let mut page = portal.show_key(request, visitor, &typed, &options, world);
                    page.cookies.push(ticket);
                    page
                }
                Err(refused) => {
                    let again = Again {
                        name: typed,
                        error: Some(refused),
                        ..Again::default()
                    };
                    portal.ask_name(request, visitor, Kind::Key, again, world)
                }
            })
        };
        self.begin_key(visitor, ceremony, name, Door::Page, world, then)
    }

    fn take_key(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        mut form: Form,
        world: &mut dyn World,
    ) -> Step {
        let domain = self.settings.domain_of(request.host_name());
        let Some(ceremony) = domain.and_then(|(_, domain)| self.ceremony(domain)) else {
            return Step::Answer(self.refuse(request, 404));
        };
        let answer = form.take("response");
        let then = |portal: &Portal,
                    request: &Request<'_>,
                    visitor: &Visitor,
                    outcome: Result<(), Refused>,
                    world: &mut dyn World| {
            Step::Answer(match outcome {
                Ok(()) => done(request, FACTORS, "added"),
                Err(refused) => {
                    let again = Again {
                        alert: Some(refused),
                        ..Again::default()
                    };
                    portal.ask_name(request, visitor, Kind::Key, again, world)
                }
            })
        };
        let answer = answer.as_bytes();
        self.finish_key(
            request,
            (visitor, Door::Page),
            &ceremony,
            answer,
            world,
            then,
        )
    }
}
