//! Somebody who acts: knows which of his sessions stand and which are over, and holds every answer against it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use serde_json::json;

use super::super::harness::visitor::{Cookie, PORTAL};
use super::super::harness::{Answer, Ask, Gate, Visitor, until};
use super::World;

pub const APP: &str = "app.example.com";

/// Sessions that he keeps at once, and that he remembers to have ended.
const MOST: (usize, usize) = (12, 100);

/// Somebody, with a name that nobody else has.
pub struct Actor<'w> {
    pub world: &'w World<'w>,
    pub name: &'static str,
    /// Signed in, at every gate.
    pub alive: Vec<Visitor<'w>>,
    /// With the cookie of a session that was ended at his gate.
    gone: Vec<Visitor<'w>>,
    dice: u64,
    /// When he asked for the end of all his sessions and was not told what came of it.
    unsure: Option<Instant>,
    /// What he did last and what came of it, to be told when something is wrong.
    past: RefCell<VecDeque<String>>,
}

/// How long the store may be told of something after its visitor was told that it is out, or nothing.
const LATEST: Duration = Duration::from_secs(15);

/// Things that he remembers to have done.
const PAST: usize = 200;

/// The beginning of the cookie of a session.
fn session(visitor: &Visitor<'_>) -> String {
    let is_one = |cookie: &&Cookie| cookie.name.contains("session");
    let cookie = visitor.jar.iter().find(is_one);
    cookie.map_or_else(String::new, |cookie| cookie.value.chars().take(6).collect())
}

/// What an answer to a page says of whoever asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    Himself,
    Nobody,
    /// Told to come back.
    Later,
}

impl<'w> Actor<'w> {
    pub fn new(world: &'w World<'w>, name: &'static str, number: u64) -> Self {
        Actor {
            world,
            name,
            alive: Vec::new(),
            gone: Vec::new(),
            dice: 0x9e37_79b9_7f4a_7c15 ^ (number + 1),
            unsure: None,
            past: RefCell::default(),
        }
    }

    /// A number below `sides`; the same ones in every run.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 33) as usize % sides
    }

    pub fn gate(&mut self) -> &'w Gate {
        let place = self.roll(self.world.gates.len());
        self.world.gates[place]
    }

    /// One of those who are signed in, with his place, now at any gate.
    pub fn anybody(&mut self) -> Option<(usize, Visitor<'w>)> {
        let place = (!self.alive.is_empty()).then(|| self.roll(self.alive.len()))?;
        let (gate, jar) = (self.gate(), self.alive[place].jar.clone());
        Some((place, Visitor { gate, jar }))
    }

    pub fn anybody_gone(&mut self) -> Option<Visitor<'w>> {
        let place = (!self.gone.is_empty()).then(|| self.roll(self.gone.len()))?;
        Some(self.gone[place].clone())
    }

    /// The answer, if there is one: its worker may have been killed.
    pub fn send(&self, visitor: &mut Visitor<'w>, ask: &Ask) -> Option<Answer> {
        let (began, before) = (self.world.began.elapsed(), visitor.clone());
        let answer = self.got(visitor.try_send(ask));
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let what = format!("{} {} is {status}", ask.method, ask.target);
        self.note(&what, began, &[&before, visitor]);
        answer
    }

    /// Remembers what was done.
    pub fn note(&self, what: &str, began: Duration, visitors: &[&Visitor<'w>]) {
        let number = |visitor: &Visitor<'w>| {
            let gates = self.world.gates.iter();
            gates
                .take_while(|gate| !std::ptr::eq(**gate, visitor.gate))
                .count()
        };
        let whose: Vec<String> = visitors.iter().map(|visitor| session(visitor)).collect();
        let at: Vec<usize> = visitors.iter().map(|visitor| number(visitor)).collect();
        let now = self.world.began.elapsed();
        let line = format!("{began:.2?} to {now:.2?} at {at:?}: {what}, session {whose:?}");
        let mut past = self.past.borrow_mut();
        past.push_back(line);
        if past.len() > PAST {
            past.pop_front();
        }
    }

    fn tell_past(&self) -> String {
        let past = self.past.borrow();
        past.iter().map(|line| format!("{line}\n")).collect()
    }

    fn got(&self, answer: io::Result<Answer>) -> Option<Answer> {
        if answer.is_err() {
            self.world.count("cut off");
            std::thread::sleep(Duration::from_millis(5));
        }
        let answer = answer.ok()?;
        if answer.status == 503 {
            self.world.count("told to wait");
        }
        Some(answer)
    }

    /// All his sessions may end at any moment, those that begin meanwhile as well.
    pub fn is_unsure(&mut self) {
        self.alive.clear();
        self.unsure = Some(Instant::now());
    }

    pub fn begins(&mut self, visitor: Visitor<'w>) {
        if let Some(since) = self.unsure {
            // Once the store answers, and nobody asks it any more what was asked then, the next one stays.
            let over = since.elapsed() > LATEST;
            return self.unsure = self.unsure.filter(|_| !over);
        }
        if self.alive.len() < MOST.0 {
            return self.alive.push(visitor);
        }
        let mut oldest = std::mem::replace(&mut self.alive[0], visitor);
        self.alive.rotate_left(1);
        self.sign_out(&mut oldest);
    }

    pub fn ends(&mut self, visitor: Visitor<'w>) {
        if self.gone.len() < MOST.1 {
            return self.gone.push(visitor);
        }
        let place = self.roll(self.gone.len());
        self.gone[place] = visitor;
    }

    /// Of somebody who is none of those who are signed in any more. Without an answer nobody knows what he is.
    pub fn sign_out(&mut self, visitor: &mut Visitor<'w>) {
        let before = visitor.clone();
        let ask = Ask::api("POST", PORTAL, "/api/logout", &json!({}));
        let Some(answer) = self.send(visitor, &ask) else {
            return;
        };
        match answer.status {
            200 => {
                self.world.count("sign-outs");
                self.ends(before);
            }
            503 => {}
            _ => self.wonder("a sign-out", &answer),
        }
    }

    /// What the answer to a page of the application says.
    pub fn read(&self, answer: &Answer) -> Taken {
        let text = answer.text().to_ascii_lowercase();
        match answer.status {
            200 if text.contains(&format!("remote-user: {}\n", self.name)) => Taken::Himself,
            302 => Taken::Nobody,
            503 => Taken::Later,
            _ => self.wonder("a page", answer),
        }
    }

    /// Holds the answer to a page against what somebody is.
    pub fn is_right(&self, answer: &Answer, signed_in: bool) {
        let taken = self.read(answer);
        let wrong = match signed_in {
            true => Taken::Nobody,
            false => Taken::Himself,
        };
        let past = || self.tell_past();
        assert!(
            taken != wrong,
            "{} is taken {taken:?}:\n{}",
            self.name,
            past()
        );
        self.world.count(match taken {
            Taken::Himself => "pages",
            Taken::Nobody => "refusals",
            Taken::Later => "pages for later",
        });
    }

    pub fn wonder(&self, what: &str, answer: &Answer) -> ! {
        panic!(
            "{what} of {}: {} {}",
            self.name,
            answer.status,
            answer.text()
        )
    }

    /// When everything is over: whoever is signed in is so everywhere, and whoever is not, nowhere. How many
    /// there are.
    pub fn judge(self) -> (usize, usize) {
        for gate in &self.world.gates {
            let everywhere = |visitor: &Visitor<'w>, wanted: Taken| {
                let mut visitor = Visitor {
                    gate,
                    jar: visitor.jar.clone(),
                };
                let what = format!("{} to be taken {wanted:?}", self.name);
                until(&what, || {
                    let taken = self.read(&visitor.page(APP, "/x"));
                    let right = taken != Taken::Nobody || wanted == taken;
                    assert!(
                        right,
                        "{what}, {}:\n{}",
                        session(&visitor),
                        self.tell_past()
                    );
                    (taken == wanted).then_some(())
                });
            };
            for visitor in &self.alive {
                everywhere(visitor, Taken::Himself);
            }
            for visitor in &self.gone {
                everywhere(visitor, Taken::Nobody);
            }
        }
        (self.alive.len(), self.gone.len())
    }
}
