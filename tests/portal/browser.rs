//! A browser that keeps its cookies, what it sends, and what is read from its pages.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ngx_http_auth_gate_module::portal::{Answer, Headers, Request};

use crate::site::Site;

/// The cookies of one browser.
#[derive(Clone, Default)]
pub struct Browser(pub BTreeMap<String, String>);

/// One request.
#[derive(Clone)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub query: Option<String>,
    pub host: String,
    pub scheme: &'static str,
    pub base: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Ask {
    pub fn new(method: &'static str, path: &str) -> Self {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        Ask {
            method,
            path: path.to_owned(),
            query,
            host: "auth.example.com".into(),
            scheme: "https",
            base: "",
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path).header("accept", "text/html,*/*;q=0.8")
    }

    pub fn form(path: &str, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self::new("POST", path)
            .header("accept", "text/html,*/*;q=0.8")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    pub fn json(path: &str, body: &str) -> Self {
        Self::new("POST", path)
            .header("content-type", "application/json")
            .body(body)
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// As a browser opens a page that a person asked for on `site`.
    pub fn navigation(self, site: &str) -> Self {
        self.header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", site)
    }

    pub fn named(&self, name: &str) -> Option<&[u8]> {
        let found = self.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_bytes())
    }

    /// The request that this is, with these `Cookie` headers.
    pub fn request<'a>(&'a self, cookies: Vec<&'a [u8]>, now: u64) -> Request<'a> {
        Request {
            method: self.method.as_bytes(),
            path: &self.path,
            query: self.query.as_deref().map(str::as_bytes),
            host: &self.host,
            scheme: self.scheme,
            base: self.base,
            headers: Headers {
                accept: self.named("accept"),
                accept_language: self.named("accept-language"),
                content_type: self.named("content-type"),
                origin: self.named("origin"),
                sec_fetch_site: self.named("sec-fetch-site"),
                sec_fetch_mode: self.named("sec-fetch-mode"),
                sec_fetch_dest: self.named("sec-fetch-dest"),
                sec_purpose: self.named("sec-purpose"),
                user_agent: self.named("user-agent"),
                cookies,
            },
            body: &self.body,
            address: Ipv4Addr::new(192, 0, 2, 7).into(),
            now,
            doorway: None,
        }
    }
}

impl Browser {
    /// Sends a request, has a password checked if that is asked for, and keeps the cookies.
    pub fn send(&mut self, site: &mut Site, ask: Ask) -> Answer {
        let header = self.header();
        let cookies = if header.is_empty() {
            vec![]
        } else {
            vec![header.as_bytes()]
        };
        let answer = site.serve(&ask.request(cookies, site.now));
        for cookie in &answer.cookies {
            self.keep(cookie);
        }
        answer
    }

    pub fn get(&mut self, site: &mut Site, path: &str) -> Answer {
        self.send(site, Ask::get(path))
    }

    /// Opens the login page at `path`, fills it in and sends it.
    pub fn sign_in(&mut self, site: &mut Site, path: &str, name: &str, password: &str) -> Answer {
        let page = self.get(site, path);
        let (token, rd, rm) = (
            field(&page, "token"),
            field(&page, "rd"),
            field(&page, "rm"),
        );
        let mut fields = vec![
            ("token", &*token),
            ("username", name),
            ("password", password),
        ];
        if !rd.is_empty() {
            fields.extend([("rd", &*rd), ("rm", &*rm)]);
        }
        self.send(site, Ask::form("/", &fields))
    }

    /// The name of the user who is signed in here.
    pub fn user(&mut self, site: &mut Site) -> String {
        let state = self.send(site, Ask::new("GET", "/api/state"));
        let state: serde_json::Value = serde_json::from_slice(&state.body).unwrap();
        state["data"]["username"].as_str().unwrap().to_owned()
    }

    pub fn header(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&mut self, set_cookie: &str) {
        let (pair, attributes) = set_cookie.split_once(';').unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if attributes.contains("Max-Age=0") {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The value of an input in a page; empty when there is none.
pub fn field(page: &Answer, name: &str) -> String {
    let html = text(page);
    let Some((_, rest)) = html.split_once(&format!("name=\"{name}\" value=\"")) else {
        return String::new();
    };
    unescape(rest.split_once('"').unwrap().0)
}

/// A body as text.
pub fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

/// The value of a header.
pub fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let found = answer
        .headers
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| &**value)
}

fn unescape(html: &str) -> String {
    html.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}
