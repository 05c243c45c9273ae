//! The pages on which a second factor is proven.

use crate::portal::answer::Answer;
use crate::portal::csrf;
use crate::portal::errand::Cost;
use crate::portal::event::Event;
use crate::portal::login::Door;
use crate::portal::onward::Wish;
use crate::portal::pages::{Frame, SCRIPT_PATH, SecondKind, SecondPage, SignedInPage};
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::store::SecondFactor;

use super::{FORM, Known};

/// What one of these pages shows beside its field.
pub(super) struct View {
    pub(super) asked: Option<SecondFactor>,
    pub(super) wish: Wish,
    pub(super) status: u16,
    pub(super) alert: Option<&'static str>,
    pub(super) error: Option<&'static str>,
    pub(super) event: Option<Event>,
}

impl View {
    /// The page as it is first shown.
    pub(super) fn new(asked: Option<SecondFactor>, wish: Wish) -> Self {
        View {
            asked,
            wish,
            status: 200,
            alert: None,
            error: None,
            event: None,
        }
    }

    /// The page again, with an error that belongs to no field.
    pub(super) fn alarmed(self, status: u16, alert: &'static str) -> Self {
        View {
            status,
            alert: Some(alert),
            ..self
        }
    }

    /// The page again, with an error beside its field.
    pub(super) fn failed(self, status: u16, error: &'static str) -> Self {
        View {
            status,
            error: Some(error),
            ..self
        }
    }
}

impl Portal {
    /// Shows the page of a factor that the visitor has enrolled, if the store can be asked.
    pub(super) fn show_factor(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Visitor,
        view: View,
        world: &mut dyn World,
    ) -> Step {
        let offered = self.offered(domain);
        if !offered.any() {
            return Step::Answer(self.no_factor_page(request, &visitor, view, false, world));
        }
        let party = self.keys(domain).map(|(_, party)| party.id().to_owned());
        let user = visitor.name.clone();
        Step::attempt(
            Cost::Waits,
            Door::Page,
            move |office| Known::look_up(office, &user, offered, party.as_deref()),
            move |portal, request, known, world| {
                Step::Answer(portal.second_of(request, &visitor, view, known, world))
            },
        )
    }

    fn second_of(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        view: View,
        known: Known,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let other = |path: &str| request.link(&format!("{path}{}", view.wish.query()));
        let (kind, switch) = match known.choose(view.asked, self.settings.second.default) {
            None => return self.no_factor_page(request, visitor, view, true, world),
            Some(SecondFactor::Totp) => {
                let switch = (other("/2fa/webauthn"), t.second.use_key);
                (
                    SecondKind::Code,
                    Some(switch).filter(|_| known.ways.webauthn),
                )
            }
            Some(SecondFactor::Webauthn) => {
                let switch = (other("/2fa/totp"), t.second.use_code);
                (SecondKind::Key, Some(switch).filter(|_| known.ways.totp))
            }
        };
        self.second_form(request, visitor, view, (kind, switch), world)
    }

    /// The page of one kind, with a link to another.
    pub(super) fn second_form(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        view: View,
        (kind, switch): (SecondKind, Option<(String, &'static str)>),
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let target = view.wish.address(&self.settings);
        let action = match kind {
            SecondKind::Code => "/2fa/totp",
            SecondKind::Key => "/2fa/webauthn",
            SecondKind::Password => "/2fa/password",
        };
        let page = SecondPage {
            frame: Frame::new(self.settings.theme, t, t.second.heading, view.status >= 400),
            t,
            kind,
            action: request.link(action),
            token: csrf::session_token(world.keys(), FORM, &visitor.key),
            host: target.as_ref().map(|target| target.authority()),
            rd: target.as_ref().map_or("", |target| target.as_str()),
            rm: &view.wish.rm,
            login: &visitor.name,
            alert: view.alert,
            error: view.error,
            switch,
            sign_out: request.link("/logout"),
            options: request.link("/api/secondfactor/webauthn"),
            script: request.link(SCRIPT_PATH),
        };
        let answer = match kind {
            SecondKind::Key => self.script_page(view.status, &page),
            SecondKind::Code | SecondKind::Password => self.page(view.status, &page),
        };
        Answer {
            event: view.event,
            ..answer
        }
    }

    /// The page for who has nothing to prove a second factor with: the way to enrol, where one
    /// `can`.
    fn no_factor_page(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        view: View,
        can: bool,
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let enrol = request.link(&format!("/settings/two-factor{}", view.wish.query()));
        let page = SignedInPage {
            frame: Frame::new(self.settings.theme, t, t.second.heading, false),
            t,
            heading: t.second.heading,
            text: if can {
                t.second.none_enrolled
            } else {
                t.second.none_here
            }
            .to_owned(),
            who: t.you_are,
            name: &visitor.display_name,
            login: &visitor.name,
            next: can.then(|| (enrol, t.second.enrol.to_owned())),
            back: None,
            action: request.link("/logout"),
            token: csrf::sign_out_token(world.keys(), &visitor.key),
            rd: "",
            quiet: can,
        };
        Answer {
            event: view.event,
            ..self.page(200, &page)
        }
    }
}
