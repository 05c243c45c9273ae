//! What a user can change.

use crate::portal::Portal;
use crate::portal::answer::Answer;
use crate::portal::pages::{OverviewPage, Way};
use crate::portal::request::Request;
use crate::portal::settings::Domain;
use crate::portal::visitor::Visitor;

use super::{APP_PASSWORDS, FACTORS, PASSWORD, SESSIONS, note};

impl Portal {
    pub(super) fn overview_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        visitor: &Visitor,
    ) -> Answer {
        let t = request.messages();
        let mut ways: Vec<Way> = Vec::new();
        if self.offered(domain).any() {
            let text = t.account.two_factor_text;
            ways.push((request.link(FACTORS), t.account.two_factor, text));
        }
        if self.settings.account.app_passwords.is_some() {
            let own = &t.app_passwords;
            ways.push((request.link(APP_PASSWORDS), own.heading, own.text));
        }
        if self.settings.account.change_password {
            let text = t.account.password_text;
            ways.push((request.link(PASSWORD), t.account.password, text));
        }
        let text = t.account.sessions_text;
        ways.push((request.link(SESSIONS), t.account.sessions, text));
        let page = OverviewPage {
            frame: self.frame(request, t.account.settings, 200),
            t,
            note: note(request),
            name: &visitor.display_name,
            login: &visitor.name,
            ways,
            back: (request.link("/"), t.account.to_portal),
        };
        self.page(200, &page)
    }
}
