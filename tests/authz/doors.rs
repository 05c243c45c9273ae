//! What each endpoint makes of a request before the rooms see it.

use super::recorded::Line;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ngx_http_auth_gate_module::access::{BadObject, Object};
use ngx_http_auth_gate_module::config::Config;
use std::net::IpAddr;

/// What is asked for, in the endpoint's eyes.
pub struct Asked {
    pub method: String,
    pub scheme: String,
    pub host: String,
    pub target: String,
    pub address: IpAddr,
}

/// What came of a credential in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    None,
    Good,
    Bad,
}

impl Asked {
    pub fn object(&self) -> Result<Object<'_>, BadObject> {
        let [method, scheme, host, target] =
            [&self.method, &self.scheme, &self.host, &self.target].map(|text| text.as_bytes());
        Object::new(method, scheme, host, target, self.address)
    }
}

/// The status of the answer to what cannot be judged.
pub fn bad(line: &Line) -> u16 {
    if line.door == "verify" { 401 } else { 400 }
}

/// What `line` asks for; `None` where a header is missing that the endpoint cannot do without. The
/// recorder asked over plain http. Authelia loses the query at ext-authz; `query` keeps it.
pub fn asked(line: &Line, query: bool) -> Option<Asked> {
    let dropped = |header: &str| line.drop.as_deref() == Some(header);
    // Without `url` none of the headers came that make one.
    let addressless = dropped("url") || dropped("host") || dropped("proto");
    let peer = IpAddr::from([127, 0, 0, 1]);
    let first = line.ip.split(',').next().and_then(|ip| ip.parse().ok());
    let mut asked = Asked {
        method: line.method.clone(),
        scheme: line.scheme.clone(),
        host: line.host.clone(),
        target: line.target.clone(),
        address: first.filter(|_| !dropped("ip")).unwrap_or(peer),
    };
    match line.door.as_str() {
        "auth-request" if dropped("method") || dropped("url") => return None,
        "auth-request" => {}
        "forward-auth" if dropped("method") || addressless => return None,
        "forward-auth" => {
            if dropped("uri") {
                asked.target.clear();
            }
        }
        "ext-authz" if dropped("proto") => return None,
        "ext-authz" => {
            asked.host.make_ascii_lowercase();
            let end = asked.target.find('?').filter(|_| !query);
            asked.target.truncate(end.unwrap_or(asked.target.len()));
        }
        "verify" => {
            let whole = line.target.len() % 2 == 1;
            if dropped("url") || !whole && addressless {
                return None;
            }
            if dropped("method") {
                asked.method = "GET".into();
            }
            if !whole && (dropped("uri") || line.target.is_empty()) {
                asked.target = own_target(line);
            }
        }
        door => panic!("no door {door}"),
    }
    Some(asked)
}

/// The target of the question to `/api/verify` itself.
fn own_target(line: &Line) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(portal) = &line.portal {
        query.append_pair("rd", portal);
    }
    if line.auth_basic {
        query.append_pair("auth", "basic");
    }
    let query = query.finish();
    if query.is_empty() {
        "/api/verify".into()
    } else {
        format!("/api/verify?{query}")
    }
}

/// Whether `given` may be the portal of the cookie domain `domain`. Authelia takes http here too;
/// `https` does not.
pub fn is_portal(given: &str, domain: &str, https: bool) -> bool {
    let Ok(url) = url::Url::parse(given) else {
        return false;
    };
    let inside = url
        .host_str()
        .is_some_and(|host| host == domain || host.ends_with(&format!(".{domain}")));
    inside && (!https || url.scheme() == "https")
}

/// What the endpoint makes of the credential in its header, and whose it is.
pub fn header<'c>(config: &'c Config, line: &Line) -> (Credential, Option<&'c str>) {
    let value = match line.door.as_str() {
        "verify" if line.auth_basic => match line.authorization.as_deref() {
            None | Some("") => return (Credential::Bad, None),
            value => value,
        },
        "verify" => line.proxy_authorization.as_deref(),
        _ => line.authorization.as_deref(),
    };
    match value {
        None | Some("") => (Credential::None, None),
        Some(value) => match basic(config, value) {
            Some(user) => (Credential::Good, Some(user)),
            None => (Credential::Bad, None),
        },
    }
}

fn basic<'c>(config: &'c Config, value: &str) -> Option<&'c str> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    let user = config.directory.find(name)?;
    (scheme.eq_ignore_ascii_case("basic") && user.password.verify(password.as_bytes()))
        .then_some(user.name.as_str())
}

/// Whether the path of `target` holds a control character once decoded.
pub fn has_control_character(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    percent_encoding::percent_decode_str(path).any(|byte| byte.is_ascii_control())
}
