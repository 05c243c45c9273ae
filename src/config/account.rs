//! `identity_validation`, `password_policy`, `authentication_backend.password_reset`,
//! `password_change` and `app_passwords`: what users may change themselves.

use url::Url;

use super::later::on;
use super::report::{At, Report};
use super::values::duration;
use crate::portal::{Account, AppPasswords, Elevation, Reset};
use crate::users::{PasswordPolicy, Standard, app_password::LONGEST_LIFE};

/// Seconds that a link to a new password is good for.
const RESET: u64 = 300;
/// Characters below which a code can be guessed.
const SHORT_CODE: usize = 6;
/// What zxcvbn asks for, of 4.
const MIN_SCORE: u8 = 3;

/// Reads all of it. Codes and links are kept in the store and go by mail, so that without either
/// there are none.
pub(super) fn account(root: &At<'_>, stored: bool, mailed: bool, report: &mut Report) -> Account {
    if stored && !mailed {
        report.advise(
            "notifier",
            "is missing, so that no codes can be mailed: nobody can add a second factor or reset \
            a password without an administrator; write notifier.smtp or notifier.filesystem",
        );
    }
    let disabled = |key: &str| root.get(key).is_some_and(|at| on(&at, "disable"));
    Account {
        elevation: elevation(root, report),
        reset: reset(root, stored && mailed, report)
            .filter(|_| !disabled("authentication_backend.password_reset")),
        change_password: stored && !disabled("authentication_backend.password_change"),
        policy: policy(root, report),
        app_passwords: Some(app_passwords(root, report))
            .filter(|_| stored && !disabled("app_passwords")),
    }
}

fn app_passwords(root: &At<'_>, report: &mut Report) -> AppPasswords {
    let at = root.get("app_passwords.maximum_lifetime");
    // What is no duration is told of elsewhere.
    let given = at.as_ref().and_then(|at| Some((at, duration(at).ok()?)));
    if let Some((at, Some(0) | None)) = given {
        report.error(
            at,
            "leaves no time to use an app password; write for instance `90d`, or take it out for no limit",
        );
    }
    let given = given.and_then(|(_, seconds)| seconds);
    AppPasswords {
        maximum_lifetime: given.map(|seconds| seconds.min(LONGEST_LIFE)),
    }
}

fn seconds(root: &At<'_>, key: &str, default: u64) -> u64 {
    let given = root.get(key).and_then(|at| duration(&at).ok().flatten());
    given.filter(|seconds| *seconds > 0).unwrap_or(default)
}

fn elevation(root: &At<'_>, report: &mut Report) -> Elevation {
    const SECTION: &str = "identity_validation.elevated_session";
    let defaults = Elevation::default();
    let key = |key: &str| format!("{SECTION}.{key}");
    let flag = |name: &str| root.get(SECTION).is_some_and(|at| on(&at, name));
    let at = root.get(&key("characters"));
    let characters = at
        .as_ref()
        .and_then(|at| usize::try_from(at.int()?).ok())
        .filter(|n| *n > 0)
        .unwrap_or(defaults.characters);
    if let (Some(at), true) = (at, characters < SHORT_CODE) {
        report.warn(
            &at,
            format!("makes codes that can be guessed; write {SHORT_CODE} or more"),
        );
    }
    Elevation {
        code_lifespan: seconds(root, &key("code_lifespan"), defaults.code_lifespan),
        lifespan: seconds(root, &key("elevation_lifespan"), defaults.lifespan),
        characters,
        require_second_factor: flag("require_second_factor"),
        skip_second_factor: flag("skip_second_factor"),
    }
}

fn reset(root: &At<'_>, can_link: bool, report: &mut Report) -> Option<Reset> {
    let custom = root.get("authentication_backend.password_reset.custom_url");
    if let Some(at) = custom.filter(|at| at.filled().is_some()) {
        let url = Url::parse(at.text()?).ok()?;
        if !matches!(url.scheme(), "https" | "http") {
            report.error(
                &at,
                "must begin with https://; write for instance https://example.com/reset",
            );
        }
        return Some(Reset::Elsewhere(url.into()));
    }
    can_link.then(|| Reset::Link {
        lifespan: seconds(
            root,
            "identity_validation.reset_password.jwt_lifespan",
            RESET,
        ),
    })
}

fn policy(root: &At<'_>, report: &mut Report) -> PasswordPolicy {
    let enabled = |key: &str| root.get(key).filter(|at| on(at, "enabled"));
    let standard = enabled("password_policy.standard");
    let zxcvbn = enabled("password_policy.zxcvbn");
    match (standard, zxcvbn) {
        (Some(_), Some(at)) => {
            report.error(
                &at,
                "cannot be enabled beside password_policy.standard; write `enabled: \
                false` for one of them",
            );
            PasswordPolicy::Off
        }
        (Some(at), None) => PasswordPolicy::Standard(rules(&at, report)),
        (None, Some(at)) => {
            let score = at.get("min_score").and_then(|at| at.int());
            let score = score.and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0);
            PasswordPolicy::Zxcvbn {
                min_score: score.unwrap_or(MIN_SCORE),
            }
        }
        (None, None) => PasswordPolicy::Off,
    }
}

fn rules(at: &At<'_>, report: &mut Report) -> Standard {
    let defaults = Standard::default();
    let number = |key: &str, default: usize| {
        let given = at.get(key).and_then(|at| usize::try_from(at.int()?).ok());
        given.filter(|n| *n > 0).unwrap_or(default)
    };
    let standard = Standard {
        min_length: number("min_length", defaults.min_length),
        max_length: number("max_length", defaults.max_length),
        require_uppercase: on(at, "require_uppercase"),
        require_lowercase: on(at, "require_lowercase"),
        require_number: on(at, "require_number"),
        require_special: on(at, "require_special"),
    };
    let Standard {
        min_length: min,
        max_length: max,
        ..
    } = standard;
    if let (Some(at), true) = (at.get("max_length"), max > 0 && max < min) {
        report.error(
            &at,
            format!("is below min_length ({min}), so that no password would do; write more, or 0"),
        );
    }
    standard
}
