//! App passwords in the headers of guarded requests: one read of the store, on a thread, while the request
//! waits.

use std::{rc::Rc, sync::Arc};

use super::{
    conf::Loaded,
    credentials::Worth,
    durable::outage,
    errands, meters,
    office::News,
    passwords::{Asked, Outcome, go_on, surroundings, worth_of},
    reply::Refusal,
    request::Request,
    wait::Waiting,
};
use crate::portal::{
    Event, Method,
    app_password::{self, Check},
    in_header::Known,
};

/// Lets the request wait until an app password was looked up that somebody presents to its host. The
/// request may have ended when this returns.
pub fn start(
    request: Request<'_>,
    loaded: &Loaded,
    asked: Asked,
    presented: app_password::Presented,
) -> Result<(), Refusal> {
    let host = std::str::from_utf8(request.host()).map_err(|_| Refusal::Bad(400))?;
    let from = (request.client(), super::now());
    let Check { work, attempt } = Check::begin(presented, host, from, &mut surroundings(request)?);
    let (office, told) = (Arc::clone(&loaded.office), Arc::clone(&loaded.office));
    let (snapshot, zone) = (
        Rc::clone(&loaded.snapshot),
        Rc::clone(&request.whole().zone),
    );
    let held = Rc::clone(&zone);
    let then = move |waiting: Waiting, looked: Option<(app_password::Looked, News)>| {
        meters::set_errands(&zone);
        let looked = looked.map(|(looked, news)| {
            news.spread(&told, &snapshot, &zone, asked.begun);
            looked
        });
        waiting.resume(move |request| {
            go_on(request, asked, |loaded, world| {
                judge(loaded, attempt.end(looked, world))
            });
        });
    };
    let work = move || office.look_up(work);
    errands::run(Waiting::start(request), loaded.threads, work, then);
    meters::set_errands(&held);
    Ok(())
}

fn judge(loaded: &Loaded, checked: app_password::Checked) -> Outcome {
    match checked {
        app_password::Checked::Right(name) => {
            let directory = loaded.snapshot.borrow();
            let user = directory.user(&name).map(Known::from);
            let worth = user.map_or(Worth::Wrong, |user| worth_of(loaded, &user));
            (worth, Some(Event::Pass(Method::AppPassword)), 0)
        }
        app_password::Checked::Wrong { failure, hold } => {
            (Worth::Wrong, Some(Event::Fail(failure)), hold)
        }
        app_password::Checked::Unknown(out) => {
            let event = Event::outage(out);
            (Worth::Unchecked(outage::RETRY_AFTER), Some(event), 0)
        }
    }
}
