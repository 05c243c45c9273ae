//! Texts of the pages of app passwords, and of the letters about them.

use super::Phrase;

/// Texts of the pages of app passwords, and of the letters about them. Names say what a text is for; a
/// place is described where it is not plain.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct AppPasswordMessages {
    pub heading: &'static str,
    pub text: &'static str,
    pub explained: &'static str,
    pub none: &'static str,
    pub to_list: &'static str,
    pub add: &'static str,
    pub was_revoked: &'static str,
    /// What it opens; the place is a list of hosts.
    pub opens: Phrase,
    pub opens_all: &'static str,
    pub made_at: Phrase,
    pub last_used: Phrase,
    pub never_used: &'static str,
    pub ends: Phrase,
    pub never_ends: &'static str,
    pub expired: Phrase,
    pub name_hint: &'static str,
    pub lifetime: &'static str,
    pub days: Phrase,
    pub hours: Phrase,
    pub seconds: Phrase,
    pub no_end: &'static str,
    pub hosts: &'static str,
    pub hosts_hint: &'static str,
    /// The place is what was typed.
    pub bad_host: Phrase,
    pub too_many_hosts: Phrase,
    pub bad_lifetime: &'static str,
    pub make: &'static str,
    pub made: &'static str,
    /// The place is the user's name.
    pub use_it: Phrase,
    pub once: &'static str,
    pub value: &'static str,
    pub done: &'static str,
    pub revoke_heading: &'static str,
    pub revoke_text: &'static str,
    pub revoke: &'static str,
    pub name_taken: &'static str,
    pub too_many: &'static str,
    pub letter_added_title: &'static str,
    /// The place is the portal's host.
    pub letter_added: Phrase,
    pub letter_revoked_title: &'static str,
    /// The place is the portal's host.
    pub letter_revoked: Phrase,
    pub letter_doubt: &'static str,
}

pub(super) const ENGLISH: AppPasswordMessages = AppPasswordMessages {
    heading: "App passwords",
    text: "For programs that cannot open this page: calendars, backups, scripts.",
    explained: "A program that cannot open the sign-in page uses one of these instead of your password. Give each program its own, so that you can take it away alone.",
    none: "You have none.",
    to_list: "Back to app passwords",
    add: "Add an app password",
    was_revoked: "It was revoked. Whatever used it is shut out.",
    opens: Phrase("For {}."),
    opens_all: "For every site.",
    made_at: Phrase("Made {}."),
    last_used: Phrase("Last used about {}."),
    never_used: "Not used yet.",
    ends: Phrase("Good until {}."),
    never_ends: "Without end.",
    expired: Phrase("Expired {}."),
    name_hint: "Name the program and where it runs, for instance “Calendar on my phone”.",
    lifetime: "Good for",
    days: Phrase("{} days"),
    hours: Phrase("{} hours"),
    seconds: Phrase("{} seconds"),
    no_end: "No end",
    hosts: "Only for these sites (optional)",
    hosts_hint: "Names such as dav.example.com, or *.example.com for all below it. Leave it empty for every site that you may open with your password alone.",
    bad_host: Phrase(
        "“{}” is no site. Write a name such as dav.example.com, without https:// and without a path.",
    ),
    too_many_hosts: Phrase("Write at most {} sites, or *.example.com for all below a name."),
    bad_lifetime: "Choose how long it is good for.",
    make: "Make it",
    made: "Your new app password",
    use_it: Phrase(
        "Copy it into the program, as the password of the user {}; or as its bearer token, where it asks for one.",
    ),
    once: "You see it only now. If you lose it, revoke it and make another.",
    value: "App password",
    done: "I have copied it",
    revoke_heading: "Revoke it",
    revoke_text: "Whatever uses it is shut out at once. This cannot be undone.",
    revoke: "Revoke",
    name_taken: "You have an app password of that name already. Choose another name.",
    too_many: "You have as many app passwords as one may have. Revoke one first.",
    letter_added_title: "App password added",
    letter_added: Phrase(
        "An app password was added to your account at {}. Whoever has it can use your account as a program does.",
    ),
    letter_revoked_title: "App password revoked",
    letter_revoked: Phrase("An app password of your account at {} was revoked."),
    letter_doubt: "If it was not you, somebody else can use your account. Change your password at once, look through your app passwords, second factors and sessions, and tell your administrator.",
};
