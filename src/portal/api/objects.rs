//! The objects of the API, as Authelia writes and reads them.

use cookie::time::OffsetDateTime;
use cookie::time::format_description::well_known::Rfc3339;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::portal::request::Request;
use crate::users;

#[derive(Serialize)]
pub(super) struct Success<T: Serialize> {
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<T>,
}

#[derive(Serialize)]
pub(super) struct Failure {
    pub(super) status: &'static str,
    pub(super) message: &'static str,
}

#[derive(Serialize)]
pub(super) struct Redirect<'a> {
    pub(super) redirect: &'a str,
}

#[derive(Serialize)]
pub(super) struct State<'a> {
    pub(super) username: &'a str,
    pub(super) authentication_level: u8,
    pub(super) factor_knowledge: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_redirection_url: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct UserInfo<'a> {
    pub(super) display_name: &'a str,
    pub(super) emails: Option<Vec<String>>,
    pub(super) method: &'static str,
    pub(super) has_totp: bool,
    pub(super) has_webauthn: bool,
    pub(super) has_duo: bool,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) available_methods: Vec<&'static str>,
    pub(super) password_change_disabled: bool,
    pub(super) password_reset_disabled: bool,
}

#[derive(Serialize)]
pub(super) struct PasswordPolicy {
    pub(super) mode: &'static str,
    pub(super) min_length: usize,
    pub(super) max_length: usize,
    pub(super) min_score: u8,
    pub(super) require_uppercase: bool,
    pub(super) require_lowercase: bool,
    pub(super) require_number: bool,
    pub(super) require_special: bool,
}

#[derive(Serialize)]
pub(super) struct SignedOut {
    #[serde(rename = "safeTargetURL")]
    pub(super) safe_target_url: bool,
}

#[derive(Serialize)]
pub(super) struct Safe {
    pub(super) ok: bool,
}

#[derive(Deserialize)]
pub(super) struct FirstFactorBody {
    pub(super) username: String,
    pub(super) password: String,
    #[serde(default, rename = "keepMeLoggedIn")]
    pub(super) keep_me_logged_in: Option<bool>,
    #[serde(default, rename = "targetURL")]
    pub(super) target_url: Option<String>,
    #[serde(default, rename = "requestMethod")]
    pub(super) request_method: Option<String>,
}

#[derive(Default, Deserialize)]
pub(super) struct SignOutBody {
    #[serde(default, rename = "targetURL")]
    pub(super) target_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SafeRedirectionBody {
    pub(super) uri: String,
}

impl PasswordPolicy {
    /// The policy in Authelia's words.
    pub(super) fn of(policy: &users::PasswordPolicy) -> Self {
        let off = PasswordPolicy {
            mode: "disabled",
            min_length: 0,
            max_length: 0,
            min_score: 0,
            require_uppercase: false,
            require_lowercase: false,
            require_number: false,
            require_special: false,
        };
        match policy {
            users::PasswordPolicy::Off => off,
            users::PasswordPolicy::Zxcvbn { min_score } => PasswordPolicy {
                mode: "zxcvbn",
                min_score: *min_score,
                ..off
            },
            users::PasswordPolicy::Standard(standard) => PasswordPolicy {
                mode: "standard",
                min_length: standard.min_length,
                max_length: standard.max_length,
                require_uppercase: standard.require_uppercase,
                require_lowercase: standard.require_lowercase,
                require_number: standard.require_number,
                require_special: standard.require_special,
                ..off
            },
        }
    }
}

pub(super) fn fine() -> Success<()> {
    Success {
        status: "OK",
        data: None,
    }
}

pub(super) fn data<T: Serialize>(data: T) -> Success<T> {
    Success {
        status: "OK",
        data: Some(data),
    }
}

/// The JSON object in the body. Anything but an object is nothing, also what is said to be a form:
/// a page of another site can send one without asking.
pub(super) fn object<T: DeserializeOwned>(request: &Request<'_>) -> Option<T> {
    let is_json = request.has_content_type("application/json");
    let is_object = request.body.trim_ascii_start().first() == Some(&b'{');
    if !is_object || (request.headers.content_type.is_some() && !is_json) {
        return None;
    }
    serde_json::from_slice(request.body).ok()
}

/// A time (Unix seconds) as the API writes it; empty for one beyond the year 9999.
pub(super) fn rfc3339(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
    time.and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// An address with all but the first and the last letter before the `@` starred.
pub(in crate::portal) fn redact(email: &str) -> String {
    let Some((local, domain)) = email.rsplit_once('@') else {
        return String::new();
    };
    let letters: Vec<char> = local.chars().collect();
    let starred: String = match letters.as_slice() {
        [first, middle @ .., last] if !middle.is_empty() => {
            format!("{first}{}{last}", "*".repeat(middle.len()))
        }
        few => "*".repeat(few.len()),
    };
    format!("{starred}@{domain}")
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn addresses_are_starred() {
        assert_eq!(redact("alice@example.com"), "a***e@example.com");
        assert_eq!(redact("Jürgen@example.com"), "J****n@example.com");
        assert_eq!(redact("ab@example.com"), "**@example.com");
        assert_eq!(redact("no address"), "");
    }
}
