//! `totp`, `webauthn` and `default_2fa_method`: what can be proven beside the password.

use super::later::on;
use super::report::{At, Report};
use super::values::duration;
use crate::factors::totp::{self, Algorithm, Digits, Parameters};
use crate::factors::webauthn::{
    self, Aaguid, Attachment, Attestation, Discoverability, Filtering, UserVerification,
};
use crate::portal::SecondFactors;
use crate::store::SecondFactor;

/// Sections that say nothing without a store.
const SECTIONS: [&str; 6] = [
    "totp",
    "webauthn",
    "default_2fa_method",
    "identity_validation.elevated_session",
    "app_passwords",
    "notifier",
];

/// Reads all of it. Without a store there are no second factors; `wants` is a rule that wants one.
pub(super) fn second_factors(
    root: &At<'_>,
    stored: bool,
    wants: Option<&At<'_>>,
    report: &mut Report,
) -> SecondFactors {
    passkeys(root, report);
    let totp = root.get("totp");
    let webauthn = root.get("webauthn");
    let is_on = |section: &Option<At<'_>>| !section.as_ref().is_some_and(|at| on(at, "disable"));
    let factors = SecondFactors {
        totp: is_on(&totp).then(|| totp_settings(totp.as_ref())),
        webauthn: is_on(&webauthn).then(|| webauthn_settings(webauthn.as_ref(), report)),
        default: preferred(root, report),
    };
    if !stored {
        without_store(root, wants, report);
        return SecondFactors::default();
    }
    if let (None, None, Some(at)) = (&factors.totp, &factors.webauthn, wants) {
        report.warn(
            at,
            "asks for a second factor, but totp.disable and webauthn.disable turn all of them off: \
            nobody gets in there",
        );
    }
    factors
}

fn without_store(root: &At<'_>, wants: Option<&At<'_>>, report: &mut Report) {
    if let Some(at) = wants {
        report.warn(
            at,
            "asks for a second factor, but there is no storage to keep one in: nobody gets in \
            there; write storage.local.path and storage.encryption_key",
        );
    } else if let Some(at) = SECTIONS.iter().find_map(|key| root.get(key)) {
        report.warn(
            &at,
            "has no effect without storage, where second factors, app passwords and codes are kept; write \
            storage.local.path and storage.encryption_key",
        );
    }
}

/// What can stand beside what.
fn passkeys(root: &At<'_>, report: &mut Report) {
    let Some(webauthn) = root.get("webauthn") else {
        return;
    };
    let passkeys = on(&webauthn, "enable_passkey_login");
    if let (Some(at), true, true) = (
        webauthn.get("enable_passkey_login"),
        passkeys,
        on(&webauthn, "disable"),
    ) {
        report.error(
            &at,
            "cannot be true while webauthn.disable is; write false for one of them",
        );
    }
    for key in [
        "experimental_enable_passkey_uv_two_factors",
        "experimental_enable_passkey_upgrade",
    ] {
        if let (Some(at), true, false) = (webauthn.get(key), on(&webauthn, key), passkeys) {
            report.error(&at, "needs webauthn.enable_passkey_login: true");
        }
    }
    let filter = |key: &str| webauthn.get(key).filter(|at| !at.items().is_empty());
    if let (Some(at), Some(_)) = (
        filter("filtering.permitted_aaguids"),
        filter("filtering.prohibited_aaguids"),
    ) {
        report.error(
            &at,
            "cannot stand beside prohibited_aaguids; keep one of the two",
        );
    }
    if let Some(at) = webauthn.get("metadata.enabled")
        && at.bool() == Some(true)
    {
        report.warn(
            &at,
            "wants authenticators verified, for which their makers' certificates are not read \
            here yet: most keys cannot be added; write false to take them unverified",
        );
    }
}

/// `default_2fa_method`.
fn preferred(root: &At<'_>, report: &mut Report) -> Option<SecondFactor> {
    let at = root.get("default_2fa_method")?;
    let (section, method) = match at.filled()? {
        "totp" => ("totp", SecondFactor::Totp),
        "webauthn" => ("webauthn", SecondFactor::Webauthn),
        "mobile_push" => {
            duo(root, &at, report);
            return None;
        }
        _ => return None,
    };
    if root.get(section).is_some_and(|at| on(&at, "disable")) {
        report.error(
            &at,
            format!("names a method that {section}.disable turns off; write another one"),
        );
        return None;
    }
    Some(method)
}

fn duo(root: &At<'_>, at: &At<'_>, report: &mut Report) {
    if root
        .get("duo_api")
        .is_some_and(|section| on(&section, "disable"))
    {
        report.error(
            at,
            "names a method that duo_api.disable turns off; write another one",
        );
    } else {
        report.warn(
            at,
            "has no effect yet: Duo is not built; write totp or webauthn",
        );
    }
}

fn filled_list<'t>(section: Option<&At<'t>>, key: &str) -> Vec<At<'t>> {
    section.map_or(Vec::new(), |at| at.list(key))
}

/// The kinds and ranges of the values were checked before; 0 and nothing mean the default.
fn totp_settings(section: Option<&At<'_>>) -> totp::Settings {
    let defaults = totp::Settings::default();
    let get = |key: &str| section.and_then(|at| at.get(key));
    let text = |key: &str| get(key).and_then(|at| at.filled());
    let number = |key: &str| {
        let number = get(key).and_then(|at| at.int()).filter(|n| *n > 0);
        number.and_then(|n| u64::try_from(n).ok())
    };
    let default = Parameters::parse(
        text("algorithm").unwrap_or(defaults.default.algorithm().word()),
        number("digits").unwrap_or(defaults.default.digits().number().into()),
        number("period").unwrap_or(defaults.default.period().into()),
    );
    let items = |key: &str| filled_list(section, key);
    let skew = get("skew").and_then(|at| at.int());
    let size = number("secret_size").and_then(|n| usize::try_from(n).ok());
    totp::Settings {
        issuer: text("issuer").map_or(defaults.issuer, str::to_owned),
        default: default.unwrap_or_default(),
        algorithms: items("allowed_algorithms")
            .iter()
            .filter_map(|at| Algorithm::from_word(at.text()?))
            .collect(),
        digits: items("allowed_digits")
            .iter()
            .filter_map(|at| Digits::from_number(u64::try_from(at.int()?).ok()?))
            .collect(),
        periods: items("allowed_periods")
            .iter()
            .filter_map(|at| u32::try_from(at.int()?).ok())
            .collect(),
        skew: skew
            .and_then(|n| u8::try_from(n).ok())
            .unwrap_or(defaults.skew),
        secret_size: size.unwrap_or(defaults.secret_size),
        reuse: section.is_some_and(|at| on(at, "disable_reuse_security_policy")),
    }
}

fn webauthn_settings(section: Option<&At<'_>>, report: &mut Report) -> webauthn::Settings {
    let defaults = webauthn::Settings::default();
    let text = |key: &str| {
        section
            .and_then(|at| at.get(key))
            .and_then(|at| at.filled())
    };
    let flag = |key: &str| section.is_some_and(|at| on(at, key));
    let timeout = section
        .and_then(|at| at.get("timeout"))
        .and_then(|at| duration(&at).ok().flatten())
        .filter(|seconds| *seconds > 0)
        .map(|seconds| u32::try_from(seconds.saturating_mul(1000)).unwrap_or(u32::MAX));
    webauthn::Settings {
        display_name: text("display_name").map_or(defaults.display_name, str::to_owned),
        timeout: timeout.unwrap_or(defaults.timeout),
        attestation: text("attestation_conveyance_preference")
            .and_then(Attestation::from_word)
            .unwrap_or_default(),
        accept_unverified: !flag("metadata.enabled"),
        attachment: text("selection_criteria.attachment").and_then(Attachment::from_word),
        discoverability: text("selection_criteria.discoverability")
            .and_then(Discoverability::from_word)
            .unwrap_or_default(),
        user_verification: text("selection_criteria.user_verification")
            .and_then(UserVerification::from_word)
            .unwrap_or_default(),
        filtering: Filtering {
            permitted: models(section, "filtering.permitted_aaguids", report),
            prohibited: models(section, "filtering.prohibited_aaguids", report),
            prohibit_backup_eligibility: flag("filtering.prohibit_backup_eligibility"),
        },
        passkey_login: flag("enable_passkey_login"),
        passkey_two_factors: flag("experimental_enable_passkey_uv_two_factors"),
        passkey_upgrade: flag("experimental_enable_passkey_upgrade"),
    }
}

/// A model that cannot be read would let through what it was to keep out.
fn models(section: Option<&At<'_>>, key: &str, report: &mut Report) -> Vec<Aaguid> {
    let mut models = Vec::new();
    for at in filled_list(section, key) {
        let text = at.text().unwrap_or_default();
        match Aaguid::parse(text) {
            Some(model) => models.push(model),
            None => report.error(
                &at,
                format!(
                    "`{text}` is no AAGUID; write for instance \
                    cb69481e-8ff7-4039-93ec-0a2729a154a8"
                ),
            ),
        }
    }
    models
}
