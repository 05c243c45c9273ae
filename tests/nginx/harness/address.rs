//! An address of its own for each test: all of 127.0.0.0/8 is this machine, so no two tests ever share a port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// A port nobody else uses; who holds it on an address owns the address.
const LOCK_PORT: u16 = 61_000;

/// A loopback address that is ours until dropped.
pub struct Address {
    pub ip: Ipv4Addr,
    pub https: u16,
    pub http: u16,
    _lock: TcpListener,
}

impl Address {
    /// Takes the next address that nobody holds.
    pub fn claim() -> Address {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        for _ in 0..100_000 {
            let number =
                (std::process::id() << 8).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let [_, b, c, d] = (number % 0x00ff_fffe + 1).to_be_bytes();
            let ip = Ipv4Addr::new(127, b, c, d);
            if ip == Ipv4Addr::LOCALHOST {
                continue;
            }
            if let Ok(lock) = TcpListener::bind((ip, LOCK_PORT)) {
                let privileged = TcpListener::bind((ip, 443)).is_ok();
                let (https, http) = if privileged { (443, 80) } else { (8443, 8080) };
                return Address {
                    ip,
                    https,
                    http,
                    _lock: lock,
                };
            }
        }
        panic!("no loopback address is free");
    }

    /// Where TLS is spoken.
    pub fn tls(&self) -> SocketAddr {
        (self.ip, self.https).into()
    }

    /// Where plain http is spoken.
    pub fn plain(&self) -> SocketAddr {
        (self.ip, self.http).into()
    }

    /// What has to follow a host name in an address: empty for port 443.
    pub fn port_suffix(&self) -> String {
        if self.https == 443 {
            String::new()
        } else {
            format!(":{}", self.https)
        }
    }
}
