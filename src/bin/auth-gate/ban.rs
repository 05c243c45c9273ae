//! `auth-gate ban`.

use std::net::IpAddr;

use ngx_http_auth_gate_module::store::{self, BannedBy, Command, Target};
use ngx_http_auth_gate_module::users::regulation::counted_as;
use serde_json::json;

use crate::cli::{self, BanAdd, BanCommand, BanList, BanRevoke, Held, ListFormat};
use crate::desk::{self, AnyLedger, Desk};
use crate::{Report, table};

pub fn run(arguments: &cli::Ban) -> Result<Report, String> {
    match &arguments.command {
        BanCommand::List(arguments) => list(arguments),
        BanCommand::Add(arguments) => add(arguments),
        BanCommand::Revoke(arguments) => revoke(arguments),
    }
}

fn list(arguments: &BanList) -> Result<Report, String> {
    desk::look_at_sessions(&arguments.config, |desk| {
        let bans = desk.ask(|store| store.bans(desk.now))?;
        Ok(Report::well(match arguments.format {
            ListFormat::Json => json_of(&bans),
            ListFormat::Text if bans.is_empty() => "nobody is banned\n".into(),
            ListFormat::Text => text_of(&bans),
        }))
    })
}

fn text_of(bans: &[store::Ban]) -> String {
    let rows: Vec<_> = bans
        .iter()
        .map(|ban| {
            let (kind, who) = match &ban.target {
                Target::User(name) => ("user", name.clone()),
                Target::Address(address) => ("ip", network(*address)),
            };
            vec![
                kind.into(),
                who,
                table::minute(ban.until),
                table::minute(ban.created),
                ban.by.word().into(),
            ]
        })
        .collect();
    table::text(&["KIND", "WHO", "UNTIL", "SINCE", "BY"], &rows)
}

fn json_of(bans: &[store::Ban]) -> String {
    let objects: Vec<_> = bans
        .iter()
        .map(|ban| {
            let (user, ip) = match &ban.target {
                Target::User(name) => (Some(name), None),
                Target::Address(address) => (None, Some(network(*address))),
            };
            json!({
                "user": user,
                "ip": ip,
                "until": table::instant(ban.until),
                "created": table::instant(ban.created),
                "by": ban.by.word(),
            })
        })
        .collect();
    table::json(&objects)
}

fn add(arguments: &BanAdd) -> Result<Report, String> {
    desk::change_sessions(&arguments.config, |desk, store| {
        let target = match &arguments.whom {
            Held {
                user: Some(typed), ..
            } => Target::User(desk.user(typed)?),
            Held { ip, .. } => Target::Address(counted_as(ip.ok_or("name somebody")?)),
        };
        let who = named(&target);
        let until = desk.now.saturating_add(arguments.time);
        let ban = store::Ban {
            target,
            until,
            created: desk.now,
            by: BannedBy::Administrator,
        };
        let placed = store.place_order(&Command::Ban(ban), 0, desk.now);
        placed.map_err(|error| error.to_string())?;
        Ok(Report::well(format!(
            "banned {who} until {}; a running nginx follows within two seconds\n",
            table::minute(until)
        )))
    })
}

fn revoke(arguments: &BanRevoke) -> Result<Report, String> {
    desk::change_sessions(&arguments.config, |desk, store| {
        let target = match &arguments.whom {
            Held {
                user: Some(typed), ..
            } => Target::User(banned_or_is(desk, typed)?),
            Held { ip, .. } => Target::Address(counted_as(ip.ok_or("name somebody")?)),
        };
        let who = named(&target);
        let revoked = store.place_order(&Command::Revoke(target), 0, desk.now);
        let revoked = revoked.map_err(|error| error.to_string())?;
        Ok(Report::well(match revoked {
            0 => format!("{who} was not banned; failed logins are forgotten within two seconds\n"),
            _ => {
                format!("took back the ban of {who}; a running nginx follows within two seconds\n")
            }
        }))
    })
}

/// The user who is called so, or who was and is still banned.
fn banned_or_is(desk: &Desk<AnyLedger>, typed: &str) -> Result<String, String> {
    desk.user_or_kept(typed, |store| {
        let bans = store.bans(desk.now)?;
        let target = Target::User(typed.into());
        Ok(bans.iter().any(|ban| ban.target == target))
    })
}

fn named(target: &Target) -> String {
    match target {
        Target::User(name) => name.clone(),
        Target::Address(address) => network(*address),
    }
}

/// What counts as one address.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{address}/64"),
    }
}
