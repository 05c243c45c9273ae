//! The second factors of a user: the list, one of them, and which is asked for first.

use crate::portal::account::change::Kind;
use crate::portal::account::devices::Refused;
use crate::portal::answer::Answer;
use crate::portal::dates;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::messages::{AccountMessages, Messages};
use crate::portal::pages::{DeviceLine, DevicePage, FactorsPage, Preferred, Section};
use crate::portal::request::Request;
use crate::portal::second::Ways;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::{Factors, SecondFactor};

use super::{
    FACTORS, PREFERRED, device_path, done, enrol_path, note, to_factors, to_overview, token,
};

/// A device as pages show it.
struct Shown {
    id: i64,
    name: String,
    created: u64,
    last_used: Option<u64>,
}

/// Everything that the list shows.
struct All {
    totp: Vec<Shown>,
    keys: Vec<Shown>,
    preferred: Option<SecondFactor>,
}

impl Shown {
    fn when(&self, t: &AccountMessages) -> String {
        let added = t.added.with(&dates::minute(self.created));
        match self.last_used {
            None => format!("{added} {}", t.never_used),
            Some(used) => format!("{added} {}", t.last_used.with(&dates::minute(used))),
        }
    }
}

/// The devices of one kind; keys those of `party`.
fn list(
    factors: &dyn Factors,
    user: &str,
    kind: Kind,
    party: Option<&str>,
) -> Result<Vec<Shown>, Outage> {
    let shown = |id, name, created, last_used| Shown {
        id,
        name,
        created,
        last_used,
    };
    Ok(match kind {
        Kind::Totp => {
            let found = factors.totp_devices(user)?.into_iter();
            found
                .map(|one| shown(one.id, one.device.name, one.created, one.last_used))
                .collect()
        }
        Kind::Key => {
            let found = factors.credentials(user)?.into_iter();
            found
                .filter(|one| party.is_none_or(|party| one.credential.rp_id == party))
                .map(|one| shown(one.id, one.credential.name, one.created, one.last_used))
                .collect()
        }
    })
}

impl Portal {
    pub(super) fn factors_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Visitor,
    ) -> Step {
        let offered = self.offered(domain);
        if !offered.any() {
            return Step::Answer(self.refuse(request, 404));
        }
        let party = self.keys(domain).map(|(_, party)| party.id().to_owned());
        let user = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<All, Outage> {
            let factors = office.factors()?;
            Ok(All {
                totp: list(factors, &user, Kind::Totp, None)?,
                keys: list(factors, &user, Kind::Key, party.as_deref())?,
                preferred: factors.preferred(&user)?,
            })
        };
        Step::attempt(
            Cost::Waits,
            Door::Page,
            work,
            move |portal, request, all, world| {
                Step::Answer(portal.show_factors(request, &visitor, offered, &all, world))
            },
        )
    }

    fn show_factors(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        offered: Ways,
        all: &All,
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let mut sections = Vec::new();
        if offered.totp {
            sections.push(section(request, Kind::Totp, &all.totp));
        }
        if offered.webauthn {
            sections.push(section(request, Kind::Key, &all.keys));
        }
        let enrolled = Ways {
            totp: offered.totp && !all.totp.is_empty(),
            webauthn: offered.webauthn && !all.keys.is_empty(),
        };
        let default = self.settings.second.default;
        let kept = [all.preferred, default].into_iter().flatten();
        let first = kept.chain(enrolled.all()).find(|way| enrolled.has(*way));
        let others = enrolled.all().filter(|way| Some(*way) != first);
        let others = others.map(|way| {
            let label = t.account.prefer.with(label(way, t));
            (way.word(), label)
        });
        let others: Vec<_> = others.collect();
        let preferred = first.filter(|_| !others.is_empty()).map(|first| Preferred {
            text: t.account.preferred_is.with(label(first, t)),
            action: request.link(PREFERRED),
            token: token(visitor, world),
            others,
        });
        let page = FactorsPage {
            frame: self.frame(request, t.account.two_factor, 200),
            t,
            note: note(request),
            sections,
            preferred,
            back: to_overview(request),
        };
        self.page(200, &page)
    }

    /// Which factor is asked for first.
    pub(super) fn preferred_form(&self, domain: &Domain, mut form: Form, visitor: Visitor) -> Step {
        let offered = self.offered(domain);
        let method = SecondFactor::from_word(&form.take("method"));
        let method = method.filter(|method| offered.has(*method));
        Step::attempt(
            Cost::Waits,
            Door::Page,
            move |office| {
                if let Some(method) = method {
                    office.factors()?.prefer(&visitor.name, method)?;
                }
                Ok(())
            },
            |_, request, (), _| Step::Answer(done(request, FACTORS, "preferred")),
        )
    }

    pub(super) fn device_page(
        &self,
        request: &Request<'_>,
        device: (Kind, i64),
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let then = move |portal: &Portal, _: &Request<'_>, visitor: Visitor, _: &mut dyn World| {
            portal.show_device(visitor, device, None)
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    /// Gives a device another name, or removes it.
    pub(super) fn device_form(
        &self,
        request: &Request<'_>,
        device: (Kind, i64),
        mut form: Form,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let (what, name) = (form.take("do"), form.take("name"));
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: Visitor,
                         world: &mut dyn World| {
            match what.as_str() {
                "remove" => {
                    let then = |_: &Portal,
                                request: &Request<'_>,
                                _: &Visitor,
                                _: Result<(), Refused>,
                                _: &mut dyn World| {
                        // What is gone already is what was wanted.
                        Step::Answer(done(request, FACTORS, "removed"))
                    };
                    portal.remove_device(request, visitor, device, Door::Page, world, then)
                }
                "rename" => portal.rename_on_page(visitor, device, &name),
                _ => Step::Answer(portal.refuse(request, 400)),
            }
        };
        self.with_leave(request, visitor, Door::Page, world, then)
    }

    fn rename_on_page(&self, visitor: Visitor, device: (Kind, i64), name: &str) -> Step {
        let typed = name.to_owned();
        self.rename_device(
            visitor,
            device,
            name,
            Door::Page,
            move |portal: &Portal,
                  request: &Request<'_>,
                  visitor: &Visitor,
                  outcome: Result<(), Refused>,
                  _: &mut dyn World| match outcome {
                Ok(()) => Step::Answer(done(request, FACTORS, "renamed")),
                Err(refused) => portal.show_device(visitor.clone(), device, Some((typed, refused))),
            },
        )
    }

    /// The page of one device; again where a name could not be taken.
    fn show_device(
        &self,
        visitor: Visitor,
        (kind, id): (Kind, i64),
        again: Option<(String, Refused)>,
    ) -> Step {
        let user = visitor.name.clone();
        let work = move |office: &mut dyn Office| -> Result<Option<Shown>, Outage> {
            let all = list(office.factors()?, &user, kind, None)?;
            Ok(all.into_iter().find(|device| device.id == id))
        };
        Step::attempt(
            Cost::Waits,
            Door::Page,
            work,
            move |portal, request, found, world| {
                let Some(found) = found else {
                    return Step::Answer(portal.refuse(request, 404));
                };
                let t = request.messages();
                let (name, error) = match &again {
                    None => (found.name.as_str(), None),
                    Some((typed, refused)) => (typed.as_str(), Some(said(*refused, t))),
                };
                let status = if error.is_some() { 400 } else { 200 };
                let page = DevicePage {
                    frame: portal.frame(request, &found.name, status),
                    t,
                    kind: kind.label(t),
                    heading: &found.name,
                    when: &found.when(&t.account),
                    action: request.link(&device_path(kind, id)),
                    token: token(&visitor, world),
                    name,
                    error,
                    back: to_factors(request),
                };
                Step::Answer(portal.page(status, &page))
            },
        )
    }
}

fn section(request: &Request<'_>, kind: Kind, devices: &[Shown]) -> Section {
    let t = &request.messages().account;
    let (heading, text, add) = match kind {
        Kind::Totp => (t.totp_heading, t.totp_text, t.add_totp),
        Kind::Key => (t.key_heading, t.key_text, t.add_key),
    };
    let line = |device: &Shown| DeviceLine {
        name: device.name.clone(),
        when: device.when(t),
        address: request.link(&device_path(kind, device.id)),
    };
    Section {
        heading,
        text,
        devices: devices.iter().map(line).collect(),
        add: (request.link(&enrol_path(kind)), add),
    }
}

/// What a user is told of a refusal.
pub(super) fn said(refused: Refused, t: &Messages) -> &'static str {
    let t = &t.account;
    match refused {
        Refused::Over => t.over,
        Refused::Wrong => t.first_code_wrong,
        Refused::NameTaken => t.name_taken,
        Refused::BadName => t.bad_name,
        Refused::TooMany => t.too_many_devices,
        Refused::KeyTaken => t.key_taken,
        Refused::Gone => t.gone,
    }
}

fn label(way: SecondFactor, t: &Messages) -> &'static str {
    match way {
        SecondFactor::Totp => t.account.totp,
        SecondFactor::Webauthn => t.account.key,
    }
}
