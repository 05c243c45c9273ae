//! Everything a test needs to face the real thing: nginx as packaged, with the module in it, reached over real
//! sockets. Knows nothing of the module's code: what it asserts is what a visitor or an attacker sees.

pub mod address;
pub mod ask;
pub mod attack;
pub mod backend;
pub mod browser;
pub mod counted;
pub mod crowd;
pub mod exposition;
pub mod fastcgi;
pub mod form;
pub mod gate;
pub mod grpc;
pub mod http2;
pub mod http3;
pub mod mail;
pub mod nginx;
pub mod place;
pub mod proxy;
pub mod question;
pub mod relay;
pub mod site;
pub mod tls;
pub mod uwsgi;
pub mod visitor;
pub mod wire;

pub use ask::Ask;
pub use backend::Seen;
pub use gate::Gate;
pub use proxy::{Front, Proxy};
pub use site::Site;
pub use visitor::Visitor;
pub use wire::{Answer, Connection};

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Asks until there is an answer; panics with `what` when patience ends.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
