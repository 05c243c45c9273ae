//! `auth-gate session`.

use ngx_http_auth_gate_module::store::{Command, Ledger, LedgerSession};
use serde_json::json;

use crate::cli::{self, ListFormat, SessionCommand, SessionEnd, SessionList};
use crate::desk::{self, AnyLedger, Desk};
use crate::storage::plural;
use crate::{Report, table};

/// Bytes of a session's key that its id shows.
const SHOWN: usize = 8;

pub fn run(arguments: &cli::Session) -> Result<Report, String> {
    match &arguments.command {
        SessionCommand::List(arguments) => list(arguments),
        SessionCommand::End(arguments) => end(arguments),
    }
}

fn list(arguments: &SessionList) -> Result<Report, String> {
    desk::look_at_sessions(&arguments.config, |desk| {
        let user = arguments.user.as_deref();
        let user = user.map(|typed| has_or_is(desk, typed)).transpose()?;
        let sessions = desk.ask(|store| store.sessions(user.as_deref(), desk.now))?;
        Ok(Report::well(match arguments.format {
            ListFormat::Json => json_of(&sessions),
            ListFormat::Text if sessions.is_empty() => match user {
                Some(user) => format!("{user} is not signed in\n"),
                None => "nobody is signed in\n".into(),
            },
            ListFormat::Text => text_of(&sessions),
        }))
    })
}

fn text_of(sessions: &[LedgerSession]) -> String {
    let heading = [
        "ID",
        "USER",
        "SINCE",
        "LAST USED",
        "ENDS",
        "FROM",
        "WITH",
        "PROVEN",
        "DOMAIN",
    ];
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            vec![
                id(session),
                session.user.clone(),
                table::minute(session.created),
                table::minute(session.last_used),
                table::minute(session.ends),
                session.address.to_string(),
                session.device.clone(),
                session.methods.join(", "),
                session.domain.clone(),
            ]
        })
        .collect();
    table::text(&heading, &rows)
}

fn json_of(sessions: &[LedgerSession]) -> String {
    let objects: Vec<_> = sessions
        .iter()
        .map(|session| {
            json!({
                "id": id(session),
                "user": session.user,
                "domain": session.domain,
                "created": table::instant(session.created),
                "last_used": table::instant(session.last_used),
                "ends": table::instant(session.ends),
                "remember_me": session.remember,
                "ip": session.address,
                "device": session.device,
                "methods": session.methods,
            })
        })
        .collect();
    table::json(&objects)
}

fn end(arguments: &SessionEnd) -> Result<Report, String> {
    desk::change_sessions(&arguments.config, |desk, store| {
        let which = &arguments.which;
        let (command, whose) = match (&which.id, &which.user) {
            (Some(id), _) => {
                let session = find(store, id, desk.now)?;
                let whose = format!(" of {}", session.user);
                (Command::EndSession(session.key), whose)
            }
            (None, Some(typed)) => {
                let user = has_or_is(desk, typed)?;
                let whose = format!(" of {user}");
                (Command::EndUser { user, except: None }, whose)
            }
            (None, None) => (Command::EndAll, String::new()),
        };
        let ended = store.place_order(&command, 0, desk.now);
        let ended = ended.map_err(|error| error.to_string())?;
        Ok(Report::well(format!(
            "ended {}{whose}; a running nginx follows within two seconds\n",
            plural(ended, "session")
        )))
    })
}

/// The user who is called so, or who was and is still signed in.
fn has_or_is(desk: &Desk<AnyLedger>, typed: &str) -> Result<String, String> {
    desk.user_or_kept(typed, |store| {
        let sessions = store.sessions(Some(typed), desk.now)?;
        Ok(!sessions.is_empty())
    })
}

/// The one session whose id begins like that.
fn find(store: &dyn Ledger, typed: &str, now: u64) -> Result<LedgerSession, String> {
    let begins = typed.to_ascii_lowercase();
    let sessions = store
        .sessions(None, now)
        .map_err(|error| error.to_string())?;
    let mut found = sessions
        .into_iter()
        .filter(|session| !begins.is_empty() && hex(&session.key).starts_with(&begins));
    match (found.next(), found.next()) {
        (Some(session), None) => Ok(session),
        (None, _) => Err(format!(
            "there is no session {}; `auth-gate session list` shows those there are",
            typed.escape_debug()
        )),
        (Some(_), Some(_)) => Err(format!(
            "several sessions begin with {begins}; write more of the id"
        )),
    }
}

fn id(session: &LedgerSession) -> String {
    hex(&session.key[..SHOWN])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
