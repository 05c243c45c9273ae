//! A soak: people sign in and out, ask, and leave in the middle of everything, on and on, while nginx is reloaded,
//! loses workers, is restarted and waits for a store that hangs. Whoever is signed in is let in as himself, whoever is
//! not is not, and the workers do not grow.
//!
//! One round unless `AUTH_GATE_SOAK` says how many; `scripts/sanitize` does, and looks for what only shows there.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::harness::site::{SESSION, USERS};
use super::harness::{Gate, Site};
use super::second_factor::{UNBOUNDED, enrol};
use super::servers::{Kind, Servers};
use super::storage;
use actor::Actor;

mod actor;
mod deeds;

/// Deeds between two disturbances.
const DEEDS: usize = 40;

/// Those who act, each in a thread of his own.
const PEOPLE: [&str; 6] = ["ann", "ben", "cay", "dan", "eve", "fay"];

const METRICS: &str = "metrics.example.com";

const RULES: &str = "access_control:
  default_policy: deny
  rules:
    - domain: app.example.com
      resources: '^/two/'
      policy: two_factor
    - domain: app.example.com
      policy: one_factor
";

/// By how much a worker may grow while nobody disturbs it, in KiB; a sanitizer keeps what was freed.
const GROWTH: u64 = 16 << 10;
const GROWTH_SANITIZED: u64 = 400 << 10;

/// What all who act share.
struct World<'g> {
    gates: Vec<&'g Gate>,
    began: Instant,
    /// How often what came about.
    figures: Mutex<BTreeMap<&'static str, usize>>,
    deeds: AtomicUsize,
    stop: AtomicBool,
}

impl<'g> World<'g> {
    fn new(gates: &[&'g Gate]) -> Self {
        World {
            gates: gates.to_vec(),
            began: Instant::now(),
            figures: Mutex::default(),
            deeds: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn count(&self, what: &'static str) {
        *self.figures.lock().unwrap().entry(what).or_default() += 1;
    }

    /// Waits for so many more deeds. Each is bounded by the patience of who waits for an answer.
    fn pass(&self, deeds: usize) {
        let from = self.deeds.load(Ordering::Relaxed);
        let end = Instant::now() + Duration::from_secs(120);
        while self.deeds.load(Ordering::Relaxed) < from + deeds {
            assert!(!self.stop.load(Ordering::Relaxed), "somebody gave up");
            assert!(Instant::now() < end, "nobody does anything any more");
            std::thread::sleep(Duration::from_millis(5));
        }
        for gate in &self.gates {
            gate.backend().take();
        }
    }
}

/// Ends the others, too, when somebody fails.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the store does while it hangs: nothing before it returns.
type Hang<'h> = &'h dyn Fn(usize, &dyn Fn());

#[test]
fn a_soak_with_sessions_in_a_file_leaves_everybody_as_he_was() {
    let gate = site(SESSION).start();
    let away = |meanwhile: &dyn Fn()| {
        let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
        fs::rename(&here, &away).unwrap();
        meanwhile();
        fs::rename(&away, &here).unwrap();
    };
    soak(&[&gate], &|round, meanwhile| {
        // Nobody reloads in these: without its store nginx takes no configuration.
        if round % 3 == 2 {
            return away(meanwhile);
        }
        let lock = Connection::open(gate.prefix().join("store/db.sqlite3")).unwrap();
        lock.busy_timeout(Duration::from_secs(10)).unwrap();
        lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
        meanwhile();
        lock.execute_batch("COMMIT").unwrap();
    });
}

#[test]
fn a_soak_of_two_machines_with_redis_leaves_everybody_as_he_was() {
    let servers = Servers::start(Kind::Tcp);
    // Longer than old workers may take to end, in every other round.
    let redis = servers.yaml().replacen('{', "{timeout: 4s, ", 1);
    let session = format!("{SESSION}  redis: {redis}\n");
    let [one, two] = [1, 2].map(|_| site(&session).start());
    soak(&[&one, &two], &|_, meanwhile| {
        servers.servers[0].hang();
        meanwhile();
        servers.servers[0].go_on();
    });
}

#[test]
fn reloads_do_not_grow_the_master() {
    let gate = site(SESSION).start();
    let world = World::new(&[&gate]);
    let mut actor = Actor::new(&world, PEOPLE[0], 0);
    let mut times = |count: usize| {
        for _ in 0..count {
            (0..DEEDS / 2).for_each(|_| actor.act());
            gate.reload().unwrap();
        }
        size(gate.master_pid())
    };
    let (before, count) = (times(5), 5 * rounds());
    let after = times(count);
    actor.judge();
    println!("{count} reloads: from {before} to {after} KiB");
    let bound = before + growth() / 4;
    assert!(after < bound, "from {before} to {after} KiB");
}

fn site(session: &str) -> Site {
    let hash = USERS.lines().find(|line| line.contains("password:"));
    let user = |name| format!("  {name}:\n    displayname: {name}\n{}\n", hash.unwrap());
    let users: String = PEOPLE.iter().map(user).collect();
    let server = format!(
        "server {{ @listen@ server_name {METRICS}; location / {{ allow all; auth_gate_metrics; }} }}"
    );
    storage::bed()
        .workers(2)
        .users(&format!("users:\n{users}"))
        .session(&session.replace(
            "  cookies:",
            "  inactivity: 4h\n  expiration: 8h\n  cookies:",
        ))
        .rules(RULES)
        .yaml(UNBOUNDED)
        .server(&server)
        .prepare(|prefix| enrol(prefix, &PEOPLE))
        .tolerate("exited on signal 9")
        .tolerate("was locked by")
}

fn rounds() -> usize {
    let rounds = std::env::var("AUTH_GATE_SOAK").ok();
    rounds.map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

fn soak(gates: &[&Gate], hang: Hang<'_>) {
    let (world, rounds) = (World::new(gates), rounds());
    let mut sizes = Sizes::default();
    std::thread::scope(|scope| {
        let stopping = Stop(&world.stop);
        let act = |(number, name): (usize, &'static str)| {
            let world = &world;
            scope.spawn(move || {
                let _stopping = Stop(&world.stop);
                let mut actor = Actor::new(world, name, number as u64);
                while !world.stop.load(Ordering::Relaxed) {
                    actor.act();
                    world.deeds.fetch_add(1, Ordering::Relaxed);
                }
                actor
            })
        };
        let actors: Vec<_> = PEOPLE.into_iter().enumerate().map(act).collect();
        for round in 0..rounds {
            disturb(&world, round, hang);
            sizes.take(gates);
        }
        sizes.calm(gates, || world.pass(DEEDS * rounds.min(25)));
        drop(stopping);
        let judged = actors
            .into_iter()
            .map(|actor| actor.join().unwrap().judge());
        let (alive, gone): (Vec<_>, Vec<_>) = judged.unzip();
        let (alive, gone): (usize, usize) = (alive.iter().sum(), gone.iter().sum());
        println!("at the end {alive} are let in and {gone} are not");
        assert!(alive > 0 && gone > 0);
    });
    let (took, figures) = (world.began.elapsed(), world.figures.into_inner().unwrap());
    println!("{rounds} rounds in {took:?}: {figures:?}; {sizes:?}");
    sizes.are_bounded();
}

/// Everything that an administrator or an accident may do.
fn disturb(world: &World<'_>, round: usize, hang: Hang<'_>) {
    let gate = world.gates[round % world.gates.len()];
    let reload = || {
        gate.reload().unwrap();
        world.count("reloads");
    };
    let kill_worker = || {
        let victim = gate.workers().into_iter().nth(round % 2);
        gate.kill_worker(victim.expect("a worker"));
        world.count("killed workers");
    };
    world.pass(DEEDS);
    reload();
    world.pass(DEEDS);
    kill_worker();
    world.pass(DEEDS);
    match round % 3 {
        0 => gate.restart(),
        1 => {
            gate.stop_at_once();
            gate.start_anew();
        }
        _ => {
            gate.kill();
            gate.start_anew();
        }
    }
    world.count("restarts");
    // The zone is empty: whoever comes now waits for the store.
    hang(round, &|| {
        world.pass(PEOPLE.len());
        match round % 3 {
            0 => reload(),
            1 => kill_worker(),
            _ => {}
        }
        world.pass(PEOPLE.len());
    });
    world.count("hangs");
    world.pass(DEEDS);
}

/// How much memory processes have, in KiB.
#[derive(Debug, Default)]
struct Sizes {
    /// The largest worker ever.
    largest: u64,
    /// By how much a worker grew at most while nobody disturbed it.
    growth: u64,
}

impl Sizes {
    fn take(&mut self, gates: &[&Gate]) {
        let workers = gates.iter().flat_map(|gate| gate.workers());
        let largest = workers.map(size).max().unwrap_or_default();
        self.largest = self.largest.max(largest);
    }

    fn calm(&mut self, gates: &[&Gate], meanwhile: impl Fn()) {
        meanwhile();
        let workers: Vec<u32> = gates.iter().flat_map(|gate| gate.workers()).collect();
        let before: Vec<u64> = workers.iter().copied().map(size).collect();
        meanwhile();
        let after = workers.iter().copied().map(size);
        let growth = after
            .zip(before)
            .map(|(after, before)| after.saturating_sub(before));
        self.growth = growth.max().unwrap_or_default();
        self.take(gates);
    }

    fn are_bounded(&self) {
        assert!(self.growth < growth(), "{self:?}");
    }
}

fn growth() -> u64 {
    match std::env::var_os("ASAN_OPTIONS") {
        Some(_) => GROWTH_SANITIZED,
        None => GROWTH,
    }
}

fn size(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or_default()
}
