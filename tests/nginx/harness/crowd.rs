//! People who are signed in and keep asking, at one gate or several in turn, while something happens; each answer is
//! counted.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Answer, Ask, Connection, Gate, Visitor, until};

const APP: &str = "app.example.com";

/// What became of all requests.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Reached the application as themselves.
    pub served: usize,
    /// Were told to come back (503).
    pub told_to_wait: usize,
    /// Had no answer: nothing listened, or the connection broke.
    pub cut_off: usize,
    /// Were sent to sign in.
    pub signed_out: usize,
    /// Reached the application as somebody else, or had another answer: what it was.
    pub wrong: Vec<String>,
    /// The longest time to an answer.
    pub slowest: Duration,
}

/// A crowd at work.
pub struct Crowd<'c> {
    asked: &'c AtomicUsize,
}

impl Crowd<'_> {
    /// Waits until so many more requests have been answered or cut off.
    pub fn pass(&self, requests: usize) {
        let from = self.asked.load(Ordering::Relaxed);
        until("some traffic", || {
            (self.asked.load(Ordering::Relaxed) >= from + requests).then_some(())
        });
    }
}

/// Lets everybody ask, each on and on and at the gates in turn, until `meanwhile` has ended; prints and gives the
/// figures.
pub fn crowd(
    gates: &[&Gate],
    people: &[(&str, Visitor<'_>)],
    meanwhile: impl FnOnce(&Crowd<'_>),
) -> Tally {
    let (tally, asked, stop) = (
        Mutex::new(Tally::default()),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    std::thread::scope(|scope| {
        // Ends the others, too, when something fails.
        let _stopping = Stop(&stop);
        for (user, visitor) in people {
            scope.spawn(|| {
                for gate in gates.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let began = Instant::now();
                    let answer = ask(gate, visitor);
                    if answer.is_err() {
                        // As a person would, who does not press the button ten thousand times a second.
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    let mut tally = tally.lock().unwrap();
                    tally.slowest = tally.slowest.max(began.elapsed());
                    tally.count(user, answer);
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let crowd = Crowd { asked: &asked };
        crowd.pass(people.len());
        meanwhile(&crowd);
        crowd.pass(2 * people.len());
    });
    let tally = tally.into_inner().unwrap();
    println!("{tally:?}");
    tally
}

/// Four sessions of two people.
pub fn people(gate: &Gate) -> Vec<(&'static str, Visitor<'_>)> {
    ["alice", "bob", "alice", "bob"]
        .map(|user| (user, gate.signed_in(user)))
        .into()
}

/// Somebody who has signed out, with the cookie he had.
pub fn gone(gate: &Gate) -> Visitor<'_> {
    let mut visitor = gate.signed_in("alice");
    let before = visitor.clone();
    assert_eq!(visitor.sign_out().status, 200);
    before
}

struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ask(gate: &Gate, visitor: &Visitor<'_>) -> io::Result<Answer> {
    let mut connection = Connection::try_tls(gate.address().tls(), APP)?;
    let ask = Ask::page(APP, "/x").with("Connection", "close");
    connection.try_send(&ask.bytes(&visitor.cookie_header(APP)))?;
    connection.try_answer(false)
}

impl Tally {
    fn count(&mut self, user: &str, answer: io::Result<Answer>) {
        let Ok(answer) = answer else {
            self.cut_off += 1;
            return;
        };
        let is_himself = || {
            let text = answer.text().to_ascii_lowercase();
            text.contains(&format!("remote-user: {user}\n"))
        };
        match answer.status {
            200 if is_himself() => self.served += 1,
            302 => self.signed_out += 1,
            503 => self.told_to_wait += 1,
            other => self.wrong.push(format!("{other}: {}", answer.text())),
        }
    }

    /// Nobody was signed out or taken for somebody else.
    pub fn is_right(&self) {
        assert!(self.wrong.is_empty(), "{:?}", self.wrong.first());
        assert_eq!(self.signed_out, 0, "{self:?}");
        assert!(self.served > 0, "{self:?}");
    }
}
