//! What the pages of app passwords say, and how they read what was typed.

use crate::portal::account::app_passwords::{BadWish, Kept, Wanted};
use crate::portal::account::devices::Refused;
use crate::portal::dates;
use crate::portal::messages::{AppPasswordMessages, Messages};
use crate::portal::pages::Lifetime;
use crate::portal::settings::AppPasswords;
use crate::users::app_password::{BadHost, HostScope, MAX_HOSTS};

const DAY: u64 = 24 * 60 * 60;
const HOUR: u64 = 60 * 60;

/// How long new ones may be good for, in days; the first is chosen unless somebody chooses.
const DAYS: [u64; 3] = [90, 30, 365];

/// The word for one without end.
const NO_END: &str = "none";

/// What was typed, and what of it will not do.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) hosts: String,
    pub(super) lifetime: String,
    pub(super) name_error: Option<&'static str>,
    pub(super) hosts_error: Option<String>,
    pub(super) lifetime_error: Option<&'static str>,
}

impl Typed {
    /// Whether anything of it will not do.
    pub(super) fn is_wrong(&self) -> bool {
        self.name_error.is_some() || self.hosts_error.is_some() || self.lifetime_error.is_some()
    }

    /// What is wanted, or a word on what will not do.
    pub(super) fn read(&mut self, limits: &AppPasswords, t: &Messages) -> Option<Wanted> {
        let lifetime = match self.lifetime.as_str() {
            NO_END => None,
            // Nothing is read as no time at all, which is refused.
            seconds => Some(seconds.parse().unwrap_or(0)),
        };
        let hosts = HostScope::read(&self.hosts);
        let all = match Wanted::read((&self.name, hosts, lifetime), limits) {
            Ok(wanted) => return Some(wanted),
            Err(all) => all,
        };
        let own = &t.app_passwords;
        for bad in all {
            match bad {
                BadWish::Name => self.name_error = Some(t.account.bad_name),
                BadWish::Lifetime => self.lifetime_error = Some(own.bad_lifetime),
                BadWish::Hosts(BadHost::Word(word)) => {
                    self.hosts_error = Some(own.bad_host.with(&word));
                }
                BadWish::Hosts(BadHost::TooMany) => {
                    self.hosts_error = Some(own.too_many_hosts.with(&MAX_HOSTS.to_string()));
                }
            }
        }
        None
    }
}

/// What can be chosen, and what is.
pub(super) fn lifetimes(
    limits: &AppPasswords,
    chosen: &str,
    t: &AppPasswordMessages,
) -> Vec<Lifetime> {
    let most = limits.maximum_lifetime.unwrap_or(u64::MAX);
    let days = DAYS.map(|days| days * DAY);
    let default = *days
        .iter()
        .find(|seconds| **seconds <= most)
        .unwrap_or(&most);
    let mut seconds: Vec<u64> = days
        .into_iter()
        .filter(|seconds| *seconds <= most)
        .collect();
    seconds.extend(limits.maximum_lifetime.filter(|most| !days.contains(most)));
    seconds.sort_unstable();
    let is_chosen = |value: &str| match chosen {
        "" => value == default.to_string(),
        chosen => value == chosen,
    };
    let choice = |value: String, label| Lifetime {
        chosen: is_chosen(&value),
        value,
        label,
    };
    let mut choices: Vec<_> = seconds
        .into_iter()
        .map(|seconds| choice(seconds.to_string(), period(seconds, t)))
        .collect();
    if limits.maximum_lifetime.is_none() {
        choices.push(choice(NO_END.into(), t.no_end.into()));
    }
    choices
}

fn period(seconds: u64, t: &AppPasswordMessages) -> String {
    let (phrase, number) = match (seconds % DAY, seconds % HOUR) {
        (0, _) => (t.days, seconds / DAY),
        (_, 0) => (t.hours, seconds / HOUR),
        _ => (t.seconds, seconds),
    };
    phrase.with(&number.to_string())
}

/// What there is to know of one: what it is good for, and what was done with it.
pub(super) fn described(kept: &Kept, now: u64, t: &AppPasswordMessages) -> [String; 2] {
    let (opens, ends) = (
        opens(&kept.grant.hosts, t),
        ends(kept.grant.expires, now, t),
    );
    let made = t.made_at.with(&dates::minute(kept.created));
    let used = kept.last_used.map(dates::minute);
    let used = used.map_or_else(|| t.never_used.to_owned(), |used| t.last_used.with(&used));
    [format!("{opens} {ends}"), format!("{made} {used}")]
}

/// Where it can be used.
pub(super) fn opens(hosts: &HostScope, t: &AppPasswordMessages) -> String {
    match hosts.is_all() {
        true => t.opens_all.to_owned(),
        false => t.opens.with(&hosts.words().collect::<Vec<_>>().join(", ")),
    }
}

/// How long it can be used.
pub(super) fn ends(expires: Option<u64>, now: u64, t: &AppPasswordMessages) -> String {
    match expires {
        None => t.never_ends.to_owned(),
        Some(end) if end <= now => t.expired.with(&dates::minute(end)),
        Some(end) => t.ends.with(&dates::minute(end)),
    }
}

/// What a user is told of a refusal.
pub(super) fn said(refused: Refused, t: &Messages) -> &'static str {
    match refused {
        Refused::NameTaken => t.app_passwords.name_taken,
        Refused::TooMany => t.app_passwords.too_many,
        refused => super::super::devices::said(refused, t),
    }
}
