//! What somebody can do who can write to the server: take away, and nothing else.

use ngx_http_auth_gate_module::store::{BannedBy, Event, Ledger, StorageKey};

use super::fixture::{
    BY, NOW, ban, lasts, listed, random, session, settings, started, store, tried,
};
use super::servers::{Kind, Servers};

#[test]
fn values_that_are_not_ours_count_as_none() {
    let mut servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let ban = ban("alice", BannedBy::Regulation, NOW, NOW + 300);
    let events = [
        started(1, "alice"),
        started(2, "alice"),
        Event::Tried(tried("alice", NOW, false)),
        Event::Banned(ban.clone()),
    ];
    store.record(&events, BY, NOW).unwrap();
    let server = servers.first();
    let keys = server.cli(&["keys", "*"]);
    let key = |begin: &str| {
        let found = keys.lines().find(|key| key.starts_with(begin));
        found
            .unwrap_or_else(|| panic!("no {begin} in {keys}"))
            .to_owned()
    };
    let session_key =
        |number: u8| format!("auth-gate:session:{}", format!("{number:02x}").repeat(32));
    // One session's value in the place of another's, and values that are far too long.
    let swap = "redis.call('SET', KEYS[1], redis.call('GET', KEYS[2]))";
    server.cli(&["eval", swap, "2", &session_key(1), &session_key(2)]);
    let long = "redis.call('SET', KEYS[1], string.rep('x', 50000000))";
    for begin in ["auth-gate:ban:", "auth-gate:try:"] {
        server.cli(&["eval", long, "1", &key(begin)]);
    }
    assert!(!lasts(&store, 1, NOW) && lasts(&store, 2, NOW));
    assert!(store.bans(NOW).unwrap().is_empty());
    assert!(store.failures(NOW).unwrap().is_empty());
    // Whoever writes there again finds nothing in his way.
    store.record(&events, BY, NOW).unwrap();
    assert!(lasts(&store, 1, NOW));
    assert_eq!(store.bans(NOW).unwrap(), [ban]);
    assert_eq!(store.failures(NOW).unwrap().len(), 1);
    for member in ["x", "0123456789abcdef0123456789abcdef"] {
        for index in [
            "auth-gate:sessions:01",
            "auth-gate:bans",
            "auth-gate:tries",
            &key("auth-gate:user:"),
        ] {
            server.cli(&["zadd", index, "9999999999", member]);
        }
    }
    assert_eq!(listed(&store, None, NOW), [2, 1]);
    assert_eq!(
        store.bans(NOW).unwrap().len() + store.failures(NOW).unwrap().len(),
        2
    );
}

#[test]
fn another_secret_opens_nothing() {
    let servers = Servers::start(Kind::Tcp);
    let one = store(&servers);
    one.record(&[started(1, "alice")], BY, NOW).unwrap();
    one.secret(&[1; 32]).unwrap();
    let key = StorageKey::derive(b"another secret of some length");
    let other = ngx_http_auth_gate_module::store::Redis::new(settings(&servers), key, &mut random);
    let other = other.unwrap();
    assert!(!lasts(&other, 1, NOW));
    assert!(other.sessions(None, NOW).unwrap().is_empty());
    assert_eq!(other.secret(&[2; 32]).unwrap(), [2; 32]);
    assert_eq!(one.secret(&[3; 32]).unwrap(), [1; 32]);
}

#[test]
fn texts_of_any_length_are_cut_and_come_back() {
    let servers = Servers::start(Kind::Tcp);
    let store = store(&servers);
    let mut long = session(1, "alice");
    long.device = "ö".repeat(5000);
    long.methods = vec!["password".into(); 100];
    long.record = vec![1; 512];
    let event = Event::Started {
        session: long,
        replaces: None,
    };
    store.record(&[event], BY, NOW).unwrap();
    let found = store.fetch(&[1; 32], NOW).unwrap().unwrap();
    assert_eq!((found.device.len(), found.methods.len()), (1024, 16));
}
