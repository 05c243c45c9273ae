//! A proxy that is not the nginx of the gate (Caddy, HAProxy, Apache): a program on an address and in a directory of its
//! own, with an application behind it. It ends with the test.

use std::fs::File;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::address::Address;
use super::backend::Backend;
use super::gate::Gate;
use super::place::Place;
use super::until;

/// A program that listens, and what is behind it.
pub trait Front: Sync {
    /// Where it listens.
    fn address(&self) -> &Address;
    /// The application behind it.
    fn backend(&self) -> &Backend;
    /// `https://host` with the port where it is not 443.
    fn url(&self, host: &str, target: &str) -> String {
        format!("https://{host}{}{target}", self.address().port_suffix())
    }
}

impl Front for Gate {
    fn address(&self) -> &Address {
        Gate::address(self)
    }

    fn backend(&self) -> &Backend {
        Gate::backend(self)
    }
}

/// A running proxy.
pub struct Proxy {
    child: Child,
    place: Place,
}

impl Proxy {
    /// Starts a program with these files in its directory and these arguments; `@name@` in either is filled in as in
    /// those of a site. Waits until it takes connections.
    pub fn start(program: &str, arguments: &[&str], files: &[(&str, String)]) -> Proxy {
        let place = Place::empty();
        for (path, text) in files {
            place.write(path, &place.filled(text));
        }
        let log = File::create(place.prefix.join("proxy.log")).expect("a log");
        let errors = log.try_clone().expect("a log");
        // It ends with the thread of the test, even where that has no time to end it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]);
        command.args(arguments.iter().map(|argument| place.filled(argument)));
        // Where Caddy keeps what it wants to remember.
        command
            .env("HOME", &place.prefix)
            .env_remove("XDG_CONFIG_HOME");
        command.env_remove("XDG_DATA_HOME");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn().expect("setpriv runs");
        let mut proxy = Proxy { child, place };
        let address = proxy.place.address.tls();
        until(&format!("{program} to listen"), || {
            if let Ok(Some(status)) = proxy.child.try_wait() {
                let log = proxy.log();
                panic!("{program} ended at once ({status}); scripts/setup installs it:\n{log}");
            }
            TcpStream::connect(address).ok()
        });
        proxy
    }

    /// What it said.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.place.prefix.join("proxy.log"));
        String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
    }
}

impl Front for Proxy {
    fn address(&self) -> &Address {
        &self.place.address
    }

    fn backend(&self) -> &Backend {
        &self.place.backend
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("what the proxy said:\n{}", self.log());
        }
    }
}
