//! A real headless Chromium, steered over a pair of pipes in the DevTools protocol. Clicks and keys go in as a
//! person's do, so that what works here works without our help.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Gate, tls};

/// A browser is slow to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One window of a browser with a fresh profile. There is only one at a time.
pub struct Browser {
    chromium: Child,
    commands: File,
    messages: Receiver<Value>,
    session: Value,
    sent: u64,
    profile: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts one for which every name under example.com and example.org is that gate.
    pub fn start(gate: &Gate) -> Browser {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = gate.prefix().join("chromium");
        fs::create_dir_all(&profile).expect("a directory for the profile");
        let pipes = [profile.join("commands"), profile.join("messages")];
        let made = Command::new("mkfifo").args(&pipes).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        let chromium = spawn(gate, &profile, &pipes);
        let commands = File::options()
            .write(true)
            .open(&pipes[0])
            .expect("the pipe to Chromium");
        let messages = listen(File::open(&pipes[1]).expect("the pipe from Chromium"));
        let session = Value::Null;
        let mut browser = Browser {
            chromium,
            commands,
            messages,
            session,
            sent: 0,
            profile,
            _turn: turn,
        };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = browser.call(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        browser.session = attached["sessionId"].clone();
        browser.call("Page.enable", json!({}));
        browser
    }

    /// Switches the scripts of pages off.
    pub fn without_javascript(mut self) -> Browser {
        self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": true}),
        );
        self
    }

    /// One command of the protocol; its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.sent += 1;
        let mut command = json!({"id": self.sent, "method": method, "params": params});
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        let bytes = format!("{command}\0");
        self.commands
            .write_all(bytes.as_bytes())
            .expect("Chromium listens");
        loop {
            let message = self.messages.recv_timeout(PATIENCE);
            let message =
                message.unwrap_or_else(|error| panic!("{method}: Chromium says nothing: {error}"));
            if message["id"] == self.sent {
                let failed = !message["error"].is_null();
                return if failed {
                    Err(message["error"].clone())
                } else {
                    Ok(message["result"].clone())
                };
            }
        }
    }

    /// Goes to an address and waits for the page.
    pub fn open(&mut self, url: &str) {
        let result = self.call("Page.navigate", json!({"url": url}));
        assert!(
            result["errorText"].is_null(),
            "{url}: {}",
            result["errorText"]
        );
        self.wait("the page", "document.readyState === 'complete'");
    }

    /// The value of an expression in the page; null while one page gives way to the next.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true});
        self.try_call("Runtime.evaluate", params)
            .map_or(Value::Null, |found| found["result"]["value"].clone())
    }

    /// Where the browser is.
    pub fn url(&mut self) -> String {
        self.evaluate("location.href")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What a person can read.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body ? document.body.innerText : ''")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, what: &str, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while self.evaluate(expression) != Value::Bool(true) {
            if Instant::now() > end {
                let (url, text) = (self.url(), self.text());
                panic!("waited in vain for {what} at {url}:\n{text}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the address begins with `url` and the page is there.
    pub fn wait_for_url(&mut self, url: &str) {
        let quoted = Value::from(url);
        self.wait(
            url,
            &format!("location.href.startsWith({quoted}) && document.readyState === 'complete'"),
        );
    }

    /// Clicks in the middle of the first element that matches.
    pub fn click(&mut self, selector: &str) {
        let quoted = Value::from(selector);
        self.wait(selector, &format!("!!document.querySelector({quoted})"));
        let middle = self.evaluate(&format!(
            "(e => {{ e.scrollIntoView({{block: 'center'}}); const b = e.getBoundingClientRect();
               return [b.x + b.width / 2, b.y + b.height / 2]; }})(document.querySelector({quoted}))"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": middle[0], "y": middle[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types at the focus.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a key that has a name, for instance `Tab` or `Enter`.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            _ => panic!("no code for the key {key}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Fills in the login form of the page and submits it with the mouse.
    pub fn sign_in(&mut self, user: &str, password: &str) {
        self.click("input[type=text], input[type=email], input[name=username]");
        self.write(user);
        self.click("input[type=password]");
        self.write(password);
        self.click("form button[type=submit], form button:not([type]), form input[type=submit]");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self
            .commands
            .write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.chromium.try_wait(), Ok(None)) {
            if Instant::now() > end {
                let _ = self.chromium.kill();
                let _ = self.chromium.wait();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_dir_all(&self.profile);
    }
}

fn spawn(gate: &Gate, profile: &std::path::Path, pipes: &[PathBuf; 2]) -> Child {
    let ip = gate.address().ip;
    let program = std::env::var("AUTH_GATE_CHROMIUM").unwrap_or_else(|_| "chromium".into());
    let log = File::create(profile.join("log")).expect("a log for Chromium");
    Command::new("sh")
        .args([
            "-c",
            "exec \"$0\" \"$@\" 3<\"$COMMANDS\" 4>\"$MESSAGES\"",
            &program,
        ])
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-pipe",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!(
            "--host-resolver-rules=MAP *.example.com {ip}, MAP *.example.org {ip}, MAP * ~NOTFOUND"
        ))
        .arg(format!(
            "--ignore-certificate-errors-spki-list={}",
            tls::authority().spki
        ))
        .env("COMMANDS", &pipes[0])
        .env("MESSAGES", &pipes[1])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("a shell for Chromium")
}

fn listen(pipe: File) -> Receiver<Value> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while pipe.read_until(0, &mut bytes).is_ok_and(|read| read > 0) {
            bytes.pop();
            let Ok(message) = serde_json::from_slice(&bytes) else {
                return;
            };
            if sender.send(message).is_err() {
                return;
            }
            bytes.clear();
        }
    });
    receiver
}
