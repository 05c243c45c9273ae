//! Servers that hang, are gone, or take no writes.

use std::time::{Duration, Instant};

use ngx_http_auth_gate_module::store::{
    Command, Ledger, Mark, Redis, RedisTlsVersion, RedisTrouble, StoreError,
};

use super::fixture::{BY, NOW, lasts, open, settings, started, store, try_open};
use super::servers::{Kind, NAME, Servers, USER, until};

/// What a call may take beyond the time-out, on a machine that has other things to do.
const SLACK: Duration = Duration::from_millis(700);

fn trouble<T: std::fmt::Debug>(result: Result<T, StoreError>) -> RedisTrouble {
    match result {
        Err(StoreError::Redis { trouble, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}

fn impatient(servers: &Servers) -> Redis {
    let mut settings = settings(servers);
    settings.timeout = Duration::from_secs(1);
    open(settings)
}

/// That no one of many calls at a time, and after one another, waits for another.
fn nobody_waits_for_another(store: &Redis) {
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                // Each stands for a thread that has five calls to make.
                let begun = Instant::now();
                for _ in 0..5 {
                    let late = trouble(store.fetch(&[1; 32], NOW));
                    assert_eq!(late, RedisTrouble::Late(1));
                }
                let took = begun.elapsed();
                assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
            });
        }
    });
}

#[test]
fn a_server_that_hangs_holds_nobody_longer_than_the_time_out() {
    for kind in [Kind::Tcp, Kind::Unix, Kind::Tls] {
        let mut servers = Servers::start(kind);
        let store = impatient(&servers);
        store.record(&[started(1, "alice")], BY, NOW).unwrap();
        servers.first().hang();
        nobody_waits_for_another(&store);
        let fresh = impatient(&servers);
        nobody_waits_for_another(&fresh);
        let begun = Instant::now();
        let wait = Duration::from_secs(1);
        let _ = trouble(impatient(&servers).orders_after(Mark::default(), 10, wait));
        assert!(begun.elapsed() < Duration::from_secs(2) + SLACK);
        servers.first().go_on();
        until("the store to find out", || store.probe(NOW).ok());
        assert!(lasts(&store, 1, NOW));
    }
}

#[test]
fn while_one_tries_a_server_that_hangs_the_others_fail_at_once() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = impatient(&servers);
    servers.first().hang();
    trouble(store.probe(NOW));
    let begun = Instant::now();
    // Somebody finds it hanging again after a second; whoever comes meanwhile hears so at once.
    let slow = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut slow = 0;
                    while begun.elapsed() < Duration::from_millis(2500) {
                        let call = Instant::now();
                        trouble(store.probe(NOW));
                        slow += u32::from(call.elapsed() > Duration::from_millis(500));
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    slow
                })
            })
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap())
            .sum::<u32>()
    });
    assert!((1..=2).contains(&slow), "{slow} calls were slow");
}

#[test]
fn a_server_that_is_gone_is_named_and_found_again() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    store.probe(NOW).unwrap();
    servers.first().kill();
    let error = store.probe(NOW).unwrap_err().to_string();
    let host = servers.host();
    let begins = format!("Redis at {host}:6379: cannot be reached (Connection refused");
    assert!(error.starts_with(&begins), "{error}");
    servers.first().restart();
    until("the store to find out", || store.probe(NOW).ok());
    // Connections that were closed meanwhile are no trouble to anybody.
    for _ in 0..3 {
        servers.first().restart();
        store.probe(NOW).unwrap();
    }
}

#[test]
fn a_server_that_only_reads_or_is_full_says_so() {
    let mut servers = Servers::tcp("");
    let store = store(&servers);
    store.record(&[started(1, "alice")], BY, NOW).unwrap();
    let server = servers.first();
    assert_eq!(server.cli(&["config", "set", "maxmemory", "1"]), "OK");
    assert_eq!(trouble(store.probe(NOW)), RedisTrouble::Full);
    let full = trouble(store.record(&[started(2, "alice")], BY, NOW));
    assert_eq!(full, RedisTrouble::Full);
    assert!(lasts(&store, 1, NOW), "what is there can be read");
    server.cli(&["config", "set", "maxmemory", "0"]);
    assert_eq!(server.cli(&["replicaof", "127.0.0.1", "1"]), "OK");
    assert_eq!(trouble(store.probe(NOW)), RedisTrouble::ReadOnly);
    let read_only = trouble(store.record(&[started(2, "alice")], BY, NOW));
    assert_eq!(read_only, RedisTrouble::ReadOnly);
    server.cli(&["replicaof", "no", "one"]);
    server.cli(&["config", "set", "min-replicas-to-write", "1"]);
    assert_eq!(trouble(store.probe(NOW)), RedisTrouble::TooFewReplicas);
    server.cli(&["config", "set", "min-replicas-to-write", "0"]);
    store.probe(NOW).unwrap();
}

#[test]
fn a_wrong_password_or_certificate_is_told() {
    let servers = Servers::start(Kind::Tls);
    let with = |change: &dyn Fn(&mut ngx_http_auth_gate_module::store::RedisSettings)| {
        let mut settings = settings(&servers);
        change(&mut settings);
        try_open(settings).and_then(|store| store.probe(NOW))
    };
    with(&|_| {}).unwrap();
    let wrong = trouble(with(&|settings| settings.password = Some("wrong".into())));
    assert!(matches!(wrong, RedisTrouble::Password(_)), "{wrong}");
    let wrong = trouble(with(&|settings| settings.password = None));
    assert!(matches!(wrong, RedisTrouble::Password(_)), "{wrong}");
    let tls = |change: &dyn Fn(&mut ngx_http_auth_gate_module::store::RedisTls)| {
        with(&|settings| change(settings.tls.as_mut().unwrap()))
    };
    let wrong = trouble(tls(&|tls| tls.certificates = None)).to_string();
    assert!(wrong.contains("certificates_directory"), "{wrong}");
    let wrong = trouble(tls(&|tls| tls.server_name = None)).to_string();
    assert!(wrong.contains("session.redis.tls.server_name"), "{wrong}");
    tls(&|tls| (tls.verify, tls.certificates) = (false, None)).unwrap();
    tls(&|tls| tls.newest = RedisTlsVersion::V12).unwrap();
    tls(&|tls| tls.oldest = RedisTlsVersion::V13).unwrap();
    let wrong = trouble(with(&|settings| settings.tls = None));
    assert!(wrong.to_string().contains("broken off"), "{wrong}");
    let wrong = trouble(try_open({
        let mut settings = settings(&servers);
        settings.tls.as_mut().unwrap().certificates = Some("/nowhere".into());
        settings
    }));
    assert!(
        wrong.to_string().contains("cannot read /nowhere"),
        "{wrong}"
    );
    // One that speaks no TLS waits for more of what it takes for a command.
    let plain = Servers::start(Kind::Tcp);
    let mut settings = settings(&plain);
    settings.timeout = Duration::from_secs(1);
    settings.tls = super::fixture::settings(&servers).tls;
    assert_eq!(trouble(open(settings).probe(NOW)), RedisTrouble::Late(1));
}

#[test]
fn a_server_may_ask_for_a_certificate_of_ours() {
    let servers = Servers::tls(true);
    let wrong = trouble(store(&servers).probe(NOW));
    assert!(!matches!(wrong, RedisTrouble::Late(_)), "{wrong}");
    let (chain, key) = servers.client.clone().unwrap();
    let mut settings = settings(&servers);
    let tls = settings.tls.as_mut().unwrap();
    (tls.chain, tls.key) = (Some(chain), Some(key.into()));
    open(settings).probe(NOW).unwrap();
}

#[test]
fn a_user_who_may_too_little_and_a_server_of_another_kind_are_told() {
    let servers = Servers::tcp(&format!(
        "user {} on >{} ~auth-gate:* -@all +get\n",
        USER.0, USER.1
    ));
    let mut with = settings(&servers);
    (with.username, with.password) = (Some(USER.0.into()), Some(USER.1.into()));
    let wrong = trouble(open(with).probe(NOW));
    assert!(matches!(wrong, RedisTrouble::Forbidden(_)), "{wrong}");
    let mut with = settings(&servers);
    with.layout = ngx_http_auth_gate_module::store::RedisLayout::Cluster(vec![
        ngx_http_auth_gate_module::store::RedisServer::Tcp {
            host: servers.host(),
            port: super::servers::PORT,
        },
    ]);
    let wrong = trouble(open(with).probe(NOW));
    assert!(matches!(wrong, RedisTrouble::NoCluster(_)), "{wrong}");
}

#[test]
fn sentinels_that_know_no_such_name_or_are_gone_are_told() {
    let mut servers = Servers::start(Kind::Sentinel);
    let named = |name: &str| {
        let mut settings = settings(&servers);
        let ngx_http_auth_gate_module::store::RedisLayout::Sentinel(sentinels) =
            &mut settings.layout
        else {
            panic!("no sentinels")
        };
        sentinels.name = name.into();
        open(settings)
    };
    let wrong = trouble(named("other").probe(NOW));
    assert_eq!(wrong, RedisTrouble::NoPrimary("other".into()));
    let store = named(NAME);
    // One that hangs and one that is gone cost a little time and nothing else.
    servers.sentinels[0].hang();
    servers.sentinels[1].kill();
    store.place_order(&Command::EndAll, 0, NOW).unwrap();
    servers.sentinels[2].kill();
    store.probe(NOW).unwrap();
    servers.first().kill();
    trouble(store.probe(NOW));
    let wrong = trouble(store.probe(NOW));
    assert!(
        wrong.to_string().contains("reach") || matches!(wrong, RedisTrouble::Late(_)),
        "{wrong}"
    );
}
