//! Many at once: threads of one process, and stores opened by several.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ngx_http_auth_gate_module::store::{Factors, Purpose};

use super::fixture::{NOW, device, folder, open, random, store};

#[test]
fn everybody_may_make_the_store_at_once() {
    let path = folder("made_at_once").join("db.sqlite3");
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (path, start) = (&path, &start);
            scope.spawn(move || {
                start.wait();
                let store = open(path).unwrap();
                let device = device("alice", &number.to_string());
                store.add_totp(&device, NOW, &mut random).unwrap();
            });
        }
    });
    assert_eq!(open(&path).unwrap().totp_devices("alice").unwrap().len(), 8);
}

#[test]
fn a_code_works_once_however_many_try() {
    let first = store("once");
    let phone = device("alice", "phone");
    let id = first.add_totp(&phone, NOW, &mut random).unwrap();
    let second = open(first.path()).unwrap();
    let code = ngx_http_auth_gate_module::store::NewCode {
        id: [1; 16],
        user: "alice",
        purpose: Purpose::PasswordReset,
        code: b"token",
        address: [127, 0, 0, 1].into(),
        expires: NOW + 60,
    };
    first.issue_code(&code, NOW).unwrap();
    let (spent, redeemed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let answered = AtomicUsize::new(0);
    let start = Barrier::new(16);
    thread::scope(|scope| {
        for number in 0..16 {
            let store = [&first, &second][number % 2];
            let (start, spent, redeemed) = (&start, &spent, &redeemed);
            let answered = &answered;
            scope.spawn(move || {
                start.wait();
                let won = store.spend_step("alice", id, 5, NOW + 90, NOW).unwrap();
                spent.fetch_add(won.into(), Ordering::Relaxed);
                let won = store.redeem_code(Purpose::PasswordReset, None, b"token", NOW);
                redeemed.fetch_add(won.unwrap().is_some().into(), Ordering::Relaxed);
                let won = store.spend_challenge(b"challenge", NOW + 90, NOW).unwrap();
                answered.fetch_add(won.into(), Ordering::Relaxed);
            });
        }
    });
    assert_eq!(spent.into_inner(), 1);
    assert_eq!(redeemed.into_inner(), 1);
    assert_eq!(answered.into_inner(), 1);
    assert!(first.spend_challenge(b"another", NOW + 90, NOW).unwrap());
}
