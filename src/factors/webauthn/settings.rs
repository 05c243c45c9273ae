//! The section `webauthn` of the configuration.

use serde::Serialize;

use super::Aaguid;

/// How much the authenticator has to know of its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UserVerification {
    /// Nothing.
    Discouraged,
    /// PIN or finger where it can.
    #[default]
    Preferred,
    /// PIN or finger, or it does not count.
    Required,
}

/// Whether the authenticator keeps the credential itself, so that nobody has to type a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Discoverability {
    /// Better not.
    Discouraged,
    /// Where it can.
    #[default]
    Preferred,
    /// Always.
    Required,
}

/// Which authenticators are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attachment {
    /// Those built into the machine.
    Platform,
    /// Those one carries around.
    CrossPlatform,
}

/// What the authenticator is asked to say of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Attestation {
    /// Nothing.
    None,
    /// What the browser lets through.
    #[default]
    Indirect,
    /// Everything.
    Direct,
}

/// Which authenticators may be registered. Without verified attestation this keeps honest people
/// to it, not dishonest ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filtering {
    /// Only these models, if any is given.
    pub permitted: Vec<Aaguid>,
    /// Not these models.
    pub prohibited: Vec<Aaguid>,
    /// None whose credentials can be copied to other machines.
    pub prohibit_backup_eligibility: bool,
}

/// The section `webauthn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whose account the browser says it is.
    pub display_name: String,
    /// How long the browser waits, in milliseconds.
    pub timeout: u32,
    /// What is asked of the authenticator about itself.
    pub attestation: Attestation,
    /// Whether statements about the authenticator that nobody here can check are taken. `false` is
    /// for a configuration that wants authenticators verified: it refuses what cannot be.
    pub accept_unverified: bool,
    /// Which authenticators are offered; `None` is all.
    pub attachment: Option<Attachment>,
    /// Whether the credential is a passkey.
    pub discoverability: Discoverability,
    /// Whether the user is verified.
    pub user_verification: UserVerification,
    /// Which authenticators may be registered.
    pub filtering: Filtering,
    /// Whether a passkey signs in alone, without name and password.
    pub passkey_login: bool,
    /// Whether a passkey that verified its user counts as two factors.
    pub passkey_two_factors: bool,
    /// Whether a credential that signs in as a passkey is marked as one, though at registration
    /// nobody said so.
    pub passkey_upgrade: bool,
}

impl UserVerification {
    /// What configurations call by that word.
    pub fn from_word(word: &str) -> Option<UserVerification> {
        match word {
            "discouraged" => Some(UserVerification::Discouraged),
            "preferred" => Some(UserVerification::Preferred),
            "required" => Some(UserVerification::Required),
            _ => None,
        }
    }
}

impl Discoverability {
    /// What configurations call by that word.
    pub fn from_word(word: &str) -> Option<Discoverability> {
        match word {
            "discouraged" => Some(Discoverability::Discouraged),
            "preferred" => Some(Discoverability::Preferred),
            "required" => Some(Discoverability::Required),
            _ => None,
        }
    }
}

impl Attachment {
    /// What configurations call by that word.
    pub fn from_word(word: &str) -> Option<Attachment> {
        match word {
            "platform" => Some(Attachment::Platform),
            "cross-platform" => Some(Attachment::CrossPlatform),
            _ => None,
        }
    }

    /// The word for it, in configurations and stores.
    pub fn word(self) -> &'static str {
        match self {
            Attachment::Platform => "platform",
            Attachment::CrossPlatform => "cross-platform",
        }
    }
}

impl Attestation {
    /// What configurations call by that word.
    pub fn from_word(word: &str) -> Option<Attestation> {
        match word {
            "none" => Some(Attestation::None),
            "indirect" => Some(Attestation::Indirect),
            "direct" => Some(Attestation::Direct),
            _ => None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            display_name: "Authelia".to_owned(),
            timeout: 60_000,
            attestation: Attestation::default(),
            accept_unverified: true,
            attachment: None,
            discoverability: Discoverability::default(),
            user_verification: UserVerification::default(),
            filtering: Filtering::default(),
            passkey_login: false,
            passkey_two_factors: false,
            passkey_upgrade: false,
        }
    }
}

impl Filtering {
    /// Whether an authenticator of this model may be registered.
    pub fn allows(&self, model: Aaguid) -> bool {
        let permitted = self.permitted.is_empty() || self.permitted.contains(&model);
        permitted && !self.prohibited.contains(&model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_configurations_are_those_that_browsers_get() {
        let json = |value: serde_json::Value| value.as_str().map(str::to_owned);
        for word in ["discouraged", "preferred", "required"] {
            let verification = UserVerification::from_word(word).unwrap();
            let discoverability = Discoverability::from_word(word).unwrap();
            assert_eq!(json(serde_json::json!(verification)).as_deref(), Some(word));
            assert_eq!(
                json(serde_json::json!(discoverability)).as_deref(),
                Some(word)
            );
        }
        for word in ["platform", "cross-platform"] {
            let attachment = Attachment::from_word(word).unwrap();
            assert_eq!(json(serde_json::json!(attachment)).as_deref(), Some(word));
            assert_eq!(attachment.word(), word);
        }
        for word in ["none", "indirect", "direct"] {
            let attestation = Attestation::from_word(word).unwrap();
            assert_eq!(json(serde_json::json!(attestation)).as_deref(), Some(word));
        }
        assert_eq!(Attestation::from_word("enterprise"), None);
        assert_eq!(Attachment::from_word(""), None);
    }
}
