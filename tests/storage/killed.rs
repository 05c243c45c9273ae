//! Processes are killed in the middle of a write, in earnest.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ngx_http_auth_gate_module::store::{Factors, inspect};

use super::fixture::{NOW, device, folder, key, open, random};

const FOLDER: &str = "AUTH_GATE_TEST_STORE";

/// What the children run: writes for ever. Nothing to do for who is no child.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = open(Path::new(&path)).unwrap();
    for number in 0.. {
        let name = format!("device {}", number % 20);
        let id = match store.add_totp(&device("alice", &name), NOW, &mut random) {
            Ok(id) => id,
            Err(_) => {
                // Another writer's, or one of a writer that was killed.
                let devices = store.totp_devices("alice").unwrap();
                let Some(taken) = devices.into_iter().find(|d| d.device.name == name) else {
                    continue;
                };
                taken.id
            }
        };
        store
            .spend_step("alice", id, number, NOW + number, NOW)
            .unwrap();
        store.remove_totp("alice", id).unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_a_readable_database() {
    let path = folder("killed").join("db.sqlite3");
    let kept = open(&path).unwrap();
    let phone = device("bob", "phone");
    let id = kept.add_totp(&phone, NOW, &mut random).unwrap();
    // Closed, so that every other round finds no process that has the file open.
    drop(kept);
    for round in 0..40_u64 {
        let mut children: Vec<_> = (0..2).map(|_| child(&path)).collect();
        thread::sleep(Duration::from_millis(30 + round * 7 % 60));
        for child in &mut children {
            child.kill().unwrap();
            let ended = child.wait().unwrap();
            assert!(ended.code().is_none(), "a writer ended by itself");
        }
        let (_, contents) = inspect(&path, &key(), NOW).unwrap();
        assert!(contents.users >= 1 && contents.totp <= 21, "{contents:?}");
        if round % 2 == 0 {
            continue;
        }
        let started = Instant::now();
        let store = open(&path).unwrap();
        assert!(store.spend_step("bob", id, round, NOW + 60, NOW).unwrap());
        assert!(started.elapsed() < Duration::from_secs(5), "a dead lock");
    }
    let store = open(&path).unwrap();
    let written = store.add_totp(&device("carol", "phone"), NOW, &mut random);
    assert!(
        written.unwrap() > 40,
        "the writers were killed before they wrote"
    );
}

fn child(path: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::writer"])
        .env(FOLDER, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
