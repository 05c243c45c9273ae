//! Networks: named ones of `definitions.network` and the old `access_control.networks`, and those
//! of a rule.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use super::report::{At, Report};
use super::values::nearest;
use super::yaml::Value;

/// Networks by name.
pub(super) type Networks = BTreeMap<String, Vec<IpNet>>;

/// The networks of the rule at `at`.
pub(super) fn rule_networks(at: &At<'_>, known: &Networks, report: &mut Report) -> Vec<IpNet> {
    let mut found = Vec::new();
    for item in at.list("networks") {
        let Some(text) = item.text() else { continue };
        if let Some(named) = known.get(text) {
            found.extend(named);
        } else if let Some(network) = network(text) {
            found.push(network);
        } else {
            let hint = match nearest(text, known.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write for instance 10.0.0.0/8, or define the name in definitions.network"
                    .into(),
            };
            report.error(
                &item,
                format!("`{text}` is neither a network nor the name of one; {hint}"),
            );
        }
    }
    found
}

/// Every named network: `definitions.network` and the old `access_control.networks`.
pub(super) fn networks(root: &At<'_>, report: &mut Report) -> Networks {
    let mut networks = Networks::new();
    if let Some(defined) = root.get("definitions.network") {
        for entry in defined.entries() {
            define(
                &defined.entry(entry),
                &defined.entry(entry),
                &entry.key,
                &mut networks,
                report,
            );
        }
    }
    for item in root
        .get("access_control.networks")
        .map_or(Vec::new(), |at| at.items())
    {
        match item
            .get("name")
            .and_then(|at| at.filled().map(|name| (at, name)))
        {
            Some((at, name)) => {
                let value = item.get("networks").unwrap_or_else(|| item.clone());
                define(&at, &value, name, &mut networks, report);
            }
            None => report.error(&item, "has no name; write for instance `name: internal`"),
        }
    }
    networks
}

fn define(
    name_at: &At<'_>,
    value: &At<'_>,
    name: &str,
    networks: &mut Networks,
    report: &mut Report,
) {
    let mut found = Vec::new();
    let items = if matches!(value.node.value, Value::Map(_)) {
        Vec::new()
    } else {
        value.items()
    };
    if items.is_empty() {
        report.error(
            name_at,
            format!(
                "the network `{name}` has no addresses, so that a rule that names \
                it would hold everywhere; write for instance 10.0.0.0/8"
            ),
        );
    }
    for item in items {
        let Some(text) = item.text() else { continue };
        match network(text) {
            Some(network) => found.push(network),
            None => report.error(
                &item,
                format!("`{text}` is no network; write for instance 10.0.0.0/8 or 10.1.2.3"),
            ),
        }
    }
    if networks.insert(name.into(), found).is_some() {
        report.error(
            name_at,
            format!("the network `{name}` is defined twice; keep one of them"),
        );
    }
}

/// A network or a single address; IPv4 within IPv6 is IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    if let IpNet::V6(v6) = network
        && let (Some(v4), Some(length)) =
            (v6.addr().to_ipv4_mapped(), v6.prefix_len().checked_sub(96))
    {
        return Ipv4Net::new(v4, length).ok().map(IpNet::V4);
    }
    Some(network)
}
