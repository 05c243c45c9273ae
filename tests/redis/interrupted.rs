//! A connection that breaks at any place of what is told, which is then told once more.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ngx_http_auth_gate_module::store::{
    BannedBy, Command, Event, Ledger, LedgerSession, Mark, RedisLayout, RedisServer, SessionKey,
};

use super::fixture::{BY, NOW, ban, open, session, settings, store, tried};
use super::servers::{Kind, PORT, Servers, until};

/// How often something is sent at most until everything has been told.
const STEPS: u8 = 48;

/// Passes on what is sent so often, and then breaks off every connection.
struct Cutter {
    address: SocketAddr,
    left: Arc<AtomicI64>,
}

impl Cutter {
    /// Whether the last of it still reaches the server, so that only its answer is lost.
    fn start(server: SocketAddr, left: i64, reaches: bool) -> Cutter {
        let listener = TcpListener::bind((server.ip(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicI64::new(left));
        let budget = Arc::clone(&left);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                    return;
                };
                let budget = Arc::clone(&budget);
                let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || pass(from, to, |_: Option<&mut dyn FnMut()>| true));
                std::thread::spawn(move || {
                    pass(client, server, |server: Option<&mut dyn FnMut()>| {
                        let goes_on = budget.fetch_sub(1, Ordering::SeqCst) > 0;
                        if let (false, true, Some(send)) = (goes_on, reaches, server) {
                            send();
                        }
                        goes_on
                    });
                });
            }
        });
        Cutter { address, left }
    }
}

/// Passes bytes on for as long as `goes_on`, which may have the last of them sent.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    goes_on: impl Fn(Option<&mut dyn FnMut()>) -> bool,
) {
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let mut last = {
            let (mut to, bytes) = (to.try_clone().unwrap(), buffer[..read].to_vec());
            move || {
                // Until the server has done it, it does not hear that the connection is gone.
                let _ = to.write_all(&bytes);
                let _ = to.shutdown(Shutdown::Write);
                let _ = to.read(&mut [0; 1]);
            }
        };
        if !goes_on(Some(&mut last)) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn key(step: u8, number: u8) -> SessionKey {
    let mut key = [step; 32];
    key[0] = number;
    key
}

fn named(step: u8, number: u8, user: &str) -> LedgerSession {
    LedgerSession {
        key: key(step, number),
        ..session(number, user)
    }
}

/// Says whether it was interrupted.
fn interrupted_at(servers: &Servers, step: u8, reaches: bool) -> bool {
    let user = format!("user {step} {reaches}");
    let id = if reaches { step | 0x80 } else { step };
    let direct = store(servers);
    let started = |number, replaces: Option<u8>| Event::Started {
        session: named(id, number, &user),
        replaces: replaces.map(|old| key(id, old)),
    };
    direct.record(&[started(3, None)], BY, NOW).unwrap();
    let used = LedgerSession {
        last_used: NOW + 50,
        ends: NOW + 5000,
        ..named(id, 2, &user)
    };
    let fails = Event::Tried(tried(&user, NOW, false));
    let events = [
        started(1, None),
        started(2, Some(1)),
        Event::Used(used.clone()),
        fails.clone(),
        Event::Ended(key(id, 3)),
        Event::Banned(ban(&user, BannedBy::Regulation, NOW, NOW + 300)),
        fails,
    ];
    let server = SocketAddr::from((servers.ip(), PORT));
    let cutter = Cutter::start(server, step.into(), reaches);
    let mut settings = settings(servers);
    settings.layout = RedisLayout::Single(RedisServer::Tcp {
        host: cutter.address.ip().to_string(),
        port: cutter.address.port(),
    });
    let cut = open(settings);
    let first = cut.record(&events, BY, NOW);
    cutter.left.store(i64::MAX, Ordering::SeqCst);
    if first.is_err() {
        let over = until("it to be told", || cut.record(&events, BY, NOW).ok());
        assert!(!over.contains(&key(id, 2)), "step {step}: {over:?}");
    }
    let found = |number| direct.fetch(&key(id, number), NOW + 60).unwrap();
    assert_eq!(
        (found(1), found(2), found(3)),
        (None, Some(used), None),
        "step {step}"
    );
    let failures = direct.failures(NOW).unwrap();
    let his = failures
        .iter()
        .filter(|failed| **failed == tried(&user, NOW, false));
    assert_eq!(his.count(), 2, "step {step}");
    let listed = direct.sessions(Some(&user), NOW).unwrap();
    assert_eq!(listed.len(), 1, "step {step}");
    let mut mark = Mark::default();
    let mut orders = Vec::new();
    loop {
        let some = direct
            .orders_after(mark, 1000, std::time::Duration::ZERO)
            .unwrap();
        if some.orders.is_empty() {
            break;
        }
        mark = some.next;
        orders.extend(some.orders.into_iter().map(|order| order.command));
    }
    for number in [1, 3] {
        assert!(
            orders.contains(&Command::EndSession(key(id, number))),
            "step {step}"
        );
    }
    let bans = direct.bans(NOW).unwrap();
    assert!(
        bans.contains(&ban(&user, BannedBy::Regulation, NOW, NOW + 300)),
        "step {step}"
    );
    first.is_err()
}

#[test]
fn what_is_told_once_more_after_an_error_is_as_if_it_were_told_once() {
    let servers = Servers::start(Kind::Tcp);
    let interrupted = std::thread::scope(|scope| {
        let steps: Vec<_> = (0..STEPS)
            .flat_map(|step| [(step, false), (step, true)])
            .map(|(step, reaches)| {
                let servers = &servers;
                scope.spawn(move || interrupted_at(servers, step, reaches))
            })
            .collect();
        let steps = steps.into_iter().map(|step| step.join().unwrap());
        steps.filter(|interrupted| *interrupted).count()
    });
    assert!(
        (40..2 * usize::from(STEPS) - 4).contains(&interrupted),
        "{interrupted}"
    );
}
