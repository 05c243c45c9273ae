//! The sessions of a user: where and when, and their end.

use crate::portal::answer::Answer;
use crate::portal::dates;
use crate::portal::event::Event;
use crate::portal::form::Form;
use crate::portal::pages::{SessionLine, SessionsPage};
use crate::portal::request::Request;
use crate::portal::visitor::Visitor;
use crate::portal::world::World;
use crate::portal::{Portal, Step};
use crate::session::{Key, Keys, Record, Session, standing};

use super::{SESSIONS, done, note, to_overview, token};

/// What the button of a session names it by. A key opens nothing, but neither is it anybody's
/// business.
fn id_of(keys: &Keys, key: &Key) -> String {
    keys.form_token("session", &key.0)
}

impl Portal {
    pub(super) fn sessions_page(visitor: Visitor) -> Step {
        let user = visitor.name.clone();
        Step::sweep(&user, None, move |portal, request, found, world| {
            Step::Answer(portal.show_sessions(request, &visitor, &found, world))
        })
    }

    /// Ends one session, or all but this one.
    pub(super) fn sessions_form(mut form: Form, visitor: Visitor) -> Step {
        let user = visitor.name.clone();
        if !form.take("all").is_empty() {
            let keep = Some(Some(visitor.key));
            return Step::sweep(&user, keep, move |_, request, ended, _| {
                Step::Answer(Answer {
                    event: Some(Event::EndSessions(visitor.name, ended.len())),
                    ..done(request, SESSIONS, "ended")
                })
            });
        }
        let wanted = form.take("session");
        Step::sweep(&user, None, move |_, request, found, world| {
            let keys = world.keys().clone();
            let mut others = found.iter().filter(|one| one.key != visitor.key);
            let found =
                others.find(|one| keys.verify_form_token("session", &one.key.0, wanted.as_bytes()));
            let mut answer = done(request, SESSIONS, "ended");
            // What has ended already is what was wanted.
            if let Some(session) = found {
                world.end(&session.key);
                answer.event = Some(Event::EndSessions(visitor.name, 1));
            }
            Step::Answer(answer)
        })
    }

    fn show_sessions(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        found: &[Session],
        world: &dyn World,
    ) -> Answer {
        let t = request.messages();
        let lasting = found
            .iter()
            .filter(|one| self.lasts(&one.record, request, world));
        let mut sessions: Vec<_> = lasting
            .map(|one| self.line(request, visitor, one, world.keys()))
            .collect();
        // This one first; the others stay newest first.
        sessions.sort_by_key(|line| line.id.is_some());
        let page = SessionsPage {
            frame: self.frame(request, t.account.sessions, 200),
            t,
            note: note(request),
            action: request.link(SESSIONS),
            token: token(visitor, world),
            others: sessions.iter().any(|line| line.id.is_some()),
            sessions,
            back: to_overview(request),
        };
        self.page(200, &page)
    }

    /// Whether a session still opens anything: what is over may lie in the table for a while.
    fn lasts(&self, record: &Record, request: &Request<'_>, world: &dyn World) -> bool {
        let domains = &self.settings.domains;
        let domain = domains
            .iter()
            .find(|domain| domain.realm.id == record.domain);
        let stands =
            domain.is_some_and(|domain| standing(record, &domain.realm, request.now).is_ok());
        let holder = world
            .directory()
            .holder(record.user.as_str(), record.password);
        stands && holder.is_some()
    }

    fn line(
        &self,
        request: &Request<'_>,
        visitor: &Visitor,
        session: &Session,
        keys: &Keys,
    ) -> SessionLine {
        let t = &request.messages().account;
        let record = &session.record;
        let mut details = vec![
            t.from_address.with(&record.address.to_string()),
            t.signed_in_at.with(&dates::minute(record.created)),
            t.last_seen.with(&dates::minute(record.last_activity)),
        ];
        let domains = &self.settings.domains;
        if domains.len() > 1
            && let Some(domain) = domains.iter().find(|one| one.realm.id == record.domain)
        {
            details.push(t.at_domain.with(&domain.realm.domain));
        }
        if record.remember {
            details.push(t.remembered.to_owned());
        }
        SessionLine {
            heading: record.device.to_string(),
            details,
            id: (session.key != visitor.key).then(|| id_of(keys, &session.key)),
        }
    }
}
