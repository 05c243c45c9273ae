//! `auth-gate user app-password`.

use ngx_http_auth_gate_module::config::parse_duration;
use ngx_http_auth_gate_module::portal::app_password;
use ngx_http_auth_gate_module::store::{AppPassword, AppPasswords};
use ngx_http_auth_gate_module::users::app_password::{HostScope, Id, LONGEST_LIFE, RANDOM, Token};
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::{
    AppPasswordAdd, AppPasswordChosen, AppPasswordCommand, AppPasswordRevoke, FactorList,
    ListFormat,
};
use crate::desk::{self, Desk};
use crate::storage::plural;
use crate::{Report, table};

const WHAT: &str = "app password";

pub fn run(command: &AppPasswordCommand) -> Result<Report, String> {
    match command {
        AppPasswordCommand::List(arguments) => list(arguments),
        AppPasswordCommand::Add(arguments) => add(arguments),
        AppPasswordCommand::Revoke(arguments) => revoke(arguments),
    }
}

fn list(arguments: &FactorList) -> Result<Report, String> {
    desk::look(&arguments.config, |desk| {
        let user = arguments.user.as_deref();
        let user = user.map(|typed| has_or_is(desk, typed)).transpose()?;
        let found = desk.ask(|store| match &user {
            Some(user) => store.app_passwords(user),
            None => store.all_app_passwords(),
        })?;
        Ok(Report::well(match arguments.format {
            ListFormat::Json => json_of(&found, desk.now),
            ListFormat::Text if found.is_empty() => "there are no app passwords\n".into(),
            ListFormat::Text => text_of(&found, desk.now),
        }))
    })
}

fn text_of(all: &[AppPassword], now: u64) -> String {
    let row = |one: &AppPassword| {
        let expires = one.expires.map(table::minute);
        vec![
            one.user.clone(),
            id_of(one),
            one.name.clone(),
            table::minute(one.created),
            one.last_used.map_or_else(|| "never".into(), table::minute),
            match expires {
                None => "never".into(),
                Some(end) if is_over(one, now) => format!("{end} (over)"),
                Some(end) => end,
            },
            match one.hosts.is_empty() {
                true => "all".into(),
                false => one.hosts.join(" "),
            },
        ]
    };
    let heading = [
        "USER",
        "ID",
        "NAME",
        "MADE",
        "LAST USED",
        "EXPIRES",
        "HOSTS",
    ];
    table::text(&heading, &all.iter().map(row).collect::<Vec<_>>())
}

fn json_of(all: &[AppPassword], now: u64) -> String {
    let object = |one: &AppPassword| {
        json!({
            "user": one.user,
            "id": id_of(one),
            "name": one.name,
            "created": table::instant(one.created),
            "last_used": one.last_used.map(table::instant),
            "expires": one.expires.map(table::instant),
            "expired": is_over(one, now),
            "hosts": one.hosts,
        })
    };
    table::json(&all.iter().map(object).collect::<Vec<_>>())
}

fn is_over(one: &AppPassword, now: u64) -> bool {
    one.expires.is_some_and(|end| end <= now)
}

fn id_of(one: &AppPassword) -> String {
    Id::from_bytes(&one.id).map_or_else(String::new, |id| id.to_string())
}

fn add(arguments: &AppPasswordAdd) -> Result<Report, String> {
    let hosts = HostScope::of(arguments.host.iter().map(String::as_str))
        .map_err(|error| format!("--host: {error}"))?;
    let lifetime = arguments.expires.as_deref().map(seconds).transpose()?;
    desk::change(&arguments.config, |desk, store| {
        let user = desk.user(&arguments.user)?;
        let limit = limit(desk)?;
        if let Some(most) = limit.filter(|most| lifetime.is_none_or(|wanted| wanted > *most)) {
            return Err(format!(
                "app_passwords.maximum_lifetime allows no more than {most} seconds; write --expires {most} or less"
            ));
        }
        let mut random = Zeroizing::new([0; RANDOM]);
        desk::random(&mut *random);
        let token = Token::new(&random);
        let names = (user, arguments.name.trim().to_owned());
        let new = app_password::kept(&token, names, &hosts, (desk.now, lifetime));
        store
            .add_app_password(&new, &mut desk::random)
            .map_err(|error| error.to_string())?;
        Ok(Report::well(format!(
            "added \"{}\" for {}; this is shown once:\n\n{}\n",
            new.name,
            new.user,
            *token.reveal()
        )))
    })
}

/// The seconds of `--expires`.
fn seconds(text: &str) -> Result<u64, String> {
    match parse_duration(text) {
        Ok(0) => Err("--expires: leaves no time to use it; write for instance 90d".into()),
        Ok(seconds) if seconds > LONGEST_LIFE => Err(
            "--expires: more than a hundred years; leave it out for one that does not end".into(),
        ),
        Ok(seconds) => Ok(seconds),
        Err(error) => Err(format!("--expires: `{text}` {error}")),
    }
}

/// The longest that one may be good for.
fn limit(desk: &Desk) -> Result<Option<u64>, String> {
    let settings = desk.config.account.app_passwords.as_ref().ok_or(
        "app_passwords.disable is true: nobody could use it; take it out of the configuration first",
    )?;
    Ok(settings.maximum_lifetime)
}

fn revoke(arguments: &AppPasswordRevoke) -> Result<Report, String> {
    desk::change(&arguments.config, |desk, store| {
        let user = has_or_is(desk, &arguments.user)?;
        let found = store
            .app_passwords(&user)
            .map_err(|error| error.to_string())?;
        let AppPasswordChosen { name, id, all } = &arguments.which;
        let meant = |one: &AppPassword| {
            *all || name.as_ref() == Some(&one.name) || id.as_ref() == Some(&id_of(one))
        };
        let mut names = Vec::new();
        for one in found.iter().filter(|one| meant(one)) {
            let gone = store.remove_app_password(&user, &one.id);
            names.extend(gone.map_err(|error| error.to_string())?);
        }
        if names.is_empty() {
            return Err(format!(
                "{user} has no such {WHAT}; `auth-gate user app-password list --user {user}` shows those there are"
            ));
        }
        Ok(Report::well(format!(
            "revoked {} of {user}: {}\n",
            plural(names.len(), WHAT),
            names.join(", ")
        )))
    })
}

/// The user who is called so, or who was and still has app passwords.
fn has_or_is(desk: &Desk, typed: &str) -> Result<String, String> {
    desk.user_or_kept(typed, |store| Ok(!store.app_passwords(typed)?.is_empty()))
}
