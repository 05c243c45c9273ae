//! The authorization endpoints in the portal room: whose session says who asks.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use ngx_http_auth_gate_module::portal::{Doorway, Headers, Portal, Request, Theme};

use super::world::{NOW, settings};

/// The domain of the cookie that counts for a request to `host` with that raw target.
fn realm(host: &str, target: &str, headers: &[(&str, &str)], only: bool) -> Option<String> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let path = target.split('?').next().unwrap_or_default();
    let request = Request {
        method: b"GET",
        path,
        query: None,
        host,
        scheme: "https",
        base: "",
        headers: Headers::default(),
        body: b"",
        address: Ipv4Addr::LOCALHOST.into(),
        now: NOW,
        doorway: Some(Doorway {
            target: Cow::Borrowed(target.as_bytes()),
            headers: headers.collect(),
            trusted: false,
            only,
        }),
    };
    let portal = Portal::new(settings(Theme::Light));
    portal.realm_of(&request).map(|realm| realm.domain.clone())
}

#[test]
fn the_cookie_of_the_address_that_is_asked_about_counts() {
    let asked = |url| [("X-Original-Method", "GET"), ("X-Original-URL", url)];
    let ours = Some("example.com".to_owned());
    let endpoint = "/api/authz/auth-request";
    let about_app = asked("https://app.example.com/x");
    for only in [false, true] {
        assert_eq!(realm("auth.internal", endpoint, &about_app, only), ours);
        for elsewhere in ["https://app.example.net/x", "http://app.example.com/x", ""] {
            assert_eq!(
                realm("auth.example.com", endpoint, &asked(elsewhere), only),
                None
            );
        }
    }
    // What is no endpoint is the portal's, where there is one.
    assert_eq!(
        realm("auth.example.com", "/api/state", &about_app, false),
        ours
    );
    assert_eq!(
        realm("auth.internal", "/api/state", &about_app, false),
        None
    );
    assert_eq!(
        realm("auth.example.com", "/api/state", &about_app, true),
        None
    );
}
