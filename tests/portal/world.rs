//! A world in memory around a portal, and a browser that keeps its cookies.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use ngx_http_auth_gate_module::access::{Domain as RuleDomain, Requirement, Rule, Rules};
use ngx_http_auth_gate_module::factors::webauthn::RelyingParty;
use ngx_http_auth_gate_module::portal::{
    Account, Aim, Answer, Busy, Cost, Domain, Endpoint, Event, Failure, Headers, Limited, Method,
    Portal, Remembered, Request, SecondFactors, Settings, Step, Theme, Why, World,
};
use ngx_http_auth_gate_module::session::{
    CookieSpec, CrossSite, Key, Keys, Lifetimes, Realm, Record, Session,
};
use ngx_http_auth_gate_module::users::regulation::{self, Attempts, Banned, Modes, Reservation};
use ngx_http_auth_gate_module::users::{Directory, Entry, Matching, PasswordHash, Profile, Source};

use crate::office::Desk;

/// A hash of `password` that costs little.
const HASH: &str = "$argon2id$v=19$m=1024,t=1,p=1$pTOH29y4Ev9/Tx+L9UCoeQ$zpG/W7pTROaU1GhfdhzllAvX9BjmItZaOW0Y2pTEmPQ";

/// When the tests play.
pub const NOW: u64 = 1_800_000_000;

/// The world.
pub struct Memory {
    pub keys: Keys,
    pub rules: Rules,
    pub directory: Directory,
    pub sessions: HashMap<Key, Record>,
    pub regulation: regulation::Settings,
    pub attempts: Vec<u8>,
    pub busy: bool,
    pub random: u8,
    /// Random values to come before those that nobody chose.
    pub planned: Vec<[u8; 32]>,
    pub full: bool,
    pub successes: Vec<u64>,
    /// What [`World::limit`] refuses.
    pub limited: Vec<Limited>,
    pub generation: u32,
    pub remembered: Rc<Remembered>,
}

/// A portal and its world.
pub struct Site {
    pub portal: Portal,
    pub world: Memory,
    /// Where errands are run.
    pub office: Desk,
    pub now: u64,
    /// How many passwords were checked.
    pub checks: usize,
    /// What work came to that nobody waited for.
    pub asides: Vec<Event>,
}

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

impl Site {
    /// The portal of `auth.example.com` that the recorded answers come from.
    pub fn new() -> Self {
        Self::with(Theme::Light)
    }

    pub fn with(theme: Theme) -> Self {
        Site {
            portal: Portal::new(settings(theme)),
            world: Memory::new(),
            office: Desk::new(),
            now: NOW,
            checks: 0,
            asides: Vec::new(),
        }
    }

    pub fn serve(&mut self, request: &Request<'_>) -> Answer {
        let mut step = self.portal.answer(request, &mut self.world);
        let bare = Request {
            body: b"",
            ..request.clone()
        };
        loop {
            step = match step {
                Step::Answer(answer) => return answer,
                Step::Verify(verify) => {
                    self.checks += 1;
                    let matched = verify.hash.verify(&verify.password);
                    let (login, world) = (verify.login, &mut self.world);
                    Step::Answer(self.portal.finish(&bare, login, matched, 300, world))
                }
                Step::Aside(aside) => {
                    // An event of the work would stand in the log as one of an answer does.
                    let event = (aside.work)(&mut self.office);
                    self.asides.extend(event);
                    return aside.answer;
                }
                Step::Errand(errand) => {
                    let work = errand.work;
                    self.office.burns = errand.cost == Cost::Burns;
                    let done = (!self.office.closed).then(|| work(&mut self.office));
                    self.office.burns = false;
                    self.office.hand_over(&mut self.world);
                    self.portal
                        .resume(&bare, errand.then, done, &mut self.world)
                }
                Step::Sweep(sweep) => {
                    let found = self.world.sweep(&sweep.user, sweep.end_all_but);
                    self.portal.swept(&bare, sweep.then, found, &mut self.world)
                }
            };
        }
    }
}

impl Memory {
    fn new() -> Self {
        let rule = |domain: &str, requirement| Rule {
            domains: vec![RuleDomain::parse(domain).0],
            resources: vec![],
            methods: vec![],
            networks: vec![],
            query: vec![],
            subjects: vec![],
            requirement,
        };
        Memory {
            keys: Keys::derive(b"a secret of the tests"),
            rules: Rules::new(
                Requirement::Deny,
                vec![
                    rule("public.example.com", Requirement::Bypass),
                    rule("one.example.com", Requirement::OneFactor),
                    rule("two.example.com", Requirement::TwoFactor),
                ],
            ),
            directory: directory(&BTreeMap::new()),
            sessions: HashMap::new(),
            regulation: regulation::Settings {
                modes: Modes {
                    user: true,
                    ip: false,
                },
                max_retries: 0,
                find_time: 120,
                ban_time: 300,
            },
            attempts: vec![0; 64 << 10],
            busy: false,
            random: 0,
            planned: Vec::new(),
            full: false,
            successes: Vec::new(),
            limited: Vec::new(),
            generation: 0,
            remembered: Rc::default(),
        }
    }

    fn sweep(&mut self, user: &str, end_all_but: Option<Option<Key>>) -> Vec<Session> {
        let mine = |(key, record): (&Key, &Record)| Session {
            key: *key,
            record: *record,
            expires: u64::MAX,
        };
        let mut found: Vec<Session> = self.sessions.iter().map(mine).collect();
        found.retain(|session| session.record.user == *user);
        if let Some(except) = end_all_but {
            found.retain(|session| Some(session.key) != except);
            found.iter().for_each(|session| {
                self.sessions.remove(&session.key);
            });
        }
        found.sort_by_key(|session| std::cmp::Reverse(session.record.created));
        found
    }

    /// Bans a user after `max_retries` failures; never with 0.
    pub fn regulate(&mut self, max_retries: u32) {
        self.regulation.max_retries = max_retries;
    }
}

impl World for Memory {
    fn keys(&self) -> &Keys {
        &self.keys
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn directory(&self) -> &Directory {
        &self.directory
    }

    fn random(&mut self) -> [u8; 32] {
        if !self.planned.is_empty() {
            return self.planned.remove(0);
        }
        self.random += 1;
        [self.random; 32]
    }

    fn session(&mut self, key: &Key) -> Option<Record> {
        self.sessions.get(key).copied()
    }

    fn start(
        &mut self,
        key: &Key,
        record: &Record,
        _replaces: Option<&Key>,
        _ends: u64,
        _now: u64,
    ) -> bool {
        if !self.full {
            self.sessions.insert(*key, *record);
        }
        !self.full
    }

    fn touch(&mut self, key: &Key, _realm: &Realm, _before: &Record, after: &Record) {
        self.sessions.insert(*key, *after);
    }

    fn end(&mut self, key: &Key) {
        self.sessions.remove(key);
    }

    fn admit(&mut self) -> Result<(), Busy> {
        if self.busy {
            Err(Busy { retry_after: 5 })
        } else {
            Ok(())
        }
    }

    fn reserve(
        &mut self,
        user: Option<&str>,
        address: IpAddr,
        now: u64,
    ) -> Result<Reservation, Banned> {
        let (mut attempts, _) = Attempts::open(&mut self.attempts, self.keys.regulation()).unwrap();
        attempts.reserve(
            &regulation::Attempt { user, address },
            &self.regulation,
            now,
        )
    }

    fn is_banned(&mut self, user: Option<&str>, address: IpAddr, now: u64) -> bool {
        let (mut attempts, _) = Attempts::open(&mut self.attempts, self.keys.regulation()).unwrap();
        let attempt = regulation::Attempt { user, address };
        attempts.banned(&attempt, &self.regulation, now).is_some()
    }

    fn reserve_factor(
        &mut self,
        user: &str,
        address: IpAddr,
        now: u64,
    ) -> Result<Reservation, Banned> {
        self.reserve(Some(&format!("second factor of {user}")), address, now)
    }

    fn limit(&mut self, what: Limited, _address: IpAddr, _now: u64) -> Result<(), Busy> {
        match self.limited.contains(&what) {
            true => Err(Busy { retry_after: 60 }),
            false => Ok(()),
        }
    }

    fn settle(&mut self, reservation: &Reservation, success: bool) {
        let (mut attempts, _) = Attempts::open(&mut self.attempts, self.keys.regulation()).unwrap();
        attempts.settle(reservation, success);
    }

    fn withdraw(&mut self, reservation: &Reservation) {
        let (mut attempts, _) = Attempts::open(&mut self.attempts, self.keys.regulation()).unwrap();
        attempts.withdraw(reservation);
    }

    fn generation(&self, _user: &str) -> u32 {
        self.generation
    }

    fn remembered(&self) -> Rc<Remembered> {
        Rc::clone(&self.remembered)
    }

    fn hold(&mut self, floor: u64) -> u64 {
        floor.max(1000)
    }

    fn record_success(&mut self, millis: u64) {
        self.successes.push(millis);
    }
}

pub fn settings(theme: Theme) -> Settings {
    Settings {
        theme,
        domains: vec![Domain {
            realm: Realm::new(
                "example.com",
                CookieSpec::new("authelia_session", "example.com", CrossSite::Lax, false).unwrap(),
                Lifetimes {
                    expiration: 3600,
                    inactivity: 300,
                    remember_me: Some(2_592_000),
                },
            ),
            default_redirection_url: Some("https://home.example.com".into()),
            url: None,
            login: Some("https://auth.example.com/".into()),
            party: Some(RelyingParty::new(&"https://auth.example.com".parse().unwrap()).unwrap()),
        }],
        default_redirection_url: None,
        email_login: false,
        second: SecondFactors::default(),
        account: Account::default(),
        endpoints: Endpoint::defaults(),
    }
}

/// The users of the recorded answers; `passwords` replace what they have.
pub fn directory(passwords: &BTreeMap<String, PasswordHash>) -> Directory {
    let user = |name: &str, display: &str, email: &str, groups: &[&str], disabled| Entry {
        name: name.into(),
        display_name: display.into(),
        emails: vec![email.into()],
        groups: groups.iter().map(|group| (*group).into()).collect(),
        password: match passwords.get(name) {
            Some(password) => password.clone(),
            None => PasswordHash::parse(HASH).unwrap(),
        },
        disabled,
        profile: Profile::default(),
    };
    let users = vec![
        user(
            "alice",
            "Alice Arden",
            "alice@example.com",
            &["users", "sales"],
            false,
        ),
        user(
            "bob",
            "Bob B",
            "bob@example.com",
            &["admins", "dev", "managers"],
            false,
        ),
        user("carol", "Carol 'C' Ünsal", "carol@example.org", &[], false),
        user(
            "erin",
            "Erin",
            "erin@example.com",
            &["ops", "hr", "qa-lab"],
            false,
        ),
        user("frank", "Frank", "frank@example.com", &["users"], true),
    ];
    let source = Source {
        users,
        ..Source::default()
    };
    Directory::new(source, &Matching::default()).unwrap()
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

/// What is told of an attempt that came to nothing.
pub fn failed(user: &str, aim: Aim, method: Method, why: Why) -> Event {
    Event::Fail(Failure {
        aim,
        method,
        user: Some(user.to_owned()),
        why,
        address: None,
    })
}
