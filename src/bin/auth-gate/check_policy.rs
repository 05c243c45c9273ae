//! `auth-gate check-policy`.

mod print;

use std::net::{IpAddr, Ipv4Addr};

use ngx_http_auth_gate_module::access::{Explanation, Found, Object, Subject};
use ngx_http_auth_gate_module::config::Config;

use crate::cli::{CheckPolicy, Format};
use crate::{Report, disk};

/// An address of documentation (RFC 5737), in no network that a rule would name.
const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The question and what the rules say to it.
struct Answer<'a> {
    arguments: &'a CheckPolicy,
    address: IpAddr,
    visitor: Option<Visitor>,
    /// The cookie domain of the host; without one nothing but 400 is answered there.
    domain: Option<&'a str>,
    found: Found,
    readings: Vec<Explanation>,
}

/// Who asks.
struct Visitor {
    name: String,
    groups: Vec<String>,
    /// Whether the users file has him.
    known: bool,
}

pub fn run(arguments: &CheckPolicy) -> Result<Report, String> {
    let loaded = match disk::load(&arguments.config) {
        Ok(loaded) => loaded,
        Err(problems) => return Ok(Report::bad(problems)),
    };
    let answer = ask(arguments, &loaded.config)?;
    Ok(Report::well(match arguments.format {
        Format::Text => print::text(&answer),
        Format::Json => print::json(&answer),
    }))
}

fn ask<'a>(arguments: &'a CheckPolicy, config: &'a Config) -> Result<Answer<'a>, String> {
    let url = &arguments.url;
    let address = arguments.ip.unwrap_or(NO_ADDRESS).to_canonical();
    let object = Object::new(
        arguments.method.as_bytes(),
        url.scheme.as_bytes(),
        url.host.as_bytes(),
        url.target.as_bytes(),
        address,
    )
    .map_err(|bad| format!("this request is answered with 400, whatever the rules say: {bad}"))?;
    let visitor = visitor(arguments, config);
    let subject = visitor.as_ref().map(|visitor| Subject {
        user: &visitor.name,
        groups: &visitor.groups,
    });
    Ok(Answer {
        arguments,
        address,
        domain: config
            .session
            .domain_of(object.host())
            .map(|(_, cookie)| cookie.realm.domain.as_str()),
        found: config.rules.find(subject.as_ref(), &object),
        readings: config.rules.explain(subject.as_ref(), &object),
        visitor,
    })
}

/// A name is looked up as at a login; groups that were typed go before those of the file.
fn visitor(arguments: &CheckPolicy, config: &Config) -> Option<Visitor> {
    let login = arguments.username.as_deref().unwrap_or("");
    let groups = arguments.groups.clone().map(|groups| {
        groups
            .into_iter()
            .filter(|group| !group.is_empty())
            .collect()
    });
    if login.is_empty() && groups.as_ref().is_none_or(Vec::is_empty) {
        return None;
    }
    let user = config.directory.find(login);
    Some(Visitor {
        name: user.map_or(login, |user| &user.name).into(),
        groups: groups.unwrap_or_else(|| user.map_or(Vec::new(), |user| user.groups.clone())),
        known: user.is_some(),
    })
}
