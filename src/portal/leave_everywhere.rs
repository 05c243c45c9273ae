//! Signing out everywhere: all sessions of a user end, that of this browser among them. Asked for on
//! the portal's host, on that of an application whose location does nothing else, and through a proxy
//! in authentik's place. At once for a person who opens it, after a question for everybody else.

use super::answer::Answer;
use super::csrf;
use super::event::Event;
use super::form::Form;
use super::pages::{Frame, NoticePage, SignedInPage};
use super::request::Request;
use super::return_address::ReturnAddress;
use super::settings::Domain;
use super::visitor::{self, Visitor};
use super::world::World;
use super::{Portal, Step};

/// Where authentik's outpost has it.
const SIGN_OUT: &str = "/outpost.goauthentik.io/sign_out";

/// The purpose of the token in the form.
const FORM: &str = "sign-out-everywhere form";

/// Where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On the portal's host.
    Portal,
    /// On an application's host, of this nginx.
    Application,
    /// On an application's host, by a proxy: it may pass on no body, so nothing can be asked there.
    Proxied,
}

/// A wish to sign out everywhere.
#[derive(Clone, Copy)]
pub(super) struct Leaving<'p> {
    pub(super) place: Place,
    pub(super) domain: &'p Domain,
}

impl Portal {
    /// Whether `request` would end sessions of whoever makes it, here or everywhere.
    pub fn wants_out(&self, request: &Request<'_>) -> bool {
        let posted = request.method == b"POST";
        if self.leaving(request).is_some() {
            return posted || is_opened(request);
        }
        let serves_pages = request.doorway.as_ref().is_none_or(|doorway| !doorway.only);
        posted && serves_pages && matches!(request.path, "/logout" | "/api/logout")
    }

    /// The wish, if `request` is one.
    pub(super) fn leaving<'p>(&'p self, request: &Request<'_>) -> Option<Leaving<'p>> {
        let doorway = request.doorway.as_ref();
        let own = || Some(self.settings.domain_of(request.host_name())?.1);
        if doorway.is_some_and(|doorway| doorway.here.sign_out) {
            let (place, domain) = (Place::Application, own()?);
            return Some(Leaving { place, domain });
        }
        if doorway.is_some_and(|doorway| doorway.only) {
            if doorway?.path(request.base)? != SIGN_OUT.as_bytes() {
                return None;
            }
            let told = self.told_hosts(request).next()?;
            let (_, domain) = self.settings.domain_of(&told)?;
            let place = Place::Proxied;
            return Some(Leaving { place, domain });
        }
        if request.path != SIGN_OUT {
            return None;
        }
        let domain = own()?;
        let place = match is_portals(request, domain) {
            true => Place::Portal,
            false => Place::Proxied,
        };
        Some(Leaving { place, domain })
    }

    /// What follows from such a wish.
    pub(super) fn leave_everywhere(
        &self,
        request: &Request<'_>,
        leaving: Leaving<'_>,
        world: &mut dyn World,
    ) -> Step {
        let posted = request.method == b"POST" && leaving.place != Place::Proxied;
        if !posted && !matches!(request.method, b"GET" | b"HEAD") {
            let allow = match leaving.place {
                Place::Proxied => "GET, HEAD",
                Place::Portal | Place::Application => "GET, HEAD, POST",
            };
            return Step::Answer(self.refuse(request, 405).with("Allow", allow));
        }
        let Some(visitor) = Visitor::find(request, leaving.domain, world) else {
            return Step::Answer(self.left(request, leaving));
        };
        if posted {
            let mut form = match Form::read(request) {
                Ok(form) => form,
                Err(status) => return Step::Answer(self.refuse(request, status)),
            };
            let token = form.take("token");
            if !csrf::verify_session(world.keys(), FORM, &visitor.key, &token) {
                return Step::Answer(self.ask_to_leave(request, 403, leaving, &visitor, world));
            }
        } else if !is_opened(request) {
            return Step::Answer(self.ask_to_leave(request, 200, leaving, &visitor, world));
        }
        Self::end_all_of(visitor)
    }

    fn end_all_of(visitor: Visitor) -> Step {
        let user = visitor.name.clone();
        Step::sweep(&user, Some(None), move |portal, request, ended, world| {
            let Some(leaving) = portal.leaving(request) else {
                return Step::Answer(portal.refuse(request, 500));
            };
            visitor::end_rest(request, leaving.domain, world);
            let mut answer = portal.left(request, leaving);
            answer.event = Some(Event::SignOutEverywhere(visitor.name, ended.len()));
            Step::Answer(answer)
        })
    }

    /// To the portal's page that says so, or that page; the browser's cookie is cleared.
    fn left(&self, request: &Request<'_>, Leaving { place, domain }: Leaving<'_>) -> Answer {
        let posted = request.method == b"POST";
        let page = match (place, &domain.url) {
            (Place::Portal, _) => posted.then(|| request.location("/logout")),
            (_, Some(portal)) => Some(format!("{portal}/logout")),
            (_, None) => None,
        };
        let mut answer = match page {
            Some(page) if posted => Answer::redirect(page),
            Some(page) => Answer::link(302, page),
            None => self.left_page(request, place),
        };
        answer.cookies.extend(visitor::clear(request, domain));
        answer
    }

    fn left_page(&self, request: &Request<'_>, place: Place) -> Answer {
        let t = request.messages();
        let link = || (request.link("/"), t.sign_in_again);
        let page = NoticePage {
            frame: Frame::new(self.settings.theme, t, t.signed_out, false),
            heading: t.signed_out,
            about: None,
            subject: None,
            text: t.signed_out_explained.to_owned(),
            link: (place == Place::Portal).then(link),
        };
        self.page(200, &page)
    }

    /// The question, or where it is asked.
    fn ask_to_leave(
        &self,
        request: &Request<'_>,
        status: u16,
        Leaving { place, domain }: Leaving<'_>,
        visitor: &Visitor,
        world: &dyn World,
    ) -> Answer {
        let action = match (place, &domain.url) {
            (Place::Proxied, Some(portal)) => {
                return Answer::link(302, format!("{portal}{SIGN_OUT}"));
            }
            (Place::Application, _) => own_address(request),
            (Place::Portal | Place::Proxied, _) => request.link(SIGN_OUT),
        };
        let t = request.messages();
        let back = match place {
            Place::Portal => Some(request.link("/")),
            Place::Application | Place::Proxied => domain.login.clone(),
        };
        let page = SignedInPage {
            frame: Frame::new(self.settings.theme, t, t.everywhere_question, status >= 400),
            t,
            heading: t.everywhere_question,
            text: t.everywhere_explained.to_owned(),
            who: t.you_are,
            name: &visitor.display_name,
            login: &visitor.name,
            next: None,
            back: back.map(|back| (back, t.stay)),
            action,
            token: csrf::session_token(world.keys(), FORM, &visitor.key),
            rd: "",
            quiet: false,
        };
        self.page(status, &page)
    }
}

/// Whether a person opens the page in a window, and no other site had him do so.
fn is_opened(request: &Request<'_>) -> bool {
    request.method == b"GET" && request.is_navigation()
}

/// Whether the host that was asked is the portal's own, as far as the configuration knows it.
fn is_portals(request: &Request<'_>, domain: &Domain) -> bool {
    let url = domain.url.as_deref();
    let url = url.and_then(|url| ReturnAddress::parse(url, |_| true).ok());
    url.is_none_or(|url| url.host().eq_ignore_ascii_case(request.host_name()))
}

/// The address that was asked for, with its host: a path alone may begin like another host.
fn own_address(request: &Request<'_>) -> String {
    let path = request.doorway.as_ref().and_then(|it| it.path(""));
    request.location(&String::from_utf8_lossy(path.unwrap_or(b"/")))
}
