//! Without TLS there is no portal and no gate, unless the administrator says where TLS ends.

use serde_json::{Value, json};

use super::harness::{Ask, Site};

const APP: &str = "app.example.com";
const PORTAL: &str = "auth.example.com";

#[test]
fn a81_no_password_is_taken_over_plain_http() {
    let plain = "server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }
        server { @clear@ server_name app.example.com; auth_gate on; location / { @proxy@ } }";
    let gate = Site::bed().server(plain).start();
    let body = json!({"username": "alice", "password": "password"});
    let fields = [("username", "alice"), ("password", "password")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
    let asks = [
        Ask::page(PORTAL, "/"),
        Ask::api("POST", PORTAL, "/api/firstfactor", &body),
        Ask::form(PORTAL, "/", &fields),
        Ask::page(PORTAL, "/logout"),
        Ask::api("GET", PORTAL, "/api/state", &Value::Null),
        Ask::page(APP, "/x"),
        Ask::page(APP, "/public/x"),
    ];
    let session = gate.signed_in("alice").cookie_header(APP);
    for ask in asks {
        for cookies in [&[][..], &session] {
            let answer = gate.connect_plain().send(ask.bytes(cookies)).answer();
            assert_eq!(answer.status, 400, "{ask:?}");
            assert!(answer.header("Set-Cookie").is_none(), "{ask:?}");
        }
    }
    let page = gate
        .connect_plain()
        .send(Ask::page(PORTAL, "/").bytes(&[]))
        .answer();
    assert!(
        page.text().contains("auth_gate_scheme"),
        "the page says what to set: {}",
        page.text()
    );
    let health = gate
        .connect_plain()
        .send(Ask::new("GET", PORTAL, "/api/health").bytes(&[]))
        .answer();
    assert_eq!(health.status, 200);
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a81_tls_that_ends_before_nginx_is_declared() {
    let plain = "auth_gate_scheme https;
        server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }
        server { @clear@ server_name app.example.com; auth_gate on; location / { @proxy@ } }";
    let gate = Site::bed().server(plain).start();
    let session = gate.signed_in("alice").cookie_header(APP);
    assert_eq!(
        gate.connect_plain()
            .send(Ask::page(APP, "/x").bytes(&session))
            .answer()
            .status,
        200
    );
    let challenge = gate
        .connect_plain()
        .send(Ask::page(APP, "/x").bytes(&[]))
        .answer();
    assert!(
        challenge.status == 302
            && challenge
                .location()
                .contains("rd=https%3A%2F%2Fapp.example.com%2Fx"),
        "{challenge:?}"
    );
}
