//! Counts what an allowed request takes from the heap on its way through the rooms, step by step.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use ngx_http_auth_gate_module::access::{Decision, Guard, Level, Object, Subject};
use ngx_http_auth_gate_module::config::Config;
use ngx_http_auth_gate_module::session::{self, Table};
use ngx_http_auth_gate_module::users::HeaderSet;

use super::sessions::Gate;
use super::{files, sessions};

struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Sums up the steps of several requests.
#[derive(Default)]
struct Tally {
    steps: Vec<(&'static str, u64)>,
}

impl Tally {
    fn step<T>(&mut self, name: &'static str, f: impl FnOnce() -> T) -> T {
        let before = CALLS.load(Ordering::Relaxed);
        let value = f();
        let count = CALLS.load(Ordering::Relaxed) - before;
        match self.steps.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += count,
            None => self.steps.push((name, count)),
        }
        value
    }
}

/// Prints the steps that allocate, a line each, and their sum last.
pub fn report() {
    const TIMES: u64 = 100;
    let config = files::load();
    let gate = Gate::new(&config);
    let mut zone = vec![0; 1 << 20];
    let mut table = sessions::open(&mut zone);
    let (record, token) = (sessions::record(&config), sessions::token(0));
    table
        .insert(&token.key(), &record, sessions::NOW + 3600, sessions::NOW)
        .expect("room");
    let cookie = gate.header(&token);
    let mut request =
        |tally: &mut Tally| allowed(tally, &config, &gate, &mut table, cookie.as_bytes());
    request(&mut Tally::default());
    let mut tally = Tally::default();
    (0..TIMES).for_each(|_| request(&mut tally));
    let sum: u64 = tally.steps.iter().map(|(_, count)| count).sum();
    for (name, count) in tally.steps.iter().filter(|(_, count)| *count > 0) {
        println!("{name}: {}", count.div_ceil(TIMES));
    }
    println!("{}", sum.div_ceil(TIMES));
}

/// The way of a protected request through the rooms, as the module goes it.
fn allowed(
    tally: &mut Tally,
    config: &Config,
    gate: &Gate<'_>,
    table: &mut Table<'_>,
    header: &[u8],
) {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let mut rest = [0; 256];
    let cookie = config.session.cookies[0].realm.cookie.name();
    tally.step("cookie taken out", || {
        session::strip_to(header, cookie, &mut rest)
    });
    let object = tally.step("request read", || {
        let target = files::TARGET.as_bytes();
        Object::new(b"GET", b"https", b"app.example.com", target, address).expect("a request")
    });
    tally.step("cookie domain found", || {
        config.session.domain_of(object.host()).expect("a domain");
    });
    let (guard, rules) = (Guard::default(), &config.rules);
    let user = tally.step("session looked up", || {
        gate.visitor(table, header).expect("a session")
    });
    let verdict = tally.step("decision", || {
        let subject = Subject {
            user: &user.name,
            groups: &user.groups,
        };
        guard.judge(rules, &object, Some(&subject), Level::OneFactor)
    });
    assert_eq!(verdict.decision, Decision::Allow);
    let headers = tally.step("identity headers", || {
        let headers = HeaderSet::Remote.values(Some(user));
        headers
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
    });
    assert!(headers > 0);
}
