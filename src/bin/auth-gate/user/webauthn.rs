//! `auth-gate user webauthn`.

use ngx_http_auth_gate_module::store::{Credential, Factors};
use serde_json::json;

use super::{Factor, chosen, removed};
use crate::cli::{FactorList, FactorRemove, ListFormat, WebauthnAdd, WebauthnCommand};
use crate::desk::{self, Desk};
use crate::{Report, table};

const WHAT: &str = "security key";

pub fn run(command: &WebauthnCommand) -> Result<Report, String> {
    match command {
        WebauthnCommand::List(arguments) => list(arguments),
        WebauthnCommand::Add(arguments) => add(arguments),
        WebauthnCommand::Remove(arguments) => remove(arguments),
    }
}

fn list(arguments: &FactorList) -> Result<Report, String> {
    desk::look(&arguments.config, |desk| {
        let user = arguments.user.as_deref();
        let user = user.map(|typed| has_or_is(desk, typed)).transpose()?;
        let keys = desk.ask(|store| match &user {
            Some(user) => store.credentials(user),
            None => store.all_credentials(),
        })?;
        Ok(Report::well(match arguments.format {
            ListFormat::Json => json_of(&keys),
            ListFormat::Text if keys.is_empty() => "there are no security keys\n".into(),
            ListFormat::Text => text_of(&keys),
        }))
    })
}

fn text_of(keys: &[Credential]) -> String {
    let row = |found: &Credential| {
        let key = &found.credential;
        vec![
            key.user.clone(),
            found.id.to_string(),
            key.name.clone(),
            table::minute(found.created),
            found
                .last_used
                .map_or_else(|| "never".into(), table::minute),
            if key.discoverable { "yes" } else { "no" }.into(),
            key.rp_id.clone(),
            if key.clone_warning {
                "may be copied"
            } else {
                ""
            }
            .into(),
        ]
    };
    let heading = [
        "USER",
        "ID",
        "NAME",
        "ADDED",
        "LAST USED",
        "PASSKEY",
        "FOR",
        "WARNING",
    ];
    table::text(&heading, &keys.iter().map(row).collect::<Vec<_>>())
}

fn json_of(keys: &[Credential]) -> String {
    let object = |found: &Credential| {
        let key = &found.credential;
        json!({
            "user": key.user,
            "id": found.id,
            "name": key.name,
            "created": table::instant(found.created),
            "last_used": found.last_used.map(table::instant),
            "rp_id": key.rp_id,
            "discoverable": key.discoverable,
            "aaguid": key.aaguid,
            "attachment": key.attachment,
            "transports": key.transports,
            "sign_count": key.sign_count,
            "clone_warning": key.clone_warning,
            "backup_eligible": key.backup_eligible,
            "backup_state": key.backup_state,
        })
    };
    table::json(&keys.iter().map(object).collect::<Vec<_>>())
}

fn add(arguments: &WebauthnAdd) -> Result<Report, String> {
    desk::look(&arguments.config, |desk| {
        let user = desk.user(&arguments.user)?;
        if desk.config.second.webauthn.is_none() {
            return Err("webauthn.disable is true: nobody could use a key; take it out of the configuration first".into());
        }
        let addresses = desk.config.session.cookies.iter();
        let addresses = addresses.filter_map(|cookie| cookie.authelia_url.as_ref());
        let pages: Vec<String> = addresses
            .map(|url| {
                format!(
                    "  {}/settings/two-factor\n",
                    url.as_str().trim_end_matches('/')
                )
            })
            .collect();
        if pages.is_empty() {
            return Err(
                "no cookie domain names its authelia_url, so there is no page to add a key on"
                    .into(),
            );
        }
        Ok(Report::well(format!(
            "a key is added with the browser that it is plugged into: {user} signs in and opens\n{}",
            pages.concat()
        )))
    })
}

fn remove(arguments: &FactorRemove) -> Result<Report, String> {
    desk::change(&arguments.config, |desk, store| {
        let user = has_or_is(desk, &arguments.user)?;
        let keys = store
            .credentials(&user)
            .map_err(|error| error.to_string())?;
        let keys = keys.into_iter().map(|found| Factor {
            id: found.id,
            name: found.credential.name,
        });
        let chosen = chosen(keys.collect(), &arguments.which, &user, WHAT)?;
        for factor in &chosen {
            store
                .remove_credential(&user, factor.id)
                .map_err(|error| error.to_string())?;
        }
        Ok(removed(&chosen, &user, WHAT))
    })
}

/// The user who is called so, or who was and still has keys.
fn has_or_is(desk: &Desk, typed: &str) -> Result<String, String> {
    desk.user_or_kept(typed, |store| Ok(!store.credentials(typed)?.is_empty()))
}
