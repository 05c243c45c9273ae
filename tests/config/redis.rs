//! `session.redis`: what it means, and what is said of mistakes in it.

use std::path::Path;
use std::time::Duration;

use ngx_http_auth_gate_module::store::{RedisLayout, RedisServer, RedisSettings, RedisTlsVersion};
use secrecy::ExposeSecret;

use super::fixture::{LEAST, Memory, lines};

fn with(redis: &str) -> String {
    LEAST.replace("  secret:", &format!("  redis: {redis}\n  secret:"))
}

fn settings(redis: &str) -> RedisSettings {
    match Memory::new(&with(redis)).load() {
        Ok(loaded) => loaded.config.session.redis.expect("it is there"),
        Err(problems) => panic!("{}", lines(&problems)),
    }
}

fn tcp(host: &str, port: u16) -> RedisServer {
    RedisServer::Tcp {
        host: host.into(),
        port,
    }
}

#[test]
fn one_server_has_authelias_defaults() {
    let redis = settings("{host: redis}");
    assert!(matches!(&redis.layout, RedisLayout::Single(server) if *server == tcp("redis", 6379)));
    assert_eq!((redis.database, redis.timeout), (0, Duration::from_secs(5)));
    assert!(redis.username.is_none() && redis.password.is_none() && redis.tls.is_none());
    let redis = settings(
        "{host: '[2001:db8::1]', port: 7000, username: gate, password: pass, database_index: 3, timeout: 300ms}",
    );
    assert!(
        matches!(&redis.layout, RedisLayout::Single(server) if *server == tcp("2001:db8::1", 7000))
    );
    assert_eq!(redis.username.as_deref(), Some("gate"));
    assert_eq!(redis.password.expect("it is there").expose_secret(), "pass");
    assert_eq!((redis.database, redis.timeout), (3, Duration::from_secs(1)));
    let redis = settings("{host: /run/redis.sock, timeout: 2s}");
    let RedisLayout::Single(RedisServer::Unix(path)) = &redis.layout else {
        panic!("{redis:?}")
    };
    assert_eq!(
        (path.as_path(), redis.timeout.as_secs()),
        (Path::new("/run/redis.sock"), 2)
    );
    let none = Memory::new(LEAST)
        .load()
        .expect("it is there")
        .config
        .session;
    assert!(none.redis.is_none() && none.shared_store().is_none());
}

#[test]
fn what_stands_beside_a_list_of_nodes_is_one_of_them() {
    let redis = settings(
        "{host: one, port: 1, high_availability: {sentinel_name: gate, sentinel_username: watch, \
        sentinel_password: sp, nodes: [{host: two}, {host: three, port: 3}]}}",
    );
    let RedisLayout::Sentinel(sentinels) = redis.layout else {
        panic!("{redis:?}")
    };
    assert_eq!(
        sentinels.nodes,
        [tcp("one", 1), tcp("two", 26_379), tcp("three", 3)]
    );
    assert_eq!(
        (sentinels.name.as_str(), sentinels.username.as_deref()),
        ("gate", Some("watch"))
    );
    assert_eq!(
        sentinels.password.expect("it is there").expose_secret(),
        "sp"
    );
    let redis = settings("{host: one, high_availability: {sentinel_name: gate}}");
    assert!(
        matches!(redis.layout, RedisLayout::Sentinel(sentinels) if sentinels.nodes == [tcp("one", 26_379)])
    );
    let redis = settings("{cluster: {nodes: [{host: two}, {host: three, port: 3}]}}");
    assert!(
        matches!(redis.layout, RedisLayout::Cluster(nodes) if nodes == [tcp("two", 6379), tcp("three", 3)])
    );
}

#[test]
fn tls_is_spoken_as_it_is_written() {
    let tls = settings("{host: redis, tls: {minimum_version: TLS1.0}}")
        .tls
        .expect("it is there");
    assert!(tls.verify && tls.server_name.is_none() && tls.certificates.is_none());
    assert_eq!(
        (tls.oldest, tls.newest),
        (RedisTlsVersion::V12, RedisTlsVersion::V13)
    );
    let yaml = with(
        "{host: redis, tls: {server_name: redis.example.com, minimum_version: TLS1.3, \
        certificate_chain: '-----BEGIN CERTIFICATE-----', private_key: '-----BEGIN KEY-----'}}",
    ) + "certificates_directory: certs\n";
    let loaded = Memory::new(&yaml).load().expect("it is there");
    assert_eq!(lines(&loaded.warnings), "");
    let tls = loaded
        .config
        .session
        .redis
        .expect("it is there")
        .tls
        .expect("it is there");
    assert_eq!(
        tls.certificates.as_deref(),
        Some(Path::new("/etc/gate/certs"))
    );
    assert_eq!(tls.server_name.as_deref(), Some("redis.example.com"));
    assert_eq!(
        (tls.oldest, tls.newest),
        (RedisTlsVersion::V13, RedisTlsVersion::V13)
    );
    assert!(tls.chain.is_some() && tls.key.is_some());
    assert!(!format!("{tls:?}").contains("BEGIN KEY"));
}

#[test]
fn mistakes_are_told_with_what_to_write() {
    for (redis, told) in [
        (
            "{port: 6379}",
            "session.redis: has no host; write for instance `host: localhost`",
        ),
        (
            "{high_availability: {nodes: [{host: a}]}}",
            "session.redis.high_availability: has no sentinel_name; write for instance `sentinel_name: authelia`",
        ),
        (
            "{cluster: {nodes: [{port: 1}]}}",
            "session.redis.cluster.nodes#1: has no host; write for instance `host: redis-1`",
        ),
        (
            "{host: a, cluster: {nodes: [{host: a}]}, high_availability: {sentinel_name: n}}",
            "session.redis.cluster: cannot stand beside session.redis.high_availability; keep one of the two",
        ),
        (
            "{cluster: {nodes: [{host: a}]}, database_index: 2}",
            "session.redis.database_index: a cluster has no database but 0; take this line out",
        ),
        (
            "{host: a, database_index: -1}",
            "session.redis.database_index: is no number of a database; write 0, or a number above",
        ),
        (
            "{host: a, tls: {maximum_version: TLS1.1}}",
            "session.redis.tls.maximum_version: is a version that nobody speaks any more; write TLS1.3",
        ),
        (
            "{host: a, tls: {minimum_version: TLS1.3, maximum_version: TLS1.2}}",
            "session.redis.tls.maximum_version: is older than minimum_version; write TLS1.3",
        ),
        (
            "{host: a, tls: {private_key: '-----BEGIN KEY-----'}}",
            "session.redis.tls.private_key: needs session.redis.tls.certificate_chain, too",
        ),
        (
            "{host: a, tls: {certificate_chain: a.crt, private_key: '-----BEGIN KEY-----'}}",
            "session.redis.tls.certificate_chain: is no PEM; write the text itself, which begins with -----BEGIN, after a `|`",
        ),
    ] {
        let errors = Memory::new(&with(redis)).errors();
        assert_eq!(errors, format!("configuration.yml:5: {told}\n"));
    }
    let unsigned = with("{host: a}").replace("  secret: a-session-secret-of-some-length\n", "");
    let errors = Memory::new(&unsigned).errors();
    let told = "session.redis: needs session.secret; write 64 random characters there\n";
    assert!(errors.ends_with(told), "{errors}");
}

#[test]
fn what_has_no_effect_is_said_once() {
    let yaml = with(
        "{host: a, max_retries: 3, maximum_active_connections: 8, minimum_idle_connections: 1, \
        high_availability: {sentinel_name: n, route_by_latency: true, route_randomly: true}, tls: {skip_verify: true}}",
    );
    let warnings = Memory::new(&yaml).warnings();
    let keys: Vec<_> = warnings
        .lines()
        .map(|line| line.split(": ").nth(1).expect("it is there"))
        .collect();
    let redis = |key: &str| format!("session.redis.{key}");
    let expected = [
        "max_retries",
        "maximum_active_connections",
        "minimum_idle_connections",
        "high_availability.route_by_latency",
        "high_availability.route_randomly",
        "tls.skip_verify",
    ];
    assert_eq!(keys, expected.map(redis), "{warnings}");
}
