//! A relay between the gate and a server, which hands on what it gets after a while.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A relay; lives until the test process ends.
pub struct Relay {
    pub address: SocketAddr,
    delay: Arc<AtomicU64>,
}

impl Relay {
    /// Listens on any free port of the address of `to`.
    pub fn start(to: SocketAddr) -> Relay {
        let listener = TcpListener::bind((to.ip(), 0)).expect("a port for the relay");
        let address = listener.local_addr().expect("the relay's address");
        let delay = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&delay);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(to) {
                    join(&client, &server, Arc::new(AtomicU64::new(0)));
                    join(&server, &client, Arc::clone(&shared));
                }
            }
        });
        Relay { address, delay }
    }

    /// From now on every answer takes so many milliseconds longer.
    pub fn delay(&self, milliseconds: u64) {
        self.delay.store(milliseconds, Ordering::Relaxed);
    }
}

fn join(from: &TcpStream, to: &TcpStream, delay: Arc<AtomicU64>) {
    let (mut from, mut to) = (
        from.try_clone().expect("a stream"),
        to.try_clone().expect("a stream"),
    );
    std::thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            std::thread::sleep(Duration::from_millis(delay.load(Ordering::Relaxed)));
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
