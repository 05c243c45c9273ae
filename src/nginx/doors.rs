//! The authorization endpoints as nginx sees them: their directives, and what a request to one of
//! them carries into the portal room.

use std::{net::IpAddr, rc::Rc};

use ipnet::IpNet;

use super::{
    conf::{LocationConf, ServerConf},
    directive::{Directive, Mistake},
    portal,
    request::Request,
};
use crate::portal::{Doorway, Here, may_be_endpoint, may_be_outpost};

/// The peers that are believed where nobody names others: this machine and private networks.
const PRIVATE: [&str; 6] = [
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
];

/// `auth_gate_endpoints`.
pub fn set_endpoints(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    portal::take_location(directive, conf, "auth_gate_endpoints")?;
    conf.endpoints = true;
    Ok(())
}

/// `auth_gate_sign_out`.
pub fn set_sign_out(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    portal::take_location(directive, conf, "auth_gate_sign_out")?;
    conf.sign_out = true;
    Ok(())
}

/// `auth_gate_trusted_proxies`.
pub fn set_trusted_proxies(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let networks = directive.texts()?.into_iter().map(|word| {
        network(word).ok_or_else(|| {
            Mistake::Says(format!(
                "has no network \"{word}\": write addresses such as 192.0.2.7 or networks such as 10.0.0.0/8"
            ))
        })
    });
    let networks = networks.collect::<Result<Vec<_>, _>>()?;
    if conf.trusted_proxies.is_some() {
        return Err(Mistake::Duplicate);
    }
    conf.trusted_proxies = Some(networks.into());
    Ok(())
}

fn network(word: &str) -> Option<IpNet> {
    let network = match word.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => word.parse::<IpNet>().ok()?,
    };
    // A network whose address has bits behind its prefix is a slip of the pen.
    (network.trunc() == network).then_some(network)
}

/// Those of a location that names none.
pub fn private_networks() -> Rc<[IpNet]> {
    PRIVATE
        .iter()
        .filter_map(|network| network.parse().ok())
        .collect()
}

/// Whether the request can be one to an endpoint.
pub fn are_meant(request: Request<'_>) -> bool {
    let location = request.location();
    location.endpoints || base(location).is_some_and(|base| is_below(&request.target(), base))
}

/// What the request carries for an endpoint, if it can be one to any, or to what stands beside them.
pub fn doorway(request: Request<'_>) -> Option<Doorway<'_>> {
    let location = request.location();
    if !are_meant(request) && !location.sign_out && !is_for_outpost(request) {
        return None;
    }
    let client = request.client();
    let trusted = location.trusted_proxies.as_deref().unwrap_or_default();
    Some(Doorway {
        target: request.target(),
        headers: request.named_headers().collect(),
        trusted: trusted.iter().any(|network| network.contains(&client)),
        only: location.endpoints,
        here: Here {
            sign_out: location.sign_out,
            application: location.application.as_deref(),
            backend_basic: location
                .backend_basic
                .as_ref()
                .map(|basic| (&*basic.user, &*basic.password)),
        },
    })
}

/// Whether the request can be one to what authentik's outpost serves.
fn is_for_outpost(request: Request<'_>) -> bool {
    let target = request.target();
    let below = base(request.location()).and_then(|base| target.strip_prefix(base.as_bytes()));
    below.is_some_and(may_be_outpost)
}

/// Whether a path with `..` has left the endpoints: an ext-authz request carries the visitor's path
/// behind its own, and where nginx goes after cleaning it, nobody has decided anything.
pub fn has_left(request: Request<'_>) -> bool {
    let server: &ServerConf = request.server();
    if server.doors.is_empty() || request.raw().internal() == 1 {
        return false;
    }
    let (target, path) = (request.target(), request.path());
    let mut bases = server.doors.iter();
    bases.any(|base| is_below(&target, base) && !is_below(path, base))
}

fn base(location: &LocationConf) -> Option<&str> {
    location.portal.as_deref()
}

fn is_below(target: &[u8], base: &str) -> bool {
    target
        .strip_prefix(base.as_bytes())
        .is_some_and(may_be_endpoint)
}
