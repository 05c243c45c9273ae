//! English.

use super::{Messages, Notice, Phrase};

/// English.
pub static ENGLISH: Messages = Messages {
    language: "en",
    error_title: Phrase("Error: {}"),

    sign_in: "Sign in",
    to_open: Phrase("to open {}"),
    username: "User name",
    username_or_email: "User name or email",
    password: "Password",
    remember: "Keep me signed in",
    username_missing: "Enter your user name.",
    password_missing: "Enter your password.",
    wrong: "That did not work. Check the user name and the password.",
    form_expired: "This page had been open for too long. Please sign in once more.",
    cookies_needed: "Your browser did not send back our cookie. Allow cookies for this site, then sign in once more.",
    busy: "Many people are signing in right now. Please try again in a few seconds.",

    signed_in: "You are signed in",
    signed_in_as: Phrase("as {}"),
    you_are: Phrase("You are signed in as {}"),
    go_on_to: Phrase("Open {}"),
    go_on: "Continue",
    signed_in_hint: "You can close this page and open the site you wanted.",
    sign_out: "Sign out",

    sign_out_question: "Sign out?",
    sign_out_explained: "This ends your session on every site that uses this sign-in.",
    everywhere_question: "Sign out everywhere?",
    everywhere_explained: "This ends all your sessions, in every browser and on every device.",
    stay: "Stay signed in",
    signed_out: "You are signed out",
    signed_out_explained: "Your session has ended on every site that uses this sign-in.",
    sign_in_again: "Sign in again",

    challenge: "Please sign in",
    challenge_explained: Phrase("You need to sign in to open {}"),

    forbidden: "No access",
    forbidden_to_user: Phrase("This account may not open {}"),
    forbidden_to_all: Phrase("Nobody may open {}"),
    forbidden_hint: "If you have another account, use that one. Otherwise ask the administrator of this site.",
    forbidden_to_all_hint: "Signing in does not help here. If you think this is a mistake, tell the administrator of this site.",
    other_account: "Use another account",

    bad_request: Notice {
        heading: "This request makes no sense",
        text: "The browser sent something that cannot be read. Go back and try again.",
    },
    needs_https: Notice {
        heading: "A secure connection is needed",
        text: "This page is served over https only. Open the address with https:// in front. If you run this server and TLS ends before nginx, set auth_gate_scheme to the scheme that the visitor used.",
    },
    foreign_host: Notice {
        heading: "This address is not set up",
        text: "This host belongs to none of the configured session domains. If you run this server, add its domain to session.cookies.",
    },
    foreign_request: Notice {
        heading: "This came from another site",
        text: "For your safety nothing was done. Open the page itself and try again.",
    },
    not_found: Notice {
        heading: "There is nothing here",
        text: "The address may be mistyped, or the page has moved.",
    },
    wrong_method: Notice {
        heading: "That does not work here",
        text: "This address exists but cannot be asked in that way. Go back and try again.",
    },
    too_large: Notice {
        heading: "That was too much",
        text: "The form is larger than this page accepts. Shorten what you typed and try again.",
    },
    misdirected: Notice {
        heading: "Wrong door",
        text: "This connection was made for another site. Open the address once more.",
    },
    too_many: Notice {
        heading: "Too many requests",
        text: "Please wait a moment.",
    },
    failed: Notice {
        heading: "Something went wrong",
        text: "This is our fault, not yours, and nothing was opened. Please try again; if it stays, tell the administrator of this site.",
    },
    unavailable: Notice {
        heading: "Please try again shortly",
        text: "Too much is going on right now. Nothing is wrong with your account.",
    },
    retry_seconds: Phrase("Try again in {} seconds."),
    retry_minutes: Phrase("Try again in {} minutes."),
    to_portal: "To the sign-in page",

    second: super::second::ENGLISH,
    app_passwords: super::app_passwords::ENGLISH,
    account: super::account::ENGLISH,
};
