//! The page on which somebody gets leave to change something: by a code, or a second factor.

use crate::portal::account::leave::Lack;
use crate::portal::answer::Answer;
use crate::portal::api::redact;
use crate::portal::form::{self, Form};
use crate::portal::login::Door;
use crate::portal::pages::LeavePage;
use crate::portal::request::Request;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::{LEAVE, OVERVIEW, Place, to_overview, token};

/// What the page shows.
#[derive(Clone, Copy)]
struct Shown {
    status: u16,
    lack: Lack,
    /// A code is on its way.
    sent: bool,
    /// No code can be sent.
    no_address: bool,
    error: Option<&'static str>,
}

impl Shown {
    const CODE: Shown = Shown {
        status: 200,
        lack: Lack::Code,
        sent: false,
        no_address: false,
        error: None,
    };
}

impl Portal {
    pub(super) fn leave_page(
        &self,
        request: &Request<'_>,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let to = back_to(&request.query_value("to").unwrap_or_default());
        let sent = request.query_value("sent").is_some();
        self.lack(
            request,
            visitor,
            Door::Page,
            world,
            move |portal, request, visitor, lack, world| {
                Step::Answer(match lack {
                    None => Answer::redirect(request.location(&to)),
                    Some(lack) => {
                        let no_address = visitor.emails.is_empty();
                        let shown = Shown {
                            lack,
                            sent,
                            no_address,
                            ..Shown::CODE
                        };
                        portal.show_leave(request, &visitor, &to, shown, world)
                    }
                })
            },
        )
    }

    /// Asks for a code, or gives one back.
    pub(super) fn leave_form(
        &self,
        request: &Request<'_>,
        mut form: Form,
        visitor: Visitor,
        world: &mut dyn World,
    ) -> Step {
        let to = back_to(&form.take("to"));
        if !form.take("send").is_empty() {
            return self.send_code(
                request,
                visitor,
                Door::Page,
                world,
                move |_, request, _, _| {
                    // Without an address the page says so.
                    let query = form::encode([("to", to.as_str()), ("sent", "1")]);
                    Answer::redirect(request.location(&format!("{LEAVE}?{query}")))
                },
            );
        }
        let code = form.take("code");
        if code.trim().is_empty() {
            let shown = Shown {
                status: 400,
                sent: true,
                error: Some(request.messages().account.code_missing),
                ..Shown::CODE
            };
            return Step::Answer(self.show_leave(request, &visitor, &to, shown, world));
        }
        let then = move |portal: &Portal,
                         request: &Request<'_>,
                         visitor: &Visitor,
                         right: bool,
                         world: &mut dyn World| {
            if right {
                return Answer::redirect(request.location(&to));
            }
            let shown = Shown {
                status: 401,
                sent: true,
                error: Some(request.messages().account.code_wrong),
                ..Shown::CODE
            };
            portal.show_leave(request, visitor, &to, shown, world)
        };
        self.take_code(request, visitor, &code, Door::Page, world, then)
    }

    fn show_leave(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        to: &str,
        shown: Shown,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let email = visitor.emails.first().map(|email| redact(email));
        let text = match (shown.lack, email) {
            (Lack::SecondFactor, _) => t.account.leave_second.to_owned(),
            (Lack::Code, None) => t.account.no_address.to_owned(),
            (Lack::Code, Some(email)) if shown.sent => t.account.leave_sent.with(&email),
            (Lack::Code, Some(email)) => t.account.leave_code.with(&email),
        };
        let here = form::encode([("to", to)]);
        let here = request.location(&format!("{LEAVE}?{here}"));
        let second = format!("/2fa?{}", form::encode([("rd", here.as_str())]));
        let page = LeavePage {
            frame: self.frame(request, t.account.leave, shown.status),
            t,
            text,
            code: shown.lack == Lack::Code && !shown.no_address,
            sent: shown.sent,
            action: request.link(LEAVE),
            token: token(visitor, world),
            to,
            error: shown.error,
            next: (shown.lack == Lack::SecondFactor)
                .then(|| (request.link(&second), t.account.prove_second)),
            back: to_overview(request),
        };
        self.page(shown.status, &page)
    }
}

/// The page to return to: one of ours that needs leave, or the overview.
fn back_to(path: &str) -> String {
    match Place::of(path) {
        Some(Place::Enrol(_) | Place::Device(..) | Place::Password | Place::NewAppPassword) => {
            path.to_owned()
        }
        _ => OVERVIEW.to_owned(),
    }
}
