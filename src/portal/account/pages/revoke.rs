//! The pages behind the links by which a code or a link is revoked: a question, because programs
//! that look through mail open every link.

use crate::portal::answer::Answer;
use crate::portal::form::Form;
use crate::portal::login::Door;
use crate::portal::pages::QuestionPage;
use crate::portal::request::Request;
use crate::portal::world::World;
use crate::portal::{Portal, Step};

use super::{REVOKE_CODE, doubt, strangers_token};

/// The purpose of the token in these forms.
const FORM: &str = "revocation form";

impl Portal {
    /// Asks whether to revoke what the address names, or after a form what that named.
    pub(super) fn revoke_page(
        &self,
        request: &Request<'_>,
        status: u16,
        again: Option<(&str, &'static str)>,
        world: &mut dyn World,
    ) -> Answer {
        let t = request.messages();
        let is_code = request.path == REVOKE_CODE;
        let (field, text, button) = match is_code {
            true => ("id", t.account.revoke_code_text, t.account.revoke_code),
            false => ("token", t.account.revoke_link_text, t.account.revoke_link),
        };
        let asked = request.query_value(field).unwrap_or_default();
        let (token, cookie) = strangers_token(request, FORM, world);
        let page = QuestionPage {
            frame: self.frame(request, button, status),
            heading: button,
            text,
            action: request.link(request.path),
            token,
            value: again.map_or(&asked, |(value, _)| value),
            alert: again.map(|(_, alert)| alert),
            button,
            back: (request.link("/"), t.to_portal),
        };
        let mut answer = self.page(status, &page);
        answer.cookies.extend(cookie);
        answer
    }

    pub(super) fn revoke_form(&self, request: &Request<'_>, world: &mut dyn World) -> Step {
        let mut form = match Form::read(request) {
            Ok(form) => form,
            Err(status) => return Step::Answer(self.refuse(request, status)),
        };
        let (value, token) = (form.take("value"), form.take("token"));
        if let Some(doubt) = doubt(request, FORM, &token, world) {
            let again = Some((value.as_str(), doubt));
            return Step::Answer(self.revoke_page(request, 403, again, world));
        }
        let then = |portal: &Portal, request: &Request<'_>, ended: bool, _: &mut dyn World| {
            let t = &request.messages().account;
            Step::Answer(match ended {
                true => portal.told(request, t.was_revoked, 200),
                false => portal.told(request, t.nothing_to_revoke, 404),
            })
        };
        match request.path {
            REVOKE_CODE => self.revoke_code(request, &value, Door::Page, world, then),
            _ => self.end_link(request, &value, Door::Page, world, then),
        }
    }
}
