//! One running nginx of a test: started with its own directory and address, ended and its log judged when dropped.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::address::Address;
use super::backend::Backend;
use super::place::Place;
use super::{Answer, Ask, Connection, PATIENCE, Site, Visitor, http2, until};

/// A running nginx.
pub struct Gate {
    master: Mutex<Child>,
    tolerated: Vec<&'static str>,
    workers: usize,
    /// The master after a binary upgrade, which is no child of ours.
    upgraded: Mutex<Option<u32>>,
    place: Place,
}

fn spawn(place: &Place) -> Child {
    let stderr = fs::File::create(place.prefix.join("stderr.log")).expect("a file for stderr");
    let mut command = place.nginx(&[]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr);
    command.spawn().expect("nginx starts")
}

impl Gate {
    pub fn start(site: Site) -> Gate {
        let place = Place::claim(&site);
        let master = spawn(&place);
        let gate = Gate {
            master: Mutex::new(master),
            tolerated: site.tolerated.clone(),
            workers: site.worker_count(),
            upgraded: Mutex::new(None),
            place,
        };
        gate.await_start();
        gate
    }

    fn master(&self) -> MutexGuard<'_, Child> {
        self.master.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn await_start(&self) {
        until("nginx to listen", || {
            if let Ok(Some(status)) = self.master().try_wait() {
                panic!(
                    "nginx ended at once: {status}\n{}{}",
                    self.read("stderr.log"),
                    self.log()
                );
            }
            TcpStream::connect(self.place.address.tls()).ok()
        });
        until("the workers", || {
            (self.workers().len() == self.workers).then_some(())
        });
    }

    /// Ends nginx and starts it anew, as an administrator does.
    pub fn restart(&self) {
        self.stop();
        self.start_anew();
    }

    /// Kills the master and all workers at once, as a machine that loses its power does.
    pub fn kill(&self) {
        let workers = self.workers();
        // The master first, or it would start others.
        let _ = self.master().kill();
        let _ = self.master().wait();
        workers.iter().for_each(|pid| signal("KILL", *pid));
        let there = |pid: &u32| Path::new(&format!("/proc/{pid}")).exists();
        until("the workers to be gone", || {
            (!workers.iter().any(there)).then_some(())
        });
    }

    /// Ends nginx without waiting for what it is about, as `nginx -s stop` does.
    pub fn stop_at_once(&self) {
        signal("TERM", self.master().id());
        until("nginx to end", || {
            (!matches!(self.master().try_wait(), Ok(None))).then_some(())
        });
    }

    /// Starts nginx after it was ended or killed.
    pub fn start_anew(&self) {
        *self.master() = spawn(&self.place);
        self.await_start();
    }

    /// The application behind it.
    pub fn backend(&self) -> &Backend {
        &self.place.backend
    }

    pub fn address(&self) -> &Address {
        &self.place.address
    }

    /// `https://host` with the port where it is not 443.
    pub fn url(&self, host: &str, target: &str) -> String {
        format!("https://{host}{}{target}", self.place.address.port_suffix())
    }

    /// A new TLS connection with that name in SNI.
    pub fn connect(&self, sni: &str) -> Connection {
        Connection::tls(self.place.address.tls(), sni)
    }

    /// A new connection without TLS.
    pub fn connect_plain(&self) -> Connection {
        Connection::plain(self.place.address.plain())
    }

    /// One request of somebody without a cookie.
    pub fn send(&self, ask: &Ask) -> Answer {
        self.visitor().send(ask)
    }

    /// A page, asked for by somebody without a cookie.
    pub fn page(&self, host: &str, target: &str) -> Answer {
        self.send(&Ask::page(host, target))
    }

    /// Exact bytes over TLS with that SNI, and the first answer.
    pub fn raw(&self, sni: &str, bytes: impl AsRef<[u8]>) -> Answer {
        self.connect(sni).send(bytes).answer()
    }

    /// Requests over one HTTP/2 connection.
    pub fn http2(
        &self,
        sni: &str,
        requests: Vec<http::Request<Bytes>>,
    ) -> Vec<Result<Answer, String>> {
        http2::ask(self.place.address.tls(), sni, requests)
    }

    /// Somebody with a browser and no cookies.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor::new(self)
    }

    /// Somebody who has signed in with the password of all test users.
    pub fn signed_in(&self, user: &str) -> Visitor<'_> {
        let mut visitor = self.visitor();
        let answer = visitor.sign_in(user, "password");
        assert_eq!(
            answer.status,
            200,
            "{user} cannot sign in: {}",
            answer.text()
        );
        visitor
    }

    /// The directory of the site.
    pub fn prefix(&self) -> &Path {
        &self.place.prefix
    }

    /// A file of the site, empty if it is not there.
    pub fn read(&self, path: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.place.prefix.join(path)).unwrap_or_default())
            .into_owned()
    }

    /// The error log so far.
    pub fn log(&self) -> String {
        self.read("error.log")
    }

    /// Replaces a file by writing a new one and renaming it, as careful programs do.
    pub fn replace(&self, path: &str, text: &str) {
        let fresh = format!("{path}.new");
        self.place.write(&fresh, &self.place.filled(text));
        fs::rename(self.place.prefix.join(fresh), self.place.prefix.join(path)).expect("a rename");
    }

    /// Writes a file in place, as editors and `echo >` do.
    pub fn overwrite(&self, path: &str, text: &str) {
        self.place.write(path, &self.place.filled(text));
    }

    /// The workers that take connections.
    pub fn workers(&self) -> BTreeSet<u32> {
        self.workers_of(self.master_pid())
    }

    /// The process of the master.
    pub fn master_pid(&self) -> u32 {
        let upgraded = *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner);
        upgraded.unwrap_or_else(|| self.master().id())
    }

    /// Starts nginx anew in the background, as it runs on a server: only then it exchanges its binary.
    pub fn restart_as_daemon(&self) {
        self.stop();
        let conf = self.read("nginx.conf").replace("daemon off;", "");
        self.replace("nginx.conf", &conf);
        let mut nginx = self.place.nginx(&[]);
        let started = nginx
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        assert!(started.status().is_ok_and(|status| status.success()));
        let master = until("the master", || {
            let pid = self.read("nginx.pid").trim().parse().ok()?;
            (self.workers_of(pid).len() == self.workers).then_some(pid)
        });
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = Some(master);
    }

    /// Takes the master that a binary upgrade has left for the one of this gate, once the old one has
    /// ended.
    pub fn follow(&self, master: u32) {
        let old = self.master_pid();
        let there = || Path::new(&format!("/proc/{old}")).exists();
        until("the old master to end", || (!there()).then_some(()));
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = Some(master);
    }

    /// The workers of that master that take connections.
    pub fn workers_of(&self, master: u32) -> BTreeSet<u32> {
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children"))
            .unwrap_or_default();
        let serves = |pid: &u32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.starts_with(b"nginx: worker process\0"))
        };
        children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .filter(serves)
            .collect()
    }

    /// Reads the configuration anew; waits until the old workers take no more requests. An error is what the log says.
    pub fn reload(&self) -> Result<(), String> {
        let (before, logged) = (self.workers(), self.log().len());
        signal("HUP", self.master_pid());
        until("the reload", || {
            let said = self.log().get(logged..).unwrap_or_default().to_owned();
            if said.contains("[emerg]") {
                return Some(Err(said));
            }
            let now = self.workers();
            (!now.is_empty() && now.is_disjoint(&before)).then_some(Ok(()))
        })
    }

    /// Kills a worker without warning and waits for its replacement.
    pub fn kill_worker(&self, pid: u32) {
        let count = self.workers().len();
        signal("KILL", pid);
        until("a new worker", || {
            let now = self.workers();
            (now.len() == count && !now.contains(&pid)).then_some(())
        });
    }

    /// Lets the log hold alarms with this text from now on.
    pub fn tolerate(&mut self, text: &'static str) {
        self.tolerated.push(text);
    }

    fn stop(&self) {
        let upgraded = self
            .upgraded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(pid) = upgraded {
            signal("QUIT", pid);
            let there = || Path::new(&format!("/proc/{pid}")).exists();
            until("nginx to end", || (!there()).then_some(()));
        }
        if !matches!(self.master().try_wait(), Ok(None)) {
            return;
        }
        signal("QUIT", self.master().id());
        let end = std::time::Instant::now() + PATIENCE;
        while matches!(self.master().try_wait(), Ok(None)) {
            if std::time::Instant::now() > end {
                let _ = self.master().kill();
                let _ = self.master().wait();
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn alarms(&self) -> Vec<String> {
        let alarming = |line: &str| {
            ["[alert]", "[emerg]", "panic", "exited on signal"]
                .iter()
                .any(|word| line.contains(word))
        };
        let tolerated = |line: &str| self.tolerated.iter().any(|text| line.contains(text));
        let said = self.log() + &self.read("stderr.log");
        said.lines()
            .filter(|line| alarming(line) && !tolerated(line))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            eprintln!("the end of {}/error.log:", self.place.prefix.display());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
            return;
        }
        let alarms = self.alarms();
        assert!(
            alarms.is_empty(),
            "nginx raised an alarm:\n{}",
            alarms.join("\n")
        );
    }
}

/// Sends a signal to one process of ours.
pub fn signal(name: &str, pid: u32) {
    let sent = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {pid}"))
        .status();
    assert!(
        sent.is_ok_and(|status| status.success()),
        "cannot send {name} to {pid}"
    );
}
