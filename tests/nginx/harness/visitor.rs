//! Somebody with a browser: keeps cookies as RFC 6265 has it and can sign in by API and by form.

use std::io;

use serde_json::json;

use super::form::Form;
use super::{Answer, Ask, Connection, Gate};

/// Host of the portal in the test bed.
pub const PORTAL: &str = "auth.example.com";

/// A cookie as the jar keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    /// Lower case; with `host_only` only this very host gets it.
    pub domain: String,
    pub host_only: bool,
    /// Attributes as they were sent, lower-case names, `Domain` included.
    pub attributes: Vec<(String, String)>,
}

impl Cookie {
    /// The value of an attribute, empty for a bare one like `Secure`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    fn reaches(&self, host: &str) -> bool {
        let under = host
            .strip_suffix(&self.domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if self.host_only {
            host == self.domain
        } else {
            under
        }
    }

    fn parse(host: &str, line: &str) -> Cookie {
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .unwrap_or_default();
        let attributes: Vec<(String, String)> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let domain = attributes
            .iter()
            .find(|(n, _)| n == "domain")
            .map(|(_, d)| d.trim_start_matches('.').to_lowercase());
        let host_only = domain.is_none();
        Cookie {
            name: name.into(),
            value: value.into(),
            domain: domain.unwrap_or(host.into()),
            host_only,
            attributes,
        }
    }

    fn is_gone(&self) -> bool {
        self.value.is_empty()
            || self
                .attribute("max-age")
                .is_some_and(|age| age.starts_with('-') || age == "0")
    }
}

/// Cookies, and the gate they are sent to.
#[derive(Clone)]
pub struct Visitor<'g> {
    pub gate: &'g Gate,
    pub jar: Vec<Cookie>,
}

impl<'g> Visitor<'g> {
    pub fn new(gate: &'g Gate) -> Visitor<'g> {
        Visitor {
            gate,
            jar: Vec::new(),
        }
    }

    /// The name and value of every cookie that host would get, as a header.
    pub fn cookie_header(&self, host: &str) -> Vec<(String, String)> {
        let host = host
            .split(':')
            .next()
            .unwrap_or_default()
            .trim_end_matches('.');
        let pairs: Vec<String> = self
            .jar
            .iter()
            .filter(|c| c.reaches(host))
            .map(|c| format!("{}={}", c.name, c.value))
            .collect();
        if pairs.is_empty() {
            Vec::new()
        } else {
            vec![("Cookie".to_owned(), pairs.join("; "))]
        }
    }

    /// The session cookie; panics when there is none.
    pub fn session(&self) -> &Cookie {
        self.jar
            .iter()
            .find(|c| c.name.contains("session"))
            .expect("a session cookie")
    }

    /// Sends over a connection of its own and keeps the cookies of the answer.
    pub fn send(&mut self, ask: &Ask) -> Answer {
        self.try_send(ask).unwrap_or_else(|error| {
            panic!(
                "no answer to {} {}{}: {error}",
                ask.method, ask.host, ask.target
            )
        })
    }

    /// The same where perhaps nobody answers.
    pub fn try_send(&mut self, ask: &Ask) -> io::Result<Answer> {
        let sni = ask.host.split(':').next().unwrap_or_default();
        let mut connection = Connection::try_tls(self.gate.address().tls(), sni)?;
        let bytes = ask.bytes(&self.cookie_header(&ask.host));
        let answer = connection.send(bytes).try_answer(ask.method == "HEAD")?;
        self.keep(sni, &answer);
        Ok(answer)
    }

    /// A page with the cookies.
    pub fn page(&mut self, host: &str, target: &str) -> Answer {
        self.send(&Ask::page(host, target))
    }

    /// What `url` leads to, as a browser follows a redirect.
    pub fn open(&mut self, url: &str) -> Answer {
        let (host, target) = split(url);
        self.page(&host, &target)
    }

    /// Takes the cookies of an answer.
    pub fn keep(&mut self, host: &str, answer: &Answer) {
        for line in answer.headers_named("Set-Cookie") {
            let cookie = Cookie::parse(host, line);
            self.jar
                .retain(|old| (&old.name, &old.domain) != (&cookie.name, &cookie.domain));
            if !cookie.is_gone() {
                self.jar.push(cookie);
            }
        }
    }

    /// Signs in through the API, as a script does.
    pub fn sign_in(&mut self, user: &str, password: &str) -> Answer {
        self.sign_in_for(user, password, "")
    }

    /// The same with a place to go to.
    pub fn sign_in_for(&mut self, user: &str, password: &str, target: &str) -> Answer {
        let mut body = json!({"username": user, "password": password, "keepMeLoggedIn": false});
        if !target.is_empty() {
            body["targetURL"] = target.into();
            body["requestMethod"] = "GET".into();
        }
        self.send(&Ask::api("POST", PORTAL, "/api/firstfactor", &body))
    }

    /// Signs in through the page at `url`, as a person without JavaScript does; the answer to the submitted form.
    pub fn sign_in_by_form(&mut self, url: &str, user: &str, password: &str) -> Answer {
        let page = self.open(url);
        assert_eq!(page.status, 200, "no login page at {url}: {}", page.text());
        let mut form = Form::with_password(&page.text());
        form.fill(user, password);
        self.submit(url, &form)
    }

    /// Submits a form of the page at `url`.
    pub fn submit(&mut self, url: &str, form: &Form) -> Answer {
        self.send(&Self::submission(url, form))
    }

    /// What a browser sends when a form of the page at `url` is submitted.
    pub fn submission(url: &str, form: &Form) -> Ask {
        let (host, target) = split(url);
        let action = match form.action.as_str() {
            "" => target,
            absolute if absolute.starts_with("https://") => split(absolute).1,
            action if action.starts_with('/') => action.to_owned(),
            action if action.starts_with('?') => {
                target.split('?').next().unwrap_or_default().to_owned() + action
            }
            action => format!(
                "{}/{action}",
                target
                    .split('?')
                    .next()
                    .and_then(|p| p.rsplit_once('/'))
                    .map_or("", |p| p.0)
            ),
        };
        let origin = format!("https://{host}");
        Ask::form(&host, &action, &form.fields)
            .with("Origin", &origin)
            .with("Sec-Fetch-Site", "same-origin")
            .with("Sec-Fetch-Mode", "navigate")
    }

    /// Ends the session through the API.
    pub fn sign_out(&mut self) -> Answer {
        self.send(&Ask::api("POST", PORTAL, "/api/logout", &json!({})))
    }

    /// Whether that page of app.example.com reaches the backend.
    pub fn reaches(&mut self, target: &str) -> bool {
        self.gate.backend().take();
        let answer = self.page("app.example.com", target);
        let reached = !self.gate.backend().take().is_empty();
        assert_eq!(
            reached,
            answer.status == 200,
            "answer and backend disagree: {answer:?}"
        );
        reached
    }
}

/// Host (with port) and target of an https address.
pub fn split(url: &str) -> (String, String) {
    let rest = url
        .strip_prefix("https://")
        .unwrap_or_else(|| panic!("not an https address: {url}"));
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let target = &rest[at..];
    let target = if target.starts_with('/') {
        target.to_owned()
    } else {
        format!("/{target}")
    };
    (rest[..at].to_owned(), target)
}
