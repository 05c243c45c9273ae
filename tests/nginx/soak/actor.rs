//! Somebody who acts: knows which of his sessions stand and which are over, and holds every answer against it.

use std::io;
use std::time::Duration;

use serde_json::json;

use super::super::harness::visitor::PORTAL;
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
        self.got(visitor.try_send(ask))
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

    pub fn begins(&mut self, visitor: Visitor<'w>) {
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
        assert_ne!(taken, wrong, "{}, signed in: {signed_in}", self.name);
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

    /// When everything is over: whoever is signed in is so everywhere, and whoever is not, nowhere.
    pub fn judge(self) {
        for gate in &self.world.gates {
            let everywhere = |visitor: &Visitor<'w>, wanted: Taken| {
                let mut visitor = Visitor {
                    gate,
                    jar: visitor.jar.clone(),
                };
                let what = format!("{} to be taken {wanted:?}", self.name);
                until(&what, || {
                    let taken = self.read(&visitor.page(APP, "/x"));
                    assert!(taken != Taken::Nobody || wanted == taken, "{what}");
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
        assert!(!self.alive.is_empty() && !self.gone.is_empty());
    }
}
