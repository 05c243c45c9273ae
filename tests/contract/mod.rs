//! What every ledger does, whatever keeps it.
//!
//! A test binary includes this as `mod contract` at its root and calls [`tests!`] with a function
//! that makes an empty store for the test of a name. Times are those of the real clock, or later, so
//! that a store may forget by itself what has ended.
#![allow(dead_code)]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ngx_http_auth_gate_module::store::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, MAX_RECORD, Mark, Orders, SessionKey,
    Target,
};

pub mod bans;
pub mod late;
pub mod model;
pub mod orders;
pub mod property;
pub mod sessions;

/// A store of a test's own, which is empty at first and goes with this value.
pub trait Store {
    /// Another handle on it, as another process would have.
    fn open(&self) -> Box<dyn Ledger>;
}

/// Makes a test of each rule; `$make` gives the store for the test of a name.
macro_rules! tests {
    ($make:expr) => {
        crate::contract::tests! { @ $make;
            sessions: a_session_comes_back_as_it_was_written_down,
                what_is_in_a_session_comes_back_to_the_byte,
                a_session_that_is_used_ends_later,
                a_session_that_has_ended_is_over_for_everybody,
                a_session_takes_the_place_of_another,
                what_takes_the_place_of_a_session_that_is_over_is_over,
                a_session_may_take_the_place_of_one_that_was_lost,
                the_sessions_of_a_user_end_but_one,
                all_sessions_end_at_once,
                one_session_ends_by_order,
                sessions_are_listed_newest_first,
                many_events_are_written_down_in_one_go;
            late: news_of_a_session_that_is_over_do_not_bring_it_back,
                a_lost_session_is_kept_anew_when_it_is_used,
                a_lost_session_that_was_ended_with_all_of_its_user_is_over,
                older_news_of_a_use_change_nothing,
                writing_down_once_more_does_no_harm,
                a_ban_that_was_taken_back_does_not_come_back,
                a_failure_from_before_a_success_does_not_count,
                a_failure_from_before_its_user_was_forgiven_does_not_count;
            bans: bans_are_listed_until_they_end,
                a_ban_neither_hides_nor_shortens_another,
                the_last_word_of_an_administrator_counts,
                failures_count_until_a_success,
                forgiving_somebody_forgets_bans_and_failures;
            orders: orders_come_to_everybody_in_their_order,
                an_order_says_who_told_of_it,
                a_mark_leads_to_the_orders_behind_it,
                what_a_session_does_is_told_by_orders,
                machines_hear_of_bans_and_attempts,
                the_secret_is_the_one_that_was_proposed_first,
                a_store_that_works_can_be_probed;
        }

        #[test]
        fn a_store_does_what_a_list_does() {
            crate::contract::property::a_store_does_what_a_list_does(&|| {
                $make("contract_a_store_does_what_a_list_does")
            });
        }
    };
    (@ $make:expr; $($part:ident: $($name:ident),+;)+) => {$($(
        #[test]
        fn $name() {
            let store = $make(concat!("contract_", stringify!($name)));
            crate::contract::$part::$name(&store);
        }
    )+)+};
}
pub(crate) use tests;

/// The time at which the tests begin.
pub static NOW: LazyLock<u64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs()
});

pub fn now() -> u64 {
    *NOW
}

/// A session that began at `created` and was not used since.
pub fn session(number: u8, user: &str, created: u64) -> LedgerSession {
    used(number, user, created, created)
}

/// A session that began at `created` and was last used at `last_used`.
pub fn used(number: u8, user: &str, created: u64, last_used: u64) -> LedgerSession {
    let mut record = vec![number; 184];
    record[..8].copy_from_slice(&last_used.to_le_bytes());
    LedgerSession {
        key: [number; 32],
        user: user.into(),
        domain: "example.com".into(),
        address: "2001:db8::1".parse().unwrap(),
        device: "Firefox on Linux".into(),
        methods: vec!["password".into(), "totp".into()],
        remember: true,
        created,
        last_used,
        ends: last_used + 600,
        record,
    }
}

pub fn started(session: LedgerSession) -> Event {
    Event::Started {
        session,
        replaces: None,
    }
}

pub fn replacing(old: u8, session: LedgerSession) -> Event {
    Event::Started {
        session,
        replaces: Some([old; 32]),
    }
}

pub fn ended(number: u8) -> Event {
    Event::Ended([number; 32])
}

pub fn end_user(user: &str, except: Option<u8>) -> Command {
    Command::EndUser {
        user: user.into(),
        except: except.map(|number| [number; 32]),
    }
}

pub fn user(name: &str) -> Target {
    Target::User(name.into())
}

pub fn ban(target: Target, by: BannedBy, created: u64, until: u64) -> Ban {
    Ban {
        target,
        until,
        created,
        by,
    }
}

/// Writes down what the workers of memory 1 tell; the numbers of those that are over.
pub fn record(ledger: &dyn Ledger, events: &[Event], now: u64) -> Vec<u8> {
    numbers(&ledger.record(events, 1, now).unwrap())
}

pub fn numbers(keys: &[SessionKey]) -> Vec<u8> {
    keys.iter().map(|key| key[0]).collect()
}

pub fn fetch(ledger: &dyn Ledger, number: u8, now: u64) -> Option<LedgerSession> {
    ledger.fetch(&[number; 32], now).unwrap()
}

/// The numbers of the sessions that are listed, which must be those that can be fetched.
pub fn listed(ledger: &dyn Ledger, user: Option<&str>, now: u64) -> Vec<u8> {
    let sessions = ledger.sessions(user, now).unwrap();
    for session in &sessions {
        let fetched = ledger.fetch(&session.key, now).unwrap();
        assert_eq!(fetched.as_ref(), Some(session), "listed and not fetched");
    }
    sessions.iter().map(|session| session.key[0]).collect()
}

pub fn orders_after(ledger: &dyn Ledger, mark: Mark) -> Orders {
    ledger.orders_after(mark, 1000, Duration::ZERO).unwrap()
}

/// What all orders say.
pub fn commands(ledger: &dyn Ledger) -> Vec<Command> {
    let orders = orders_after(ledger, Mark::default());
    orders
        .orders
        .into_iter()
        .map(|order| order.command)
        .collect()
}

/// As many bytes as a record may have.
pub fn longest_record() -> Vec<u8> {
    (0..MAX_RECORD).map(|at| at as u8).collect()
}
