//! The password after a passkey: a passkey alone is one factor, and what it lacks is knowledge.

use crate::portal::answer::Answer;
use crate::portal::csrf;
use crate::portal::login::{Credentials, Door, Login};
use crate::portal::onward::Wish;
use crate::portal::pages::SecondKind;
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::{FORM, View};

impl Portal {
    /// The page that asks for the password.
    pub(super) fn visit_password(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let wish = Wish::of_query(request);
        Step::Answer(
            match self.factor_guest(request, domain, &wish, false, world) {
                Ok(visitor) => self.password_page(request, &visitor, View::new(None, wish), world),
                Err(elsewhere) => *elsewhere,
            },
        )
    }

    /// The form with the password as it comes back.
    pub(super) fn password_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let (mut form, visitor, wish) = match self.factor_form(request, domain, false, world) {
            Ok(sent) => sent,
            Err(answer) => return Step::Answer(*answer),
        };
        let (t, password) = (request.messages(), form.take("password"));
        let view = View::new(None, wish);
        if !csrf::verify_session(world.keys(), FORM, &visitor.key, &form.take("token")) {
            let view = view.alarmed(403, t.form_expired);
            return Step::Answer(self.password_page(request, &visitor, view, world));
        }
        if password.is_empty() {
            let view = view.failed(400, t.second.password_missing);
            return Step::Answer(self.password_page(request, &visitor, view, world));
        }
        let typed = Credentials {
            username: visitor.name,
            password,
            remember: false,
            wish: view.wish,
            session: Some(visitor.key),
        };
        self.begin(request, Door::Page, typed, world)
    }

    /// The page again, because the password was wrong or nobody could check it.
    pub(in crate::portal) fn password_again(
        &self,
        request: &Request<'_>,
        login: &Login,
        status: u16,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let wish = login.wish.clone();
        let view = match status {
            503 => View {
                status,
                alert: Some(t.busy),
                ..View::new(None, wish)
            },
            _ => View {
                status,
                error: Some(t.second.password_wrong),
                ..View::new(None, wish)
            },
        };
        let domain = self.settings.domain_of(request.host_name());
        let visitor = domain.and_then(|(_, domain)| Visitor::find(request, domain, world));
        match visitor {
            Some(visitor) => self.password_page(request, &visitor, view, world),
            // The session has ended meanwhile.
            None => self.refuse(request, status),
        }
    }

    fn password_page(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        view: View,
        world: &mut dyn World,
    ) -> Answer {
        self.second_form(request, visitor, view, (SecondKind::Password, None), world)
    }
}
