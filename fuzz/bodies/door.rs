//! The body of the fuzz target `door`: a request to an authorization endpoint, the raw target in the first line and
//! a header in each that follows.

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Result};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::LazyLock;

use ngx_http_auth_gate_module::config::{self, Loader};
use ngx_http_auth_gate_module::portal::{Doorway, Headers, Here, Portal, Request};

const CONFIGURATION: &str = "authentication_backend: {file: {path: users.yml}}
session:
  cookies: [{domain: example.com, authelia_url: 'https://auth.example.com'}]
access_control: {rules: [{domain: app.example.com, policy: one_factor}]}
storage: {encryption_key: a-storage-key-of-some-length, local: {path: /db.sqlite3}}
server:
  endpoints:
    authz:
      auth-request: {implementation: AuthRequest, authn_strategies: [{name: HeaderAuthorization, schemes: [Basic, Bearer]}, {name: CookieSession}]}
      forward-auth: {implementation: ForwardAuth}
      ext-authz: {implementation: ExtAuthz}
      legacy: {implementation: Legacy}
";
const USERS: &str = "users:
  alice:
    displayname: Alice
    password: '$argon2id$v=19$m=1024,t=1,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'
";

struct Files;

impl Loader for Files {
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        match path.to_str() {
            Some("/c.yml") => Ok(CONFIGURATION.into()),
            Some("/users.yml") => Ok(USERS.into()),
            _ => Err(Error::from(ErrorKind::NotFound)),
        }
    }

    fn env(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

static PORTAL: LazyLock<Portal> = LazyLock::new(|| {
    let loaded = config::load(Path::new("/c.yml"), &Files);
    let loaded = loaded.unwrap_or_else(|problems| panic!("{problems:?}"));
    Portal::new(loaded.config.portal_settings())
});

/// Whatever comes, a session of a domain that is asked about counts, or none, and nobody is sent elsewhere
/// than to the portal.
pub fn run(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let target = lines.next().unwrap_or_default();
    let headers = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii()))
    });
    let mark = target.iter().position(|byte| *byte == b'?');
    let request = Request {
        method: b"GET",
        path: "/?",
        query: mark.map(|mark| &target[mark + 1..]),
        host: "auth.internal",
        scheme: "https",
        base: "",
        headers: Headers::default(),
        body: b"",
        address: Ipv4Addr::LOCALHOST.into(),
        now: 1_800_000_000,
        doorway: Some(Doorway {
            target: Cow::Borrowed(target),
            headers: headers.collect(),
            trusted: true,
            only: true,
            here: Here::default(),
        }),
    };
    let still = PORTAL.still(&request);
    if let Some(location) = still.and_then(|answer| answer.location) {
        assert!(
            location.starts_with("https://auth.example.com/"),
            "{location}"
        );
    }
    if let Some(realm) = PORTAL.realm_of(&request) {
        assert_eq!(realm.domain, "example.com");
        let told = |data: &[u8]| String::from_utf8_lossy(data).to_lowercase();
        assert!(told(data).contains("example.com"), "{}", told(data));
    }
}
