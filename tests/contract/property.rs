//! Whatever happens in whatever order: a store does what lists in memory do.

use ngx_http_auth_gate_module::store::{TriedAt, Try};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::model::Model;
use super::*;

/// Another one gives other cases.
const SEED: u64 = 5;

const CASES: u32 = 40;
const KEYS: u8 = 12;
const USERS: [&str; 2] = ["alice", "bob"];

/// What happens next. What may come late waits until a worker writes it down.
#[derive(Clone, Debug)]
enum Step {
    Start(u8, Option<u8>),
    /// With an age for one that nobody has heard of.
    Use(u8, u64),
    End(u8),
    Ban(Target, BannedBy, u64),
    Try(Target, TriedAt, bool),
    WriteDown,
    Order(Command),
    Wait(u64),
}

fn target() -> impl Strategy<Value = Target> {
    let address = Target::Address("2001:db8::".parse().unwrap());
    prop_oneof![Just(user(USERS[0])), Just(user(USERS[1])), Just(address)]
}

fn command() -> impl Strategy<Value = Command> {
    let except = prop::option::of(0..KEYS);
    prop_oneof![
        (0..KEYS).prop_map(|number| Command::EndSession([number; 32])),
        (0..2usize, except).prop_map(|(user, except)| end_user(USERS[user], except)),
        Just(Command::EndAll),
        target().prop_map(Command::Revoke),
        // The times are filled in when it is placed.
        (target(), 1..200u64).prop_map(|(target, until)| Command::Ban(ban(
            target,
            BannedBy::Administrator,
            0,
            until
        ))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let by = prop_oneof![Just(BannedBy::Regulation), Just(BannedBy::SecondFactors)];
    let at = prop_oneof![Just(TriedAt::Password), Just(TriedAt::SecondFactor)];
    prop_oneof![
        4 => (0..KEYS, prop::option::weighted(0.4, 0..KEYS)).prop_map(|(new, old)| Step::Start(new, old)),
        4 => (0..KEYS, 0..60u64).prop_map(|(number, age)| Step::Use(number, age)),
        2 => (0..KEYS).prop_map(Step::End),
        2 => (target(), by, 1..200u64).prop_map(|(target, by, length)| Step::Ban(target, by, length)),
        3 => (target(), at, prop::bool::weighted(0.3)).prop_map(|(target, at, passed)| Step::Try(target, at, passed)),
        3 => Just(Step::WriteDown),
        2 => command().prop_map(Step::Order),
        2 => prop_oneof![1..5u64, Just(300)].prop_map(Step::Wait),
    ]
}

/// What goes through a store, and what should come out.
struct Run {
    handles: [Box<dyn Ledger>; 2],
    model: Model,
    /// When each session began, as the workers know it.
    born: [Option<u64>; KEYS as usize],
    queue: Vec<Event>,
    now: u64,
    turn: usize,
}

pub fn a_store_does_what_a_list_does<S: Store>(make: &dyn Fn() -> S) {
    let steps = prop::collection::vec(step(), 0..40);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        // The same cases each time: what a new case finds is not to fail somebody else's change.
        rng_seed: RngSeed::Fixed(SEED),
        ..Config::with_cases(CASES)
    });
    let run = |steps: Vec<Step>| {
        let store = make();
        let mut run = Run {
            handles: [store.open(), store.open()],
            model: Model::default(),
            born: [None; KEYS as usize],
            queue: Vec::new(),
            now: now(),
            turn: 0,
        };
        steps.into_iter().try_for_each(|step| run.step(step))
    };
    runner.run(&steps, run).unwrap();
}

impl Run {
    /// The handles take turns.
    fn ledger(&self) -> &dyn Ledger {
        &*self.handles[self.turn % 2]
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        // No two things happen in the same second, within which their order is not told.
        self.now += 1;
        self.turn += 1;
        let now = self.now;
        match step {
            Step::Wait(seconds) => self.now += seconds,
            Step::WriteDown => self.write_down()?,
            Step::Order(command) => self.order(command)?,
            // No key is made twice.
            Step::Start(new, _) if self.is_spent(new) => {}
            // A session begins in the ledger first.
            Step::Start(new, old) => {
                let session = self.session(new, 0);
                let replaces = old.filter(|old| *old != new).map(|old| [old; 32]);
                self.queue.push(Event::Started { session, replaces });
                self.write_down()?;
            }
            Step::Use(number, age) => {
                let session = self.session(number, age);
                self.queue.push(Event::Used(session));
            }
            Step::End(number) => self.queue.push(ended(number)),
            Step::Ban(target, by, length) => {
                let ban = ban(target, by, now, now + length);
                self.queue.push(Event::Banned(ban));
            }
            Step::Try(target, at, passed) => self.queue.push(Event::Tried(Try {
                at,
                target,
                when: now,
                passed,
            })),
        }
        self.compare()
    }

    /// Whether a session of this number cannot begin: it was used, and does not last.
    fn is_spent(&self, number: u8) -> bool {
        let born = self.born[usize::from(number)].is_some();
        born && !self.model.lasts(&[number; 32])
    }

    /// The session of a number as it is used now; its user follows from the number.
    fn session(&mut self, number: u8, age: u64) -> LedgerSession {
        let born = &mut self.born[usize::from(number)];
        let created = *born.get_or_insert(self.now - age);
        let name = USERS[usize::from(number) % 2];
        used(number, name, created, self.now)
    }

    fn write_down(&mut self) -> Result<(), TestCaseError> {
        let events = std::mem::take(&mut self.queue);
        let over = self.ledger().record(&events, 1, self.now).unwrap();
        let model = &mut self.model;
        let expected: Vec<_> = events
            .iter()
            .filter_map(|event| model.record(event, self.now))
            .collect();
        prop_assert_eq!(numbers(&over), numbers(&expected), "{:?}", events);
        Ok(())
    }

    fn order(&mut self, command: Command) -> Result<(), TestCaseError> {
        let command = match command {
            Command::Ban(said) => Command::Ban(Ban {
                created: self.now,
                until: self.now + said.until,
                ..said
            }),
            command => command,
        };
        let placed = self.ledger().place_order(&command, 0, self.now).unwrap();
        let expected = self.model.place_order(&command, self.now);
        prop_assert_eq!(placed, expected, "{:?}", command);
        Ok(())
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        let (model, now) = (&mut self.model, self.now);
        model.forget(now);
        let ledger = &*self.handles[self.turn % 2];
        model.sessions.sort_by_key(|session| session.key);
        let of = |user: Option<&str>| {
            let mut sessions = ledger.sessions(user, now).unwrap();
            sessions.sort_by_key(|session| session.key);
            sessions
        };
        prop_assert_eq!(&of(None), &model.sessions);
        for name in USERS {
            let his = model.sessions.iter().filter(|session| session.user == name);
            prop_assert_eq!(of(Some(name)), his.cloned().collect::<Vec<_>>());
        }
        for number in 0..KEYS {
            let lasting = model
                .sessions
                .iter()
                .find(|session| session.key[0] == number);
            prop_assert_eq!(fetch(ledger, number, now), lasting.cloned());
        }
        let sorted = |mut bans: Vec<Ban>| {
            bans.sort_by_key(|ban| format!("{ban:?}"));
            bans
        };
        let bans = ledger.bans(now).unwrap();
        prop_assert!(bans.is_sorted_by(|one, next| one.until >= next.until));
        prop_assert_eq!(sorted(bans), sorted(model.bans.clone()));
        let failures = ledger.failures(0).unwrap();
        prop_assert!(failures.is_sorted_by_key(|tried| tried.when));
        model.failures.sort_by_key(|tried| tried.when);
        prop_assert_eq!(failures, model.failures.clone());
        Ok(())
    }
}
