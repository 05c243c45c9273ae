//! What many logins cost everybody else: cores, priority, memory, and the threads of the worker. What a hash takes is
//! read from the kernel, as the administrator would with `top`.

use std::fs;
use std::process::Command;
use std::sync::Mutex;

use super::harness::site::USERS;
use super::harness::{Ask, Connection, Gate, Site, until};

/// "password" at 19 MiB, as OWASP recommends it, in more or less time.
const SHORT: &str = "$argon2id$v=19$m=19456,t=1,p=1$JtCf5HhHWJd/kNtzWmYWjQ$h/EhOdg4HTkHSsDcfRebYGv/rmB6IZ4sxMgpZqvmCCY";
const LONG: &str = "$argon2id$v=19$m=19456,t=20,p=1$wXUt2DNrDNkeUyAU9f4gHA$L3BvbH7F5l4v0TFliKXYsKnQgaEm6miOStNJGODT5JU";
const ENDLESS: &str = "$argon2id$v=19$m=19456,t=100,p=1$KhSuHVMuf4sJ54J7Wzy3xA$eQTmLwzTl95yL2S5OEufcqYYAga118F+NcZUWICNCfA";

fn site(hash: &str) -> Site {
    let users = USERS
        .lines()
        .map(|line| match line.split_once("password: ") {
            Some((before, _)) => format!("{before}password: '{hash}'\n"),
            None => format!("{line}\n"),
        });
    Site::bed()
        .users(&users.collect::<String>())
        // Logins under way count as failed until they are through.
        .yaml("regulation: { max_retries: 0 }")
}

fn login_bytes() -> Vec<u8> {
    let body = serde_json::json!({"username": "alice", "password": "password"});
    Ask::api("POST", "auth.example.com", "/api/firstfactor", &body).bytes(&[])
}

fn login(gate: &Gate) -> Connection {
    let mut connection = gate.connect("auth.example.com");
    connection.send(login_bytes());
    connection
}

/// How many hashes may run at once.
fn places() -> usize {
    let output = Command::new("getconf").arg("_NPROCESSORS_ONLN").output();
    let cores = String::from_utf8(output.expect("getconf").stdout).unwrap();
    (cores.trim().parse::<usize>().unwrap() - 1).max(1)
}

/// A thread as /proc shows it.
struct Thread {
    hashes: bool,
    nice: i32,
}

/// The threads of all workers, but for those that are just ending.
fn threads(gate: &Gate) -> Vec<Thread> {
    const ENDING: u32 = 4;
    let read = |pid: u32| {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks.filter_map(|task| {
            let stat = fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            let (name, rest) = stat.rsplit_once(") ")?;
            // The third field of proc(5) comes first.
            let fields: Vec<&str> = rest.split(' ').collect();
            let thread = Thread {
                hashes: name.ends_with("(auth-gate hash"),
                nice: fields[16].parse().ok()?,
            };
            (fields[6].parse::<u32>().ok()? & ENDING == 0).then_some(thread)
        })
    };
    gate.workers().into_iter().flat_map(read).collect()
}

fn hashing(gate: &Gate) -> usize {
    threads(gate).iter().filter(|thread| thread.hashes).count()
}

fn worker(gate: &Gate) -> u32 {
    gate.workers().into_iter().next().unwrap()
}

/// A figure of the worker's memory, in MiB.
fn memory(gate: &Gate, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", worker(gate))).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with(figure))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        >> 10
}

/// Ticks that the worker's threads have computed for.
fn computed(gate: &Gate) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", worker(gate))).unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let fields = rest.split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[test]
fn logins_leave_a_core_free_and_yield_to_requests() {
    let gate = site(SHORT).workers(2).start();
    let ordinary = threads(&gate)[0].nice;
    let mut connections: Vec<_> = (0..30).map(|_| login(&gate)).collect();
    let (mut most, mut yields) = (0, false);
    until("the last of the logins", || {
        let now = threads(&gate);
        let (hashing, others): (Vec<_>, Vec<_>) = now.iter().partition(|thread| thread.hashes);
        assert!(hashing.len() <= places(), "{} hash at once", hashing.len());
        assert!(
            others.iter().all(|thread| thread.nice == ordinary),
            "a thread with other work has lost its priority"
        );
        most = most.max(hashing.len());
        yields |= hashing.iter().any(|thread| thread.nice > ordinary);
        let signed_in = gate.log().matches("event=sign_in result=success").count();
        (signed_in == connections.len()).then_some(())
    });
    assert!(
        most > 0 && yields,
        "hashes do not run on threads that yield"
    );
    for connection in &mut connections {
        assert_eq!(connection.answer().status, 200);
    }
}

#[test]
fn a_worker_whose_queue_never_ends_lets_another_have_its_turn() {
    let gate = site(SHORT).workers(2).start();
    let clients = 4 * places() + 12;
    // How often each client was answered; none after one was left without.
    let answered = Mutex::new(Some(vec![0; clients]));
    let count = |client: usize| {
        let mut answered = answered.lock().unwrap();
        if let Some(answered) = answered.as_mut() {
            answered[client] += 1;
            return answered.iter().any(|times| *times < 4);
        }
        false
    };
    // Everybody comes back at once, so that somebody waits in each worker all the time.
    std::thread::scope(|scope| {
        for client in 0..clients {
            let (gate, answered, count) = (&gate, &answered, &count);
            scope.spawn(move || {
                let mut connection = gate.connect("auth.example.com");
                loop {
                    match connection.send(login_bytes()).try_answer(false) {
                        Ok(answer) if answer.status == 200 => {}
                        _ => *answered.lock().unwrap() = None,
                    }
                    if !count(client) {
                        break;
                    }
                }
            });
        }
    });
    let answered = answered.into_inner().unwrap();
    assert!(answered.is_some(), "somebody waited in vain");
}

#[test]
fn memory_falls_back_after_many_logins() {
    let gate = site(SHORT).start();
    gate.signed_in("alice");
    let before = memory(&gate, "VmRSS");
    for round in 0..3 {
        let mut connections: Vec<_> = (0..40).map(|_| login(&gate)).collect();
        for connection in &mut connections {
            assert_eq!(connection.answer().status, 200);
        }
        until("the memory to fall back", || {
            (memory(&gate, "VmRSS") <= before + 16).then_some(())
        });
        let (peak, hashes) = (memory(&gate, "VmHWM"), 19 * places() as u64);
        assert!(
            peak <= before + hashes + 32,
            "{peak} MiB in round {round}, {before} before"
        );
    }
}

#[test]
fn a_login_whose_visitor_has_gone_is_not_hashed() {
    const GONE: usize = 20;
    let gate = site(LONG).start();
    let idle = computed(&gate);
    gate.signed_in("alice");
    let one = computed(&gate) - idle;
    let mut first: Vec<_> = (0..places()).map(|_| login(&gate)).collect();
    until("hashes in every place", || {
        (hashing(&gate) == places()).then_some(())
    });
    let before = computed(&gate);
    drop((0..GONE).map(|_| login(&gate)).collect::<Vec<_>>());
    for connection in &mut first {
        assert_eq!(connection.answer().status, 200);
    }
    // Stands at the end of the queue, so when it is through they all are.
    gate.signed_in("alice");
    let all = computed(&gate) - before;
    let most = one * (places() + 1 + GONE / 4) as u64;
    assert!(all <= most, "{all} ticks, {one} for one hash");
}

#[test]
fn the_users_file_is_watched_on_after_the_threads_were_overrun() {
    let gate = site(ENDLESS)
        .main("thread_pool default threads=1 max_queue=1;")
        .app("location /file { auth_gate off; root @prefix@; aio threads; }")
        .file("file", &"x".repeat(100_000))
        .start();
    until("a look at the file that found no thread", || {
        let mut busy = login(&gate);
        until("a hash", || (hashing(&gate) > 0).then_some(()));
        // Takes the only place in the queue, so that nothing is left for the look.
        let mut queued = gate.connect("app.example.com");
        queued.send(Ask::page("app.example.com", "/file").bytes(&[]));
        assert_eq!(busy.answer().status, 200);
        let _ = queued.try_answer(false);
        gate.log().contains("no thread to look at it").then_some(())
    });
    gate.replace("users.yml", "users: [");
    until("the next look", || {
        let said =
            |line: &str| line.contains("users.yml") && line.contains("users known so far stay");
        gate.log().lines().any(said).then_some(())
    });
}
