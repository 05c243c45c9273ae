//! One-time codes: a code counts once, for one step of time of one device.

use zeroize::Zeroizing;

use crate::factors::totp::{Key, Parameters, Secret, Settings, Step as TimeStep};
use crate::portal::csrf;
use crate::portal::errand::{Cost, Office, Outage};
use crate::portal::login::Door;
use crate::portal::onward::Wish;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::session::{Methods, SKEW};
use crate::store::{SecondFactor, TotpDevice};
use secrecy::ExposeSecret;

use super::proof::Proof;
use super::{FORM, View};

impl Portal {
    /// The form with a code as it comes back.
    pub(super) fn code_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let (mut form, visitor, wish) = match self.factor_form(request, domain, true, world) {
            Ok(sent) => sent,
            Err(answer) => return Step::Answer(*answer),
        };
        let (t, code) = (request.messages(), form.take("code"));
        let view = View::new(Some(SecondFactor::Totp), wish);
        if !csrf::verify_session(world.keys(), FORM, &visitor.key, &form.take("token")) {
            let view = view.alarmed(403, t.form_expired);
            return self.show_factor(request, domain, visitor, view, world);
        }
        if code.trim().is_empty() {
            let view = view.failed(400, t.second.code_missing);
            return self.show_factor(request, domain, visitor, view, world);
        }
        self.try_code(request, (visitor, Door::Page, view.wish), code, world)
    }

    /// Checks a code of the visitor.
    pub(in crate::portal) fn try_code(
        &self,
        request: &Request<'_>,
        who: (Visitor, Door, Wish),
        code: Zeroizing<String>,
        world: &mut dyn World,
    ) -> Step {
        let Some(settings) = self.settings.second.totp.clone() else {
            return Step::Answer(self.refuse(request, 404));
        };
        let attempt = match self.take_on(request, who, SecondFactor::Totp, world) {
            Ok(attempt) => attempt,
            Err(answer) => return Step::Answer(*answer),
        };
        let (user, counts, now) = (attempt.visitor.name.clone(), attempt.counts(), request.now);
        Step::counted(
            Cost::Waits,
            attempt.door,
            attempt.reservation,
            move |office| check(office, &user, &code, &settings, counts, now),
            move |portal, request, proof, world| {
                portal.settle_factor(request, attempt, proof, world)
            },
        )
    }
}

/// Checks `code` against every device of `user`, and uses it up if it `counts`.
fn check(
    office: &dyn Office,
    user: &str,
    code: &str,
    settings: &Settings,
    counts: bool,
    now: u64,
) -> Result<Proof, Outage> {
    let factors = office.factors()?;
    for device in factors.totp_devices(user)? {
        let right =
            key_of(&device).and_then(|key| Some((key.check(code, settings.skew, now)?, key)));
        let Some((step, key)) = right.filter(|_| counts) else {
            continue;
        };
        // The first device decides: two that share a secret must not make one code two.
        let good = match settings.reuse {
            true => factors.note_totp(user, device.id, now)?,
            false => {
                let until = end(step, &key, settings.skew);
                factors.spend_step(user, device.id, step.0, until, now)?
            }
        };
        return Ok(match good {
            true => Ok(Methods::TOTP),
            false => Err("the code was used before".to_owned()),
        });
    }
    Ok(Err("the code is wrong".to_owned()))
}

/// When no code of `step` is right any more, whichever of our clocks is asked.
pub(in crate::portal) fn end(step: TimeStep, key: &Key, skew: u8) -> u64 {
    let last = step.0.saturating_add(u64::from(skew) + 1);
    last.saturating_mul(key.parameters.period().into())
        .saturating_add(SKEW)
}

/// The key of a device; `None` for one that makes codes in a way that is not known here.
fn key_of(device: &TotpDevice) -> Option<Key> {
    let device = &device.device;
    let (word, digits, period) = (device.algorithm.word(), device.digits, device.period);
    Some(Key {
        secret: Secret::new(device.secret.expose_secret().to_vec()).ok()?,
        parameters: Parameters::parse(word, digits.into(), period.into()).ok()?,
    })
}
