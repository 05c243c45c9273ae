//! Enrolling a second factor: its name, then the app's first code or the key itself.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::factors::{qr, totp};
use crate::portal::account::change::Kind;
use crate::portal::account::devices::{Refused, names, tidy_name};
use crate::portal::account::totp::{Pending, without};
use crate::portal::answer::Answer;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::messages::AccountMessages;
use crate::portal::pages::{Choice, KeyPage, NamePage, SCRIPT_PATH, TotpPage};
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::ticket::Ticket;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::devices::said;
use super::{FACTORS, done, enrol_path, to_factors, token};

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
        self.finish_totp(request, visitor, settings, &code, Door::Page, world, then)
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
        self.finish_key(request, visitor, &ceremony, answer, Door::Page, world, then)
    }

    fn ask_name(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        kind: Kind,
        again: Again,
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let is_error = again.alert.is_some() || again.error.is_some();
        let status = if is_error { 400 } else { 200 };
        let said = |refused: Refused| match (kind, refused) {
            (Kind::Key, Refused::Wrong) => t.account.key_failed,
            _ => said(refused, t),
        };
        let (heading, text) = match kind {
            Kind::Totp => (t.account.add_totp, t.account.name_totp),
            Kind::Key => (t.account.add_key, t.account.name_key),
        };
        let offer = self.settings.second.totp.as_ref();
        let offer = offer.filter(|_| kind == Kind::Totp);
        let page = NamePage {
            frame: self.frame(request, heading, status),
            t,
            heading,
            text,
            action: request.link(&enrol_path(kind)),
            token: token(visitor, world),
            name: &again.name,
            alert: again.alert.map(said),
            error: again.error.map(said),
            choices: offer.map_or_else(Vec::new, |settings| choices(settings, &t.account)),
            back: to_factors(request),
        };
        self.page(status, &page)
    }

    fn show_secret(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        pending: &Pending,
        error: Option<Refused>,
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let status = if error.is_some() { 401 } else { 200 };
        let settings = self.settings.second.totp.as_ref();
        let issuer = settings.map_or("", |settings| settings.issuer.as_str());
        let address = pending.key.uri(issuer, &visitor.name);
        let secret = pending.key.secret.base32();
        let groups: Vec<_> = secret.expose_secret().as_bytes().chunks(4).collect();
        let secret = String::from_utf8_lossy(&groups.join(&b' ')).into_owned();
        // A long issuer may not fit; then there is the text.
        let qr = qr::svg(address.expose_secret(), t.account.qr_label).unwrap_or_default();
        let page = TotpPage {
            frame: self.frame(request, t.account.add_totp, status),
            t,
            qr: &qr,
            address: address.expose_secret(),
            secret: &secret,
            action: request.link(&enrol_path(Kind::Totp)),
            token: token(visitor, world),
            error: error.map(|refused| said(refused, t)),
            back: to_factors(request),
        };
        self.page(status, &page)
    }

    fn show_key(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        name: &str,
        options: &Value,
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let page = KeyPage {
            frame: self.frame(request, t.account.add_key, 200),
            t,
            name,
            action: request.link(&enrol_path(Kind::Key)),
            token: token(visitor, world),
            options: &options.to_string(),
            script: request.link(SCRIPT_PATH),
            back: to_factors(request),
        };
        self.script_page(200, &page)
    }
}

/// What can be chosen of how codes are made, where there is a choice.
fn choices(settings: &totp::Settings, t: &'static AccountMessages) -> Vec<Choice> {
    let offer = settings.offer();
    let words = offer.algorithms.iter().map(|one| one.word().to_owned());
    let numbers = |all: &[u32]| all.iter().map(u32::to_string).collect::<Vec<_>>();
    let [algorithm, digits, period] = CHOICES;
    let choices = [
        (
            algorithm,
            t.algorithm,
            words.collect(),
            offer.algorithm.word().to_owned(),
        ),
        (
            digits,
            t.digits,
            numbers(&offer.lengths),
            offer.length.to_string(),
        ),
        (
            period,
            t.period,
            numbers(&offer.periods),
            offer.period.to_string(),
        ),
    ];
    let choices = choices
        .into_iter()
        .map(|(field, label, mut values, default)| {
            values.retain(|value| *value != default);
            values.insert(0, default);
            Choice {
                field,
                label,
                values,
            }
        });
    choices.filter(|choice| choice.values.len() > 1).collect()
}
