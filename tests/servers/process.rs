//! One process of redis-server's, which ends with the test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take before a test gives up; a failover takes a while on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks until there is an answer; panics with `what` when patience ends.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How redis-cli reaches a server.
#[derive(Clone)]
pub struct Way(pub Vec<String>);

/// A server or a sentinel.
pub struct Process {
    configuration: PathBuf,
    sentinel: bool,
    way: Way,
    child: Option<Child>,
}

impl Process {
    /// Starts a server with this configuration, in a folder of its own, and waits until it answers.
    pub fn start(folder: &Path, configuration: &str, way: Way, sentinel: bool) -> Process {
        fs::create_dir_all(folder).expect("a folder");
        let file = folder.join("redis.conf");
        let own = format!("dir \"{}\"\nsave \"\"\n", folder.display());
        let own = if sentinel { String::new() } else { own };
        fs::write(&file, own + configuration).expect("a configuration");
        let mut process = Process {
            configuration: file,
            sentinel,
            way,
            child: None,
        };
        process.run();
        process.wait();
        process
    }

    /// Starts it again, after it was killed.
    pub fn restart(&mut self) {
        self.kill();
        self.run();
        self.wait();
    }

    /// Kills it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Lets it hang: it keeps its connections and takes new ones, but says nothing.
    pub fn hang(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// What redis-cli prints; an error of the server's is a line that begins with its code.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let output = self.command().args(arguments).output();
        let output = output.expect("redis-cli runs; scripts/setup installs redis-tools");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new("timeout");
        command.args(["60", "redis-cli"]);
        command.args(&self.way.0).arg("--raw").stdin(Stdio::null());
        command
    }

    fn run(&mut self) {
        let log = self.configuration.with_extension("log");
        let log = File::options().create(true).append(true).open(log);
        let log = log.expect("a log");
        // It ends with the thread of the test, even where that has no time to end it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "redis-server"]);
        command.arg(&self.configuration);
        command.args(self.sentinel.then_some("--sentinel"));
        let errors = log.try_clone().expect("a log");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command.spawn();
        self.child = Some(child.expect("redis-server runs; scripts/setup installs it"));
    }

    fn wait(&mut self) {
        until("redis-server to answer", || {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok());
            if let Some(Some(status)) = ended {
                let log = fs::read_to_string(self.configuration.with_extension("log"));
                panic!(
                    "redis-server ended ({status}):\n{}",
                    log.unwrap_or_default()
                );
            }
            let answer = self.cli(&["ping"]);
            // One that wants a password is there, too.
            (answer == "PONG" || answer.starts_with("NOAUTH")).then_some(())
        });
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        let _ = kill_process(Pid::from_child(child), signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
