//! A portal that is served by a world in memory, and what is set there.

use ngx_http_auth_gate_module::factors::webauthn::RelyingParty;
use ngx_http_auth_gate_module::portal::{
    Account, Aim, Answer, Cost, Domain, Endpoint, Event, Failure, Method, Portal, Request,
    SecondFactors, Settings, Step, Theme, Why,
};
use ngx_http_auth_gate_module::session::{CookieSpec, CrossSite, Lifetimes, Realm};

use crate::office::Desk;
use crate::world::Memory;

/// When the tests play.
pub const NOW: u64 = 1_800_000_000;

/// A portal and its world.
pub struct Site {
    pub portal: Portal,
    pub world: Memory,
    /// Where errands are run.
    pub office: Desk,
    pub now: u64,
    /// How many passwords were checked.
    pub checks: usize,
    /// What work came to that nobody waited for.
    pub asides: Vec<Event>,
}

impl Site {
    /// The portal of `auth.example.com` that the recorded answers come from.
    pub fn new() -> Self {
        Self::with(Theme::Light)
    }

    pub fn with(theme: Theme) -> Self {
        Site {
            portal: Portal::new(settings(theme)),
            world: Memory::new(),
            office: Desk::new(),
            now: NOW,
            checks: 0,
            asides: Vec::new(),
        }
    }

    pub fn serve(&mut self, request: &Request<'_>) -> Answer {
        let mut step = self.portal.answer(request, &mut self.world);
        let bare = Request {
            body: b"",
            ..request.clone()
        };
        loop {
            step = match step {
                Step::Answer(answer) => return answer,
                Step::Verify(verify) => {
                    self.checks += 1;
                    let matched = verify.hash.verify(&verify.password);
                    let (login, world) = (verify.login, &mut self.world);
                    Step::Answer(self.portal.finish(&bare, login, matched, 300, world))
                }
                Step::Aside(aside) => {
                    // An event of the work would stand in the log as one of an answer does.
                    let event = (aside.work)(&mut self.office);
                    self.asides.extend(event);
                    return aside.answer;
                }
                Step::Errand(errand) => {
                    let work = errand.work;
                    self.office.burns = errand.cost == Cost::Burns;
                    let done = (!self.office.closed).then(|| work(&mut self.office));
                    self.office.burns = false;
                    self.office.hand_over(&mut self.world);
                    self.portal
                        .resume(&bare, errand.then, done, &mut self.world)
                }
                Step::Sweep(sweep) => {
                    let found = self.world.sweep(&sweep.user, sweep.end_all_but);
                    self.portal.swept(&bare, sweep.then, found, &mut self.world)
                }
            };
        }
    }
}

pub fn settings(theme: Theme) -> Settings {
    Settings {
        theme,
        domains: vec![Domain {
            realm: Realm::new(
                "example.com",
                CookieSpec::new("authelia_session", "example.com", CrossSite::Lax, false).unwrap(),
                Lifetimes {
                    expiration: 3600,
                    inactivity: 300,
                    remember_me: Some(2_592_000),
                },
            ),
            default_redirection_url: Some("https://home.example.com".into()),
            url: None,
            login: Some("https://auth.example.com/".into()),
            party: Some(RelyingParty::new(&"https://auth.example.com".parse().unwrap()).unwrap()),
        }],
        default_redirection_url: None,
        email_login: false,
        second: SecondFactors::default(),
        account: Account::default(),
        endpoints: Endpoint::defaults(),
    }
}

/// What is told of an attempt that came to nothing.
pub fn failed(user: &str, aim: Aim, method: Method, why: Why) -> Event {
    Event::Fail(Failure {
        aim,
        method,
        user: Some(user.to_owned()),
        why,
        address: None,
    })
}
