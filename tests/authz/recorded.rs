//! The recording: its configuration, its requests and their answers.

use ngx_http_auth_gate_module::config::{self, Config, Loader};
use ngx_http_auth_gate_module::users::{HeaderSet, User};
use serde::Deserialize;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// A request as a visitor sent it to a site, and what the endpoint that the site asked answered.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// The endpoint: auth-request, forward-auth, ext-authz or verify.
    pub door: String,
    pub method: String,
    pub scheme: String,
    pub host: String,
    pub target: String,
    /// What `X-Forwarded-For` said.
    pub ip: String,
    pub accept: Option<String>,
    pub xhr: Option<String>,
    pub user: Option<String>,
    pub level: u8,
    pub cookie_domain: Option<String>,
    pub authorization: Option<String>,
    pub proxy_authorization: Option<String>,
    pub session_username: Option<String>,
    /// A portal that the request names.
    pub portal: Option<String>,
    /// Whether `/api/verify` was asked with `auth=basic`.
    #[serde(default)]
    pub auth_basic: bool,
    /// A header that was left out.
    pub drop: Option<String>,
    pub answer: Answer,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    #[serde(rename = "www-authenticate")]
    pub authenticate: Option<String>,
    #[serde(rename = "remote-user")]
    pub remote_user: Option<String>,
    #[serde(rename = "remote-groups")]
    pub remote_groups: Option<String>,
    #[serde(rename = "remote-name")]
    pub remote_name: Option<String>,
    #[serde(rename = "remote-email")]
    pub remote_email: Option<String>,
}

impl Answer {
    pub fn status(status: u16) -> Answer {
        Answer {
            status,
            location: None,
            authenticate: None,
            remote_user: None,
            remote_groups: None,
            remote_name: None,
            remote_email: None,
        }
    }

    /// Leave to go on, and who it is.
    pub fn allow(user: Option<&User>) -> Answer {
        let value = |place| {
            let value = HeaderSet::Remote.own_value(user?, place);
            value.map(str::to_owned)
        };
        Answer {
            remote_user: value(0),
            remote_groups: value(1),
            remote_name: value(2),
            remote_email: value(3),
            ..Answer::status(200)
        }
    }

    /// The challenge to a client that came with a header.
    pub fn by_header() -> Answer {
        Answer {
            authenticate: Some("Basic realm=\"Authorization Required\"".into()),
            ..Answer::status(401)
        }
    }
}

pub fn lines() -> Vec<Line> {
    include_str!("recorded.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect()
}

pub fn config() -> Config {
    let loaded = config::load(Path::new("/etc/gate/configuration.yml"), &Files);
    loaded
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .config
}

struct Files;

impl Loader for Files {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        match path.to_str() {
            Some("/etc/gate/configuration.yml") => Ok(include_bytes!("configuration.yml").to_vec()),
            Some("/etc/gate/users.yml") => Ok(include_bytes!("users.yml").to_vec()),
            _ => Err(Error::from(ErrorKind::NotFound)),
        }
    }

    fn env(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}
