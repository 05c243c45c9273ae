//! Texts of the pages on which a second factor is proven, and of passkeys on the login page.

/// Texts of the pages on which a second factor is proven, and of passkeys on the login page.
#[derive(Debug)]
pub struct SecondMessages {
    /// Heading.
    pub heading: &'static str,
    /// Button that hands in a code or a password.
    pub confirm: &'static str,

    /// Label of the field for a one-time code.
    pub code: &'static str,
    /// Below that field: where to find one.
    pub code_hint: &'static str,
    /// Beside an empty code.
    pub code_missing: &'static str,
    /// Every code that is not taken.
    pub code_wrong: &'static str,
    /// Link from keys to codes.
    pub use_code: &'static str,

    /// What to do with a security key.
    pub key_hint: &'static str,
    /// Button that asks the key.
    pub key_button: &'static str,
    /// Every key that is not taken.
    pub key_failed: &'static str,
    /// The browser knows no keys.
    pub key_unsupported: &'static str,
    /// The browser runs no script.
    pub key_script: &'static str,
    /// Link from codes to keys.
    pub use_key: &'static str,

    /// Why a password is asked for after a passkey.
    pub password_hint: &'static str,
    /// Beside an empty password.
    pub password_missing: &'static str,
    /// Every password that is not taken.
    pub password_wrong: &'static str,

    /// Nothing is enrolled.
    pub none_enrolled: &'static str,
    /// Link to where something is.
    pub enrol: &'static str,
    /// Second factors are switched off.
    pub none_here: &'static str,

    /// Button on the login page.
    pub passkey: &'static str,
    /// Every passkey that is not taken.
    pub passkey_failed: &'static str,
}

pub(super) const ENGLISH: SecondMessages = SecondMessages {
    heading: "One more step is needed",
    confirm: "Continue",

    code: "One-time code",
    code_hint: "The code that your authenticator app shows now.",
    code_missing: "Enter the code from your authenticator app.",
    code_wrong: "That code did not work. Each code works once: wait for the next one, then try again.",
    use_code: "Use a one-time code instead",

    key_hint: "Have your security key or passkey at hand. Your browser will ask for it.",
    key_button: "Use security key or passkey",
    key_failed: "That did not work. Try once more with a key that you have set up here.",
    key_unsupported: "This browser cannot use security keys. Open this page in another one.",
    key_script: "Security keys need JavaScript. Allow it for this page, then open it again.",
    use_key: "Use a security key instead",

    password_hint: "Your passkey was right. This site asks for your password as well.",
    password_missing: "Enter your password.",
    password_wrong: "That password did not work. Check it and try again.",

    none_enrolled: "Your password was right, but your account has no second factor yet. Set one up to go on.",
    enrol: "Set up a second factor",
    none_here: "A second factor is asked for, and none is switched on here. Your password was right; ask the administrator of this site for access.",

    passkey: "Sign in with a passkey",
    passkey_failed: "That passkey did not work. Try again, or sign in with your password.",
};
