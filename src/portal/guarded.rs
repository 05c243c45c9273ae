//! What visitors of a guarded site see when the gate does not let them through. These pages are
//! served on the application's host, so they need nothing but themselves.

use serde::Serialize;
use url::Url;

use super::Portal;
use super::answer::{Answer, Format};
use super::form;
use super::messages::Messages;
use super::pages::{Frame, NoticePage};

/// Longest piece of an address that a page shows, in characters.
const SHOWN: usize = 120;

/// How a visitor of a guarded site wants to be answered.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// Page or object.
    pub format: Format,
    /// Language of the page.
    pub messages: &'static Messages,
}

/// Whom the gate turned away from what.
#[derive(Clone, Copy, Debug)]
pub struct Denied<'a> {
    /// Name and display name of the signed-in user.
    pub user: Option<(&'a str, &'a str)>,
    /// Host and path that were asked for.
    pub asked: &'a str,
    /// Address of the login page that would lead back here, if this host has a portal.
    pub login: Option<&'a str>,
}

#[derive(Serialize)]
struct Failure<'a> {
    status: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
}

impl Reader {
    /// By the headers `Accept` and `Accept-Language`.
    pub fn new(accept: Option<&[u8]>, accept_language: Option<&[u8]>) -> Self {
        Reader {
            format: Format::of_accept(accept),
            messages: Messages::choose(accept_language),
        }
    }
}

impl Portal {
    /// The answer that sends an unauthorized visitor to `location`: 302, 303 or 401.
    /// `asked` is host and path of what was asked for.
    pub fn challenge(&self, reader: Reader, status: u16, location: &str, asked: &str) -> Answer {
        let t = reader.messages;
        let mut answer = match reader.format {
            Format::Json => json(status, "Authentication required.", Some(location)),
            Format::Html => {
                let asked = shortened(asked);
                let page = NoticePage {
                    frame: Frame::new(self.settings.theme, t, t.challenge, false),
                    heading: t.challenge,
                    about: Some((t.challenge_explained, &asked)),
                    subject: None,
                    text: String::new(),
                    link: Some((location.to_owned(), t.sign_in)),
                };
                self.formless_page(status, &page)
            }
        };
        answer.location = Some(location.to_owned());
        answer
    }

    /// The answer to a visitor whom nothing helps: 403, and for a signed-in one the way to
    /// another account.
    pub fn forbidden(&self, reader: Reader, denied: &Denied<'_>) -> Answer {
        if reader.format == Format::Json {
            return json(403, "403 Forbidden", None);
        }
        let t = reader.messages;
        let asked = shortened(denied.asked);
        let (phrase, text) = match denied.user {
            Some(_) => (t.forbidden_to_user, t.forbidden_hint),
            None => (t.forbidden_to_all, t.forbidden_to_all_hint),
        };
        let name = denied.user.map(|(name, display_name)| match display_name {
            "" => name.to_owned(),
            same if same == name => name.to_owned(),
            display_name => format!("{display_name} ({name})"),
        });
        let other = denied.user.and(denied.login).and_then(other_account);
        let page = NoticePage {
            frame: Frame::new(self.settings.theme, t, t.forbidden, true),
            heading: t.forbidden,
            about: Some((phrase, &asked)),
            subject: name.as_deref().map(|name| (t.you_are, name)),
            text: text.to_owned(),
            link: other.map(|address| (address, t.other_account)),
        };
        self.formless_page(403, &page)
    }

    /// The answer to a request that cannot be judged: 400, 421, 500, 503.
    pub fn refusal(&self, reader: Reader, status: u16, retry_after: Option<u64>) -> Answer {
        let notice = reader.messages.notice(status);
        let answer = self.notice(reader, status, notice, retry_after, None);
        match retry_after {
            Some(seconds) => answer.with("Retry-After", seconds.to_string()),
            None => answer,
        }
    }

    /// The answer to a guarded request that came over plain http: 400.
    pub fn needs_https(&self, reader: Reader) -> Answer {
        self.notice(reader, 400, reader.messages.needs_https, None, None)
    }
}

/// The address that signs out and comes back to `login`.
fn other_account(login: &str) -> Option<String> {
    let mut url = Url::parse(login).ok()?;
    let path = format!("{}/logout", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url.set_query(Some(&form::encode([("rd", login)])));
    Some(url.into())
}

pub(super) fn json(status: u16, message: &'static str, location: Option<&str>) -> Answer {
    Answer::json(
        status,
        &Failure {
            status: "KO",
            message,
            location,
        },
    )
}

/// `text`, cut to what a card can show.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_account_signs_out_and_comes_back() {
        let login = "https://auth.example.com/?rd=https%3A%2F%2Fa.example.com%2F&rm=GET";
        let other = other_account(login).unwrap();
        assert!(
            other.starts_with("https://auth.example.com/logout?rd=https%3A%2F%2Fauth.example.com")
        );
        let query = other.split_once('?').unwrap().1;
        let back = form::query_value(query.as_bytes(), "rd").unwrap();
        assert_eq!(back.as_deref(), Some(login));
        let below = other_account("https://app.example.com/sso/?rd=x").unwrap();
        assert!(below.starts_with("https://app.example.com/sso/logout?rd="));
    }

    #[test]
    fn long_addresses_are_cut_between_characters() {
        assert_eq!(shortened("a.example.com/ü"), "a.example.com/ü");
        assert_eq!(shortened(&"ü".repeat(200)).chars().count(), SHOWN + 1);
    }
}
