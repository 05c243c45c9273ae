//! What the pages of an enrolment show.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::factors::{qr, totp};
use crate::portal::Portal;
use crate::portal::account::change::Kind;
use crate::portal::account::devices::Refused;
use crate::portal::account::totp::Pending;
use crate::portal::answer::Answer;
use crate::portal::messages::AccountMessages;
use crate::portal::pages::{Choice, KeyPage, NamePage, SCRIPT_PATH, TotpPage};
use crate::portal::request::Request;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;

use super::super::devices::said;
use super::super::{enrol_path, to_factors, token};
use super::{Again, CHOICES};

impl Portal {
    pub(super) fn ask_name(
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

    pub(super) fn show_secret(
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

    pub(super) fn show_key(
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
