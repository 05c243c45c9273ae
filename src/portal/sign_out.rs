//! Signing out on a page: at once for a person who opens it, after a question for everybody else.

use super::Portal;
use super::answer::Answer;
use super::csrf;
use super::event::Event;
use super::form::Form;
use super::onward::Wish;
use super::pages::{Frame, NoticePage, SignedInPage};
use super::request::Request;
use super::settings::Domain;
use super::visitor::{self, Visitor};
use super::world::World;

impl Portal {
    /// `GET /logout`. Only a person who opens it in a window is signed out at once.
    pub(super) fn sign_out_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Answer {
        let wish = Wish::new(request.query_value("rd").unwrap_or_default(), String::new());
        let visitor = Visitor::find(request, domain, world);
        if request.method == b"GET" && request.is_navigation() {
            return self.sign_out(request, domain, visitor, &wish, world);
        }
        match visitor {
            Some(visitor) => self.sign_out_question(request, 200, &visitor, &wish, world),
            None => self.signed_out_page(request),
        }
    }

    /// The sign-out form as it comes back.
    pub(super) fn sign_out_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Answer {
        let mut form = match Form::read(request) {
            Ok(form) => form,
            Err(status) => return self.refuse(request, status),
        };
        let wish = Wish::new(form.take("rd").to_string(), String::new());
        let visitor = Visitor::find(request, domain, world);
        if let Some(visitor) = &visitor
            && !csrf::verify_sign_out(world.keys(), &visitor.key, &form.take("token"))
        {
            return self.sign_out_question(request, 403, visitor, &wish, world);
        }
        let mut answer = self.sign_out(request, domain, visitor, &wish, world);
        if answer.location.is_none() {
            let page = Answer::redirect(request.location("/logout"));
            answer = Answer {
                cookies: answer.cookies,
                event: answer.event,
                ..page
            };
        }
        answer
    }

    fn sign_out(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: Option<Visitor>,
        wish: &Wish,
        world: &mut dyn World,
    ) -> Answer {
        let cookie = visitor::end_all(request, domain, world);
        let mut answer = match wish.address(&self.settings) {
            Some(address) => Answer::redirect(address.as_str().to_owned()),
            None => self.signed_out_page(request),
        };
        answer.cookies.extend(cookie);
        answer.event = visitor.map(|visitor| Event::SignOut(visitor.name));
        answer
    }

    fn sign_out_question(
        &self,
        request: &Request<'_>,
        status: u16,
        visitor: &Visitor,
        wish: &Wish,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let target = wish.address(&self.settings);
        let page = SignedInPage {
            frame: Frame::new(self.settings.theme, t, t.sign_out_question, status >= 400),
            t,
            heading: t.sign_out_question,
            text: t.sign_out_explained.to_owned(),
            who: t.you_are,
            name: &visitor.display_name,
            login: &visitor.name,
            next: None,
            back: Some((request.link("/"), t.stay)),
            action: request.link("/logout"),
            token: csrf::sign_out_token(world.keys(), &visitor.key),
            rd: target.as_ref().map_or("", |target| target.as_str()),
            quiet: false,
        };
        self.page(status, &page)
    }

    fn signed_out_page(&self, request: &Request<'_>) -> Answer {
        let t = request.messages();

        let page = NoticePage {
            frame: Frame::new(self.settings.theme, t, t.signed_out, false),
            heading: t.signed_out,
            about: None,
            subject: None,
            text: t.signed_out_explained.to_owned(),
            link: Some((request.link("/"), t.sign_in_again)),
        };
        self.page(200, &page)
    }
}
