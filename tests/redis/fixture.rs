//! A store on servers of a kind, and what is written down in it.

use std::time::Duration;

use ngx_http_auth_gate_module::store::{
    Ban, BannedBy, Command, Event, Ledger, LedgerSession, Redis, RedisLayout, RedisSentinels,
    RedisServer, RedisSettings, RedisTls, RedisTlsVersion, StorageKey, Target, TriedAt, Try,
};

use super::servers::{Kind, NAME, PORT, SENTINEL_PORT, Servers, TLS_NAME, USER};

pub const NOW: u64 = 1_800_000_000;

/// Who tells.
pub const BY: u64 = 7;

pub fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).unwrap();
}

/// How to speak to the servers.
pub fn settings(servers: &Servers) -> RedisSettings {
    let host = servers.host();
    let at = |port| RedisServer::Tcp {
        host: host.clone(),
        port,
    };
    let layout = match servers.kind {
        Kind::Tcp | Kind::Tls => RedisLayout::Single(at(PORT)),
        Kind::Unix => RedisLayout::Single(RedisServer::Unix(servers.socket())),
        Kind::Sentinel => RedisLayout::Sentinel(RedisSentinels {
            name: NAME.into(),
            username: None,
            password: None,
            nodes: (SENTINEL_PORT..SENTINEL_PORT + 3).map(at).collect(),
        }),
        Kind::Cluster => RedisLayout::Cluster(servers.ports(6).map(at).collect()),
    };
    let tls = servers.kind == Kind::Tls;
    RedisSettings {
        layout,
        username: tls.then(|| USER.0.into()),
        password: tls.then(|| USER.1.into()),
        database: 0,
        timeout: Duration::from_secs(5),
        tls: tls.then(|| RedisTls {
            server_name: Some(TLS_NAME.into()),
            verify: true,
            oldest: RedisTlsVersion::V12,
            newest: RedisTlsVersion::V13,
            chain: None,
            key: None,
            certificates: Some(servers.authority()),
        }),
    }
}

pub fn open(settings: RedisSettings) -> Redis {
    try_open(settings).unwrap()
}

pub fn try_open(
    settings: RedisSettings,
) -> Result<Redis, ngx_http_auth_gate_module::store::StoreError> {
    let key = StorageKey::derive(b"a-session-secret-of-some-length");
    Redis::new(settings, key, &mut random)
}

pub fn store(servers: &Servers) -> Redis {
    open(settings(servers))
}

pub fn session(number: u8, user: &str) -> LedgerSession {
    LedgerSession {
        key: [number; 32],
        user: user.into(),
        domain: "example.com".into(),
        address: "2001:db8::1".parse().unwrap(),
        device: "Firefox on Linux".into(),
        methods: vec!["password".into(), "totp".into()],
        remember: true,
        created: NOW + u64::from(number),
        last_used: NOW + u64::from(number),
        ends: NOW + 3600,
        record: vec![number; 100],
    }
}

pub fn started(number: u8, user: &str) -> Event {
    Event::Started {
        session: session(number, user),
        replaces: None,
    }
}

pub fn rotated(number: u8, user: &str, old: u8) -> Event {
    Event::Started {
        session: session(number, user),
        replaces: Some([old; 32]),
    }
}

pub fn tried(user: &str, when: u64, passed: bool) -> Try {
    Try {
        at: TriedAt::Password,
        target: Target::User(user.into()),
        when,
        passed,
    }
}

pub fn ban(user: &str, by: BannedBy, created: u64, until: u64) -> Ban {
    Ban {
        target: Target::User(user.into()),
        until,
        created,
        by,
    }
}

pub fn end_user(user: &str, except: Option<u8>) -> Command {
    Command::EndUser {
        user: user.into(),
        except: except.map(|number| [number; 32]),
    }
}

/// First bytes of the keys of sessions that are listed.
pub fn listed(store: &dyn Ledger, user: Option<&str>, now: u64) -> Vec<u8> {
    let sessions = store.sessions(user, now).unwrap();
    sessions.iter().map(|session| session.key[0]).collect()
}

/// Whether a session is found, and listed if it is.
pub fn lasts(store: &dyn Ledger, number: u8, now: u64) -> bool {
    let found = store.fetch(&[number; 32], now).unwrap().is_some();
    assert_eq!(listed(store, None, now).contains(&number), found);
    found
}
