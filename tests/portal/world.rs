//! The world of a portal, in memory: sessions, users, failed logins.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::rc::Rc;

use ngx_http_auth_gate_module::access::{Domain as RuleDomain, Requirement, Rule, Rules};
use ngx_http_auth_gate_module::portal::{Busy, Limited, Remembered, World};
use ngx_http_auth_gate_module::session::{Key, Keys, Realm, Record, Session};
use ngx_http_auth_gate_module::users::regulation::{self, Attempts, Banned, Modes, Reservation};
use ngx_http_auth_gate_module::users::{Directory, Entry, Matching, PasswordHash, Profile, Source};

/// A hash of `password` that costs little.
const HASH: &str = "$argon2id$v=19$m=1024,t=1,p=1$pTOH29y4Ev9/Tx+L9UCoeQ$zpG/W7pTROaU1GhfdhzllAvX9BjmItZaOW0Y2pTEmPQ";

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

impl Memory {
    pub fn new() -> Self {
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

    pub fn sweep(&mut self, user: &str, end_all_but: Option<Option<Key>>) -> Vec<Session> {
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
