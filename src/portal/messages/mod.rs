//! Every text that a visitor reads, in one table. A language is one more value of [`Messages`];
//! a text that it lacks does not compile.

mod account;
mod app_passwords;
mod english;
mod second;

pub use account::{AccountMessages, LetterMessages};
pub use app_passwords::AppPasswordMessages;
pub use english::ENGLISH;
pub use second::SecondMessages;

/// A text with one place, written `{}`, for a name or an address.
#[derive(Clone, Copy, Debug)]
pub struct Phrase(&'static str);

/// The texts of one language.
#[derive(Debug)]
pub struct Messages {
    /// Language tag for `lang=` and for `Accept-Language`.
    pub language: &'static str,
    /// Put before the title of a page that reports an error; the place is the title.
    pub error_title: Phrase,

    /// Heading and button of the login page.
    pub sign_in: &'static str,
    /// Below the heading; the place is a host.
    pub to_open: Phrase,
    /// Label of the field for the user name.
    pub username: &'static str,
    /// The same where an e-mail address may be typed.
    pub username_or_email: &'static str,
    /// Label of the field for the password.
    pub password: &'static str,
    /// Label of the remember-me box.
    pub remember: &'static str,
    /// Beside an empty name.
    pub username_missing: &'static str,
    /// Beside an empty password.
    pub password_missing: &'static str,
    /// Every failure to sign in.
    pub wrong: &'static str,
    /// The form was not made by this portal for this browser.
    pub form_expired: &'static str,
    /// The cookie of the form did not come back.
    pub cookies_needed: &'static str,
    /// Too many password checks at once.
    pub busy: &'static str,

    /// Heading of the page of a signed-in visitor.
    pub signed_in: &'static str,
    /// Who that is, below that heading; the place is a display name.
    pub signed_in_as: Phrase,
    /// The same as a whole sentence, on other pages.
    pub you_are: Phrase,
    /// Link to where the visitor came from; the place is a host.
    pub go_on_to: Phrase,
    /// Link to the configured start page.
    pub go_on: &'static str,
    /// Below the name where there is nowhere to go.
    pub signed_in_hint: &'static str,
    /// Button that signs out.
    pub sign_out: &'static str,

    /// Heading of the confirmation.
    pub sign_out_question: &'static str,
    /// What signing out means.
    pub sign_out_explained: &'static str,
    /// Heading of the confirmation where all sessions of the user are to end.
    pub everywhere_question: &'static str,
    /// What that means.
    pub everywhere_explained: &'static str,
    /// Link that leaves the confirmation.
    pub stay: &'static str,
    /// Heading after signing out.
    pub signed_out: &'static str,
    /// Text after signing out.
    pub signed_out_explained: &'static str,
    /// Link to the login page.
    pub sign_in_again: &'static str,

    /// Heading where nobody is signed in.
    pub challenge: &'static str,
    /// What that means; the place is an address.
    pub challenge_explained: Phrase,

    /// Heading where access is denied.
    pub forbidden: &'static str,
    /// Who may not; the place is an address.
    pub forbidden_to_user: Phrase,
    /// The same when nobody is signed in; the place is an address.
    pub forbidden_to_all: Phrase,
    /// What helps a signed-in visitor.
    pub forbidden_hint: &'static str,
    /// What helps an anonymous one.
    pub forbidden_to_all_hint: &'static str,
    /// Link that signs out and in again.
    pub other_account: &'static str,

    /// 400, the request itself.
    pub bad_request: Notice,
    /// 400, not over https.
    pub needs_https: Notice,
    /// 400, a host outside all cookie domains.
    pub foreign_host: Notice,
    /// 403, a request made by another site.
    pub foreign_request: Notice,
    /// 404.
    pub not_found: Notice,
    /// 405.
    pub wrong_method: Notice,
    /// 413.
    pub too_large: Notice,
    /// 421.
    pub misdirected: Notice,
    /// 429.
    pub too_many: Notice,
    /// 500.
    pub failed: Notice,
    /// 503.
    pub unavailable: Notice,
    /// When to try again; the place is a number of seconds.
    pub retry_seconds: Phrase,
    /// When to try again; the place is a number of minutes.
    pub retry_minutes: Phrase,
    /// Link to the portal's first page.
    pub to_portal: &'static str,

    /// Proving a second factor.
    pub second: SecondMessages,
    /// Factors, password and sessions in the users' own hands, and letters about them.
    pub account: AccountMessages,
    /// Passwords for programs.
    pub app_passwords: AppPasswordMessages,
}

/// Heading and text of an error page: what happened, and what to do.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// A few words.
    pub heading: &'static str,
    /// A sentence or two.
    pub text: &'static str,
}

/// The languages, the one for everybody else first.
pub static LANGUAGES: &[&Messages] = &[&ENGLISH];

impl Phrase {
    /// The text with `value` in its place.
    pub fn with(self, value: &str) -> String {
        self.0.replacen("{}", value, 1)
    }

    /// What stands before the place.
    pub fn before(&self) -> &'static str {
        self.0.split_once("{}").map_or(self.0, |(before, _)| before)
    }

    /// What stands after the place.
    pub fn after(&self) -> &'static str {
        self.0.split_once("{}").map_or("", |(_, after)| after)
    }
}

impl Messages {
    /// The best language for an `Accept-Language`: highest weight first, compared by primary tag.
    pub fn choose(accept_language: Option<&[u8]>) -> &'static Messages {
        let header = accept_language
            .and_then(|h| std::str::from_utf8(h).ok())
            .unwrap_or_default();
        let mut best: Option<(u16, &'static Messages)> = None;
        for item in header.split(',').take(16) {
            let (tag, weight) = weighted(item);
            let primary = tag.split('-').next().unwrap_or_default();
            let known = LANGUAGES
                .iter()
                .find(|l| l.language.eq_ignore_ascii_case(primary));
            if let Some(language) = known
                && weight > best.map_or(0, |(weight, _)| weight)
            {
                best = Some((weight, language));
            }
        }
        best.map_or(&ENGLISH, |(_, language)| language)
    }

    /// When to try again.
    pub fn retry(&self, seconds: u64) -> String {
        match seconds {
            0..=90 => self.retry_seconds.with(&seconds.to_string()),
            _ => self.retry_minutes.with(&seconds.div_ceil(60).to_string()),
        }
    }

    /// The notice for a status; 500's for one that has none.
    pub fn notice(&self, status: u16) -> Notice {
        match status {
            400 => self.bad_request,
            403 => self.foreign_request,
            404 => self.not_found,
            405 => self.wrong_method,
            413 => self.too_large,
            421 => self.misdirected,
            429 => self.too_many,
            502..=504 => self.unavailable,
            _ => self.failed,
        }
    }
}

/// A language tag and its weight in thousandths.
fn weighted(item: &str) -> (&str, u16) {
    let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
    let weight = match parameters.trim().strip_prefix("q=") {
        Some(q) => q
            .parse::<f32>()
            .map_or(0, |q| (q.clamp(0.0, 1.0) * 1000.0) as u16),
        None => 1000,
    };
    (tag.trim(), weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_holds_one_value() {
        let phrase = Phrase("to open {} now");
        assert_eq!(phrase.with("{} & co"), "to open {} & co now");
        assert_eq!((phrase.before(), phrase.after()), ("to open ", " now"));
    }

    #[test]
    fn every_language_has_its_own_tag() {
        for language in LANGUAGES {
            let same = LANGUAGES.iter().filter(|l| l.language == language.language);
            assert_eq!(same.count(), 1);
        }
    }

    #[test]
    fn english_is_for_everybody_else() {
        for header in [
            None,
            Some(&b"xx, en;q=0.1"[..]),
            Some(b"\xff"),
            Some(b"en-GB;q=x"),
            Some(b"*"),
        ] {
            assert_eq!(Messages::choose(header).language, "en");
        }
        assert_eq!(weighted(" de-CH ; q=0.5"), ("de-CH", 500));
        assert_eq!(weighted("de;q=nan"), ("de", 0));
    }
}
