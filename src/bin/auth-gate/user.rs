//! `auth-gate user`.

mod app_password;
mod totp;
mod webauthn;

use crate::Report;
use crate::cli::{self, Chosen, UserCommand};
use crate::storage::plural;

pub fn run(arguments: &cli::User) -> Result<Report, String> {
    match &arguments.command {
        UserCommand::Totp { command } => totp::run(command),
        UserCommand::Webauthn { command } => webauthn::run(command),
        UserCommand::AppPassword { command } => app_password::run(command),
    }
}

/// A factor of one user, as it is chosen.
struct Factor {
    id: i64,
    name: String,
}

/// Those of a user's factors that were meant; `what` they are called.
fn chosen(
    factors: Vec<Factor>,
    which: &Chosen,
    user: &str,
    what: &str,
) -> Result<Vec<Factor>, String> {
    let meant = |factor: &Factor| {
        let by_name = which.name.as_ref().is_some_and(|name| *name == factor.name);
        which.all || by_name || which.id == Some(factor.id)
    };
    let found: Vec<Factor> = factors.into_iter().filter(meant).collect();
    if found.is_empty() {
        let list = if what == "TOTP device" {
            "totp"
        } else {
            "webauthn"
        };
        return Err(format!(
            "{user} has no such {what}; `auth-gate user {list} list --user {user}` shows those there are"
        ));
    }
    Ok(found)
}

/// What was removed, in words.
fn removed(factors: &[Factor], user: &str, what: &str) -> Report {
    let names: Vec<_> = factors.iter().map(|factor| &*factor.name).collect();
    Report::well(format!(
        "removed {} of {user}: {}\n",
        plural(factors.len(), what),
        names.join(", ")
    ))
}
