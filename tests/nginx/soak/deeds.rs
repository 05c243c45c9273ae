//! What somebody does, one thing at a time; the dice say what.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::super::harness::exposition::Exposition;
use super::super::harness::form::Form;
use super::super::harness::visitor::PORTAL;
use super::super::harness::{Ask, Connection, Visitor, http2};
use super::super::second_factor::code;
use super::METRICS;
use super::actor::{APP, Actor, Taken};

/// Requests that go over one connection.
const TOGETHER: usize = 6;

const SESSIONS: &str = "/settings/sessions";

impl<'w> Actor<'w> {
    /// Does something.
    pub fn act(&mut self) {
        match self.roll(32) {
            0..6 => self.sign_in(),
            6..9 => self.sign_in_by_form(),
            9 => self.sign_in_once_more(),
            10 => self.sign_in_wrongly(),
            11..16 => self.ask_for_a_page(),
            16..18 => self.ask_with_what_is_over(),
            18..20 => self.leave_by_the_door(),
            20..22 => self.step_up(),
            22..27 => self.leave_in_the_middle(),
            27 | 28 => self.ask_in_a_row(),
            29 => self.ask_at_once(),
            30 => self.look_at_the_metrics(),
            _ => self.end_all_others(),
        }
    }

    fn login(&self, password: &str) -> Ask {
        let body = json!({"username": self.name, "password": password, "keepMeLoggedIn": false});
        Ask::api("POST", PORTAL, "/api/firstfactor", &body)
    }

    fn sign_in(&mut self) {
        let mut visitor = Visitor::new(self.gate());
        let answer = self.send(&mut visitor, &self.login("password"));
        match answer {
            Some(answer) if answer.status == 200 => {
                self.world.count("logins");
                self.begins(visitor);
            }
            Some(answer) if answer.status != 503 => self.wonder("a login", &answer),
            _ => {}
        }
    }

    fn sign_in_by_form(&mut self) {
        let gate = self.gate();
        let (mut visitor, url) = (Visitor::new(gate), gate.url(PORTAL, "/"));
        let page = self.send(&mut visitor, &Ask::page(PORTAL, "/"));
        let Some(page) = page.filter(|page| page.status == 200) else {
            return;
        };
        let mut form = Form::with_password(&page.text());
        form.fill(self.name, "password");
        let Some(answer) = self.send(&mut visitor, &Visitor::submission(&url, &form)) else {
            return;
        };
        match answer.status {
            200 | 302 | 303
                if visitor
                    .jar
                    .iter()
                    .any(|cookie| cookie.name.contains("session")) =>
            {
                self.world.count("logins by form");
                self.begins(visitor);
            }
            503 => {}
            _ => self.wonder("a login by form", &answer),
        }
    }

    /// Who is signed in and does so again has one session, and it is a new one.
    fn sign_in_once_more(&mut self) {
        let Some((place, mut visitor)) = self.anybody() else {
            return;
        };
        let before = visitor.clone();
        self.alive.remove(place);
        let answer = self.send(&mut visitor, &self.login("password"));
        if answer.is_some_and(|answer| answer.status == 200) {
            self.world.count("logins");
            self.ends(before);
            self.begins(visitor);
        }
    }

    fn sign_in_wrongly(&mut self) {
        let mut visitor = Visitor::new(self.gate());
        if let Some(answer) = self.send(&mut visitor, &self.login("wrong")) {
            assert!(matches!(answer.status, 401 | 503), "{answer:?}");
            self.world.count("wrong passwords");
        }
    }

    fn ask_for_a_page(&mut self) {
        if let Some((_, mut visitor)) = self.anybody()
            && let Some(answer) = self.send(&mut visitor, &Ask::page(APP, "/x"))
        {
            self.is_right(&answer, true);
        }
    }

    fn ask_with_what_is_over(&mut self) {
        if let Some(mut visitor) = self.anybody_gone()
            && let Some(answer) = self.send(&mut visitor, &Ask::page(APP, "/x"))
        {
            self.is_right(&answer, false);
        }
    }

    fn leave_by_the_door(&mut self) {
        if let Some((place, mut visitor)) = self.anybody() {
            self.alive.remove(place);
            self.sign_out(&mut visitor);
        }
    }

    /// A code counts once, so most of the time it is for nothing.
    fn step_up(&mut self) {
        let Some((place, mut visitor)) = self.anybody() else {
            return;
        };
        let right = self.roll(2) == 0;
        let token = if right { code(0) } else { "000000".into() };
        let body = json!({ "token": token });
        let ask = Ask::api("POST", PORTAL, "/api/secondfactor/totp", &body);
        let before = visitor.clone();
        let Some(answer) = self.send(&mut visitor, &ask) else {
            if right {
                self.alive.remove(place);
            }
            return;
        };
        match answer.status {
            200 if right => {
                self.world.count("step-ups");
                self.alive[place] = visitor.clone();
                self.ends(before);
                let page = self.send(&mut visitor, &Ask::page(APP, "/two/x"));
                assert!(page.is_none_or(|page| self.read(&page) != Taken::Nobody));
            }
            403 => self.world.count("wrong codes"),
            // The store may have it nevertheless.
            503 if right => drop(self.alive.remove(place)),
            503 => {}
            _ => self.wonder("a code", &answer),
        }
    }

    /// Asks for something and hangs up: at once, in the head, behind it, in the body, or behind that.
    fn leave_in_the_middle(&mut self) {
        let nobody = Visitor::new(self.gate());
        let visitor = self.anybody().map_or(nobody, |(_, visitor)| visitor);
        let stranger = Visitor::new(visitor.gate);
        let token = json!({"token": "000000"});
        let (who, ask) = match self.roll(8) {
            0 | 1 => (&stranger, self.login("password")),
            2 => (&stranger, self.login("wrong")),
            3 | 4 => (&visitor, Ask::page(APP, "/x")),
            5 => (&visitor, Ask::page(PORTAL, SESSIONS)),
            6 => (&visitor, Ask::page(PORTAL, "/2fa")),
            _ => (
                &visitor,
                Ask::api("POST", PORTAL, "/api/secondfactor/totp", &token),
            ),
        };
        let bytes = ask.bytes(&who.cookie_header(&ask.host));
        let body = ask.body.len();
        let end = match self.roll(6) {
            0 => self.roll(bytes.len() - body),
            1 => bytes.len() - body,
            2 => bytes.len() - body / 2,
            _ => bytes.len(),
        };
        let delay = self.roll(4) as u64;
        if let Ok(mut connection) = Connection::try_tls(who.gate.address().tls(), &ask.host) {
            connection.send(&bytes[..end]);
            let what = format!("{} {} up to {end}", ask.method, ask.target);
            self.note(&what, self.world.began.elapsed(), &[who]);
            std::thread::sleep(Duration::from_millis(delay * delay));
        }
        self.world.count("left in the middle");
    }

    /// Some who are signed in, some who are not any more, and some who never were.
    fn some(&mut self) -> Vec<(Visitor<'w>, bool)> {
        let one = |actor: &mut Self| match actor.roll(4) {
            0 => (actor.anybody_gone(), false),
            1 => (Some(Visitor::new(actor.gate())), false),
            _ => (actor.anybody().map(|(_, visitor)| visitor), true),
        };
        let some: Vec<_> = (0..TOGETHER).map(|_| one(self)).collect();
        let some = some.into_iter();
        let some: Vec<_> = some.filter_map(|(who, is)| Some((who?, is))).collect();
        // What is over is so where it ended; elsewhere a moment later.
        let gate = some.first().map(|(visitor, _)| visitor.gate);
        let here =
            |visitor: &Visitor<'w>| gate.is_some_and(|gate| std::ptr::eq(gate, visitor.gate));
        some.into_iter()
            .filter(|(visitor, _)| here(visitor))
            .collect()
    }

    /// Over one connection, without waiting for the answers or one after the other.
    fn ask_in_a_row(&mut self) {
        let some = self.some();
        let Some(gate) = some.first().map(|(visitor, _)| visitor.gate) else {
            return;
        };
        let pipelined = self.roll(2) == 0;
        let page = |visitor: &Visitor<'w>| Ask::page(APP, "/x").bytes(&visitor.cookie_header(APP));
        let Ok(mut connection) = Connection::try_tls(gate.address().tls(), APP) else {
            return;
        };
        if pipelined {
            let all: Vec<u8> = some.iter().flat_map(|(visitor, _)| page(visitor)).collect();
            connection.send(all);
        }
        for (visitor, signed_in) in &some {
            if !pipelined {
                connection.send(page(visitor));
            }
            let Ok(answer) = connection.try_answer(false) else {
                return self.world.count("cut off");
            };
            self.note("in a row", self.world.began.elapsed(), &[visitor]);
            self.is_right(&answer, *signed_in);
            self.world.count("in a row");
        }
    }

    /// Over one HTTP/2 connection, some of whose streams are reset.
    fn ask_at_once(&mut self) {
        let some = self.some();
        let Some(gate) = some.first().map(|(visitor, _)| visitor.gate) else {
            return;
        };
        let mut requests = Vec::new();
        for (visitor, _) in &some {
            let mut request = http::Request::get(format!("https://{APP}/x"));
            for (name, value) in visitor.cookie_header(APP) {
                request = request.header(name.to_ascii_lowercase(), value);
            }
            let reset = (self.roll(2) == 0).then(|| Duration::from_millis(self.roll(6) as u64));
            let request = request.header("accept", "text/html");
            requests.push((request.body(Bytes::new()).unwrap(), reset));
        }
        let Ok(answers) = http2::ask_at_once(gate.address().tls(), APP, requests) else {
            return self.world.count("cut off");
        };
        for ((visitor, signed_in), answer) in some.iter().zip(answers) {
            self.note("at once", self.world.began.elapsed(), &[visitor]);
            match answer {
                Ok(answer) => self.is_right(&answer, *signed_in),
                Err(_) => self.world.count("streams reset"),
            }
        }
    }

    fn look_at_the_metrics(&mut self) {
        let mut visitor = Visitor::new(self.gate());
        if let Some(answer) = self.send(&mut visitor, &Ask::page(METRICS, "/")) {
            assert_eq!(answer.status, 200, "{}", answer.text());
            Exposition::read(&answer.text());
            self.world.count("scrapes");
        }
    }

    fn end_all_others(&mut self) {
        let Some((place, mut visitor)) = self.anybody() else {
            return;
        };
        let page = self.send(&mut visitor, &Ask::page(PORTAL, SESSIONS));
        let Some(page) = page.filter(|page| page.status != 503) else {
            return;
        };
        assert_eq!(page.status, 200, "{}", page.text());
        let all = |form: &Form| form.fields.iter().any(|(name, _)| name == "all");
        let Some(form) = Form::all(&page.text()).into_iter().find(all) else {
            // The only one, or the store is out.
            return self.world.count("lists without others");
        };
        let stays = self.alive.remove(place);
        let others = std::mem::replace(&mut self.alive, vec![stays]);
        let url = visitor.gate.url(PORTAL, SESSIONS);
        let answer = self.send(&mut visitor, &Visitor::submission(&url, &form));
        match answer {
            Some(answer) if answer.status == 303 => {
                self.world.count("ends of all");
                for other in others {
                    let (gate, jar) = (visitor.gate, other.jar);
                    self.ends(Visitor { gate, jar });
                }
            }
            Some(answer) if answer.status != 503 => self.wonder("an end of all", &answer),
            _ => self.is_unsure(),
        }
    }
}
