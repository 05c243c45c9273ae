//! What can befall the store, each under load: nothing is allowed that should not be, nobody is signed out, no answer
//! comes later than the time-outs, other sites feel nothing, and all mends by itself.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use super::harness::crowd::{Tally, crowd, gone, people};
use super::harness::place::is_root;
use super::harness::relay::Relay;
use super::harness::site::SESSION;
use super::harness::{Answer, Gate, Site, until};
use super::servers::{Kind, PORT, Servers};
use super::shared::{self, at};
use super::storage::bed;

const APP: &str = "app.example.com";

/// What Redis is given, in [`site`], and what a busy machine takes besides.
const TIMEOUT: Duration = Duration::from_secs(2);
const SLACK: Duration = Duration::from_secs(2);

/// Sign-ins of one person at once are no attack here.
const UNBOUNDED: &str = "regulation: { max_retries: 0 }";

fn site(servers: &Servers) -> Site {
    shared::site(servers).yaml(UNBOUNDED)
}

fn sign_in(gate: &Gate) -> Answer {
    gate.visitor().sign_in("bob", "password")
}

/// What holds while the store is out: sign-ins at once are all answered in time, and other sites and strangers feel
/// nothing.
fn is_out(gate: &Gate, longest: Duration) {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let began = Instant::now();
                let answer = sign_in(gate);
                assert_eq!(answer.status, 503, "{}", answer.text());
                assert!(answer.header("Retry-After").is_some(), "{answer:?}");
                assert!(began.elapsed() < longest, "{:?}", began.elapsed());
            });
        }
        let began = Instant::now();
        assert_eq!(gate.page("public.example.com", "/").status, 200);
        assert_eq!(gate.page(APP, "/x").status, 302);
        assert!(began.elapsed() < SLACK, "{:?}", began.elapsed());
    });
}

fn is_back(gate: &Gate) {
    until("a sign-in", || sign_in(gate).is(200));
    until("the end of the outage to be said", || {
        (said(gate, "event=recovery") == said(gate, "event=outage")).then_some(())
    });
}

fn said(gate: &Gate, words: &str) -> usize {
    gate.log().matches(words).count()
}

/// Nobody felt anything who was signed in.
fn is_calm(tally: &Tally, longest: Duration) {
    tally.is_right();
    assert_eq!((tally.told_to_wait, tally.cut_off), (0, 0), "{tally:?}");
    assert!(tally.slowest < longest, "{tally:?}");
}

/// One fault of one server: `begin` brings it about and `end` takes it away.
fn befalls(begin: impl Fn(&mut Servers), end: impl Fn(&mut Servers)) {
    let mut servers = Servers::start(Kind::Tcp);
    let gate = site(&servers).workers(2).start();
    let (people, mut gone) = (people(&gate), gone(&gate));
    let tally = crowd(&[&gate], &people, |crowd| {
        for round in 1..=2 {
            begin(&mut servers);
            is_out(&gate, TIMEOUT + SLACK);
            crowd.pass(20);
            until("the outage to be said once", || {
                (said(&gate, "event=outage") == round).then_some(())
            });
            end(&mut servers);
            is_back(&gate);
            crowd.pass(20);
        }
    });
    is_calm(&tally, TIMEOUT + SLACK);
    assert_eq!(gone.page(APP, "/x").status, 302);
}

#[test]
fn a73_redis_is_killed_and_comes_back_without_a_memory() {
    befalls(
        |servers| servers.first().kill(),
        |servers| servers.first().restart(),
    );
}

#[test]
fn a73_redis_hangs() {
    befalls(
        |servers| servers.first().hang(),
        |servers| servers.first().go_on(),
    );
}

#[test]
fn a73_redis_becomes_a_replica_that_can_only_be_read() {
    befalls(
        |servers| _ = servers.first().cli(&["replicaof", "127.0.0.1", "1"]),
        |servers| _ = servers.first().cli(&["replicaof", "no", "one"]),
    );
}

#[test]
fn a73_redis_is_full() {
    befalls(
        |servers| _ = servers.first().cli(&["config", "set", "maxmemory", "1"]),
        |servers| _ = servers.first().cli(&["config", "set", "maxmemory", "0"]),
    );
}

#[test]
fn what_redis_has_forgotten_is_kept_anew_by_those_who_know_it() {
    let mut servers = Servers::start(Kind::Tcp);
    let [one, two] = [1, 2].map(|_| site(&servers).start());
    let mut alice = one.signed_in("alice");
    let mut gone = gone(&one);
    servers.first().kill();
    servers.first().restart();
    is_back(&one);
    until("the session to be kept anew", || {
        at(&two, &alice).page(APP, "/x").is(200)
    });
    one.restart();
    assert!(alice.reaches("/x"));
    assert_eq!(gone.page(APP, "/x").status, 302);
}

#[test]
fn a45_a_sign_out_while_redis_is_gone_holds_at_all_machines_when_it_is_back() {
    let mut servers = Servers::start(Kind::Tcp);
    let [one, two] = [1, 2].map(|_| site(&servers).start());
    let mut alice = one.signed_in("alice");
    let mut there = at(&two, &alice);
    assert!(there.reaches("/x"));
    let mut stolen = alice.clone();
    servers.first().hang();
    assert_eq!(alice.sign_out().status, 503);
    assert_eq!(stolen.page(APP, "/x").status, 302, "here at once");
    servers.first().go_on();
    until("the other machine to know", || {
        there.page(APP, "/x").is(302)
    });
    assert_eq!(stolen.page(APP, "/x").status, 302);
}

#[test]
fn a73_slow_answers_are_waited_for_and_too_slow_ones_are_not() {
    let servers = Servers::start(Kind::Tcp);
    let relay = Relay::start(SocketAddr::from((servers.ip(), PORT)));
    let (host, port) = (relay.address.ip(), relay.address.port());
    let redis = format!("  redis: {{host: {host}, port: {port}, timeout: 2s}}\n");
    let gate = Site::bed()
        .session(&format!("{SESSION}{redis}"))
        .yaml(UNBOUNDED)
        .start();
    let people = people(&gate);
    let tally = crowd(&[&gate], &people, |crowd| {
        relay.delay(100);
        assert_eq!(sign_in(&gate).status, 200);
        crowd.pass(20);
        relay.delay(4000);
        until("sign-ins to be turned away", || sign_in(&gate).is(503));
        is_out(&gate, TIMEOUT + SLACK);
        crowd.pass(20);
        relay.delay(0);
        is_back(&gate);
    });
    is_calm(&tally, TIMEOUT + SLACK);
}

#[test]
fn a73_a_failover_by_sentinels_signs_nobody_out() {
    let mut servers = Servers::start(Kind::Sentinel);
    let [one, two] = [1, 2].map(|_| site(&servers).start());
    let (people, mut gone) = (people(&one), gone(&one));
    let tally = crowd(&[&one, &two], &people, |crowd| {
        crowd.pass(20);
        servers.first().kill();
        crowd.pass(20);
        long_until(|| sign_in(&one).is(200));
        long_until(|| sign_in(&two).is(200));
        crowd.pass(20);
    });
    tally.is_right();
    assert_eq!(gone.page(APP, "/x").status, 302);
    let mut alice = one.signed_in("alice");
    assert!(at(&two, &alice).reaches("/x"));
    alice.sign_out();
    until("the other machine to know", || {
        at(&two, &gone).page(APP, "/x").is(302)
    });
}

#[test]
fn a73_a_primary_of_a_cluster_that_is_killed_signs_nobody_out() {
    let mut servers = Servers::start(Kind::Cluster);
    let [one, two] = [1, 2].map(|_| site(&servers).start());
    let (people, mut gone) = (people(&one), gone(&one));
    let tally = crowd(&[&one, &two], &people, |crowd| {
        crowd.pass(20);
        servers.first().kill();
        crowd.pass(20);
        // Each session has its own place in the cluster.
        long_until(|| (0..6).all(|_| sign_in(&one).status == 200).then_some(()));
        long_until(|| (0..6).all(|_| sign_in(&two).status == 200).then_some(()));
        crowd.pass(20);
    });
    tally.is_right();
    assert_eq!(gone.page(APP, "/x").status, 302);
}

/// Servers take seconds to agree on who takes over.
fn long_until(ask: impl Fn() -> Option<()>) {
    let end = Instant::now() + Duration::from_secs(40);
    while ask().is_none() {
        assert!(Instant::now() < end, "nobody has taken over");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A small file system, unmounted when dropped.
struct Small(std::path::PathBuf);

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a73_the_disk_under_sqlite_is_full() {
    if !is_root() {
        return;
    }
    let gate = bed().yaml(UNBOUNDED).start();
    let store = gate.prefix().join("store");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs"])
        .arg(&store)
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("no file system can be mounted here");
        return;
    }
    let _small = Small(store.clone());
    let people = people(&gate);
    let fill = store.join("fill");
    let tally = crowd(&[&gate], &people, |crowd| {
        let _ = std::fs::write(&fill, vec![0; 4 << 20]);
        is_out(&gate, 2 * SLACK);
        crowd.pass(20);
        std::fs::remove_file(&fill).unwrap();
        is_back(&gate);
        crowd.pass(20);
    });
    is_calm(&tally, 2 * SLACK);
}
