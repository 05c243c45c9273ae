//! `auth-gate user totp`.

use ngx_http_auth_gate_module::factors::qr;
use ngx_http_auth_gate_module::factors::totp::{Key, Secret, Settings};
use ngx_http_auth_gate_module::store::{Algorithm, Factors, NewTotp, Sqlite, TotpDevice};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{Factor, chosen, removed};
use crate::cli::{FactorList, FactorRemove, ListFormat, TotpAdd, TotpCommand};
use crate::desk::{self, Desk};
use crate::{Report, table};

const WHAT: &str = "TOTP device";

/// What a device is called that nobody gave a name.
const UNNAMED: &str = "Authenticator app";

pub fn run(command: &TotpCommand) -> Result<Report, String> {
    match command {
        TotpCommand::List(arguments) => list(arguments),
        TotpCommand::Add(arguments) => add(arguments),
        TotpCommand::Remove(arguments) => remove(arguments),
    }
}

fn list(arguments: &FactorList) -> Result<Report, String> {
    desk::look(&arguments.config, |desk| {
        let user = arguments.user.as_deref();
        let user = user.map(|typed| has_or_is(desk, typed)).transpose()?;
        let devices = desk.ask(|store| match &user {
            Some(user) => store.totp_devices(user),
            None => store.all_totp_devices(),
        })?;
        Ok(Report::well(match arguments.format {
            ListFormat::Json => json_of(&devices),
            ListFormat::Text if devices.is_empty() => "there are no TOTP devices\n".into(),
            ListFormat::Text => text_of(&devices),
        }))
    })
}

fn text_of(devices: &[TotpDevice]) -> String {
    let row = |found: &TotpDevice| {
        let device = &found.device;
        vec![
            device.user.clone(),
            found.id.to_string(),
            device.name.clone(),
            table::minute(found.created),
            found
                .last_used
                .map_or_else(|| "never".into(), table::minute),
            device.algorithm.word().into(),
            device.digits.to_string(),
            format!("{} s", device.period),
        ]
    };
    let heading = [
        "USER",
        "ID",
        "NAME",
        "ADDED",
        "LAST USED",
        "ALGORITHM",
        "DIGITS",
        "PERIOD",
    ];
    table::text(&heading, &devices.iter().map(row).collect::<Vec<_>>())
}

fn json_of(devices: &[TotpDevice]) -> String {
    let object = |found: &TotpDevice| {
        let device = &found.device;
        json!({
            "user": device.user,
            "id": found.id,
            "name": device.name,
            "created": table::instant(found.created),
            "last_used": found.last_used.map(table::instant),
            "issuer": device.issuer,
            "algorithm": device.algorithm.word(),
            "digits": device.digits,
            "period": device.period,
        })
    };
    table::json(&devices.iter().map(object).collect::<Vec<_>>())
}

fn add(arguments: &TotpAdd) -> Result<Report, String> {
    desk::change(&arguments.config, |desk, store| {
        let user = desk.user(&arguments.user)?;
        let settings = desk.config.second.totp.as_ref().ok_or(
            "totp.disable is true: nobody could use the codes; take it out of the configuration first",
        )?;
        let (name, key) = (
            name(store, &user, arguments.name.as_deref())?,
            new_key(settings)?,
        );
        let new = new_device(&user, &name, settings, &key);
        store
            .add_totp(&new, desk.now, &mut desk::random)
            .map_err(|error| error.to_string())?;
        Ok(Report::well(shown(&user, &name, settings, &key)))
    })
}

/// The name that was given, or one that is free.
fn name(store: &Sqlite, user: &str, given: Option<&str>) -> Result<String, String> {
    if let Some(given) = given {
        return Ok(given.into());
    }
    let devices = store
        .totp_devices(user)
        .map_err(|error| error.to_string())?;
    let is_free = |name: &String| devices.iter().all(|found| found.device.name != *name);
    let numbered = (2..).map(|number| format!("{UNNAMED} {number}"));
    let mut names = std::iter::once(UNNAMED.to_owned()).chain(numbered);
    // Of more names than there are devices one is free.
    Ok(names.find(is_free).unwrap_or_default())
}

fn new_key(settings: &Settings) -> Result<Key, String> {
    let mut bytes = vec![0; settings.secret_size];
    desk::random(&mut bytes);
    Ok(Key {
        secret: Secret::new(bytes).map_err(|error| error.to_string())?,
        parameters: settings.default,
    })
}

fn new_device(user: &str, name: &str, settings: &Settings, key: &Key) -> NewTotp {
    let parameters = &key.parameters;
    let word = parameters.algorithm().word();
    NewTotp {
        user: user.into(),
        name: name.into(),
        issuer: settings.issuer.clone(),
        algorithm: Algorithm::from_word(word).unwrap_or(Algorithm::Sha1),
        digits: parameters.digits().number(),
        period: parameters.period(),
        secret: key.secret.bytes(),
    }
}

/// The secret in every form in which an app takes it.
fn shown(user: &str, name: &str, settings: &Settings, key: &Key) -> String {
    let (uri, base32) = (key.uri(&settings.issuer, user), key.secret.base32());
    let uri = uri.expose_secret();
    // A code too large for a terminal is no reason to keep the address back.
    let code = qr::terminal(uri).unwrap_or_default();
    format!(
        "added \"{name}\" for {user}; this is shown once:\n\n{code}\n\naddress: {uri}\nkey:     {}\n",
        base32.expose_secret()
    )
}

fn remove(arguments: &FactorRemove) -> Result<Report, String> {
    desk::change(&arguments.config, |desk, store| {
        let user = has_or_is(desk, &arguments.user)?;
        let devices = store
            .totp_devices(&user)
            .map_err(|error| error.to_string())?;
        let devices = devices.into_iter().map(|found| Factor {
            id: found.id,
            name: found.device.name,
        });
        let chosen = chosen(devices.collect(), &arguments.which, &user, WHAT)?;
        for factor in &chosen {
            store
                .remove_totp(&user, factor.id)
                .map_err(|error| error.to_string())?;
        }
        Ok(removed(&chosen, &user, WHAT))
    })
}

/// The user who is called so, or who was and still has devices.
fn has_or_is(desk: &Desk, typed: &str) -> Result<String, String> {
    desk.user_or_kept(typed, |store| Ok(!store.totp_devices(typed)?.is_empty()))
}
