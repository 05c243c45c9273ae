//! An nginx that was set up as Authelia's documentation says: with another address in it, and with the gate inside.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::sites::{CONFIGURATION, example_behind};
use super::super::{PASSWORD, WIKI, fitted, installed};
use super::{Guest, gate, listener};
use crate::nginx::harness::backend::Backend;
use crate::nginx::harness::{Ask, Gate};

/// What these snippets come to.
const PROXY: &str = "proxy_set_header Host $host;
proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-URI $request_uri;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_http_version 1.1;
real_ip_header X-Forwarded-For;
real_ip_recursive on;
";

const LOCATION: &str = "set $upstream_authelia http://@asked@/api/authz/auth-request;
location /internal/authelia/authz {
    internal;
    proxy_pass $upstream_authelia;
    proxy_set_header X-Original-Method $request_method;
    proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header Content-Length \"\";
    proxy_set_header Connection \"\";
    proxy_pass_request_body off;
    proxy_http_version 1.1;
}
";

const AUTHREQUEST: &str = "auth_request /internal/authelia/authz;
auth_request_set $user $upstream_http_remote_user;
auth_request_set $groups $upstream_http_remote_groups;
auth_request_set $name $upstream_http_remote_name;
auth_request_set $email $upstream_http_remote_email;
proxy_set_header Remote-User $user;
proxy_set_header Remote-Groups $groups;
proxy_set_header Remote-Email $email;
proxy_set_header Remote-Name $name;
auth_request_set $redirection_url $upstream_http_location;
error_page 401 =302 $redirection_url;
";

/// A site that uses them, and stays as it is.
const SITE: &str = "server {
    listen 443 ssl;
    server_name wiki.*;
    ssl_certificate auth-gate/example.com.crt;
    ssl_certificate_key auth-gate/example.com.key;
    include snippets/authelia-location.conf;
    set $upstream http://127.0.0.1:8080;
    location / {
        include snippets/proxy.conf;
        include snippets/authelia-authrequest.conf;
        proxy_pass $upstream;
    }
}
";

/// What the README writes into the two files and into that of the portal's site.
const MOVED: [&str; 3] = [
    "# snippets/authelia-location.conf: nothing is asked any more.\n",
    "# snippets/authelia-authrequest.conf, all of it.\nauth_gate on;\n",
    "# site-confs/auth.conf, in place of all its locations.\nlocation / {\n    auth_gate_portal;\n}\n",
];

fn goes_round(gate: &Gate, front: &Gate) {
    let stranger = Guest::stranger(front);
    let challenge = stranger.is_kept_out(&Ask::page(WIKI, "/deep?x=1"));
    assert_eq!(challenge.status, 302);
    let mut bob = gate.visitor();
    let back = bob.sign_in_by_form(challenge.location(), "bob", PASSWORD);
    assert_eq!(back.location(), front.url(WIKI, "/deep?x=1"));
    let bob = Guest::known(front, &bob);
    let forged = Ask::page(WIKI, "/deep").with("Remote-User", "alice");
    assert_eq!(bob.send(&forged).status, 200);
    let seen = front.backend().take_one();
    let told = ["User", "Groups"].map(|what| seen.all(&format!("Remote-{what}")));
    assert_eq!(told, [["bob"], ["readers"]]);
    assert_eq!(stranger.is_kept_out(&forged).status, 302);
}

#[test]
fn authelias_nginx_asks_here_as_it_asked_there() {
    let gate = gate();
    let location = LOCATION.replace("@asked@", &listener(&gate).to_string());
    let files = [
        ("conf.d/wiki.conf", SITE),
        ("snippets/proxy.conf", PROXY),
        ("snippets/authelia-location.conf", &location),
        ("snippets/authelia-authrequest.conf", AUTHREQUEST),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let front = installed(&files, "").start();
    goes_round(&gate, &front);
}

/// The portal's site with the gate in it, and the site beside it.
fn moved() -> String {
    let [_, _, portal] = MOVED;
    format!(
        "auth_gate_config auth-gate/configuration.yml;
server {{
    listen 443 ssl;
    server_name auth.*;
    ssl_certificate auth-gate/example.com.crt;
    ssl_certificate_key auth-gate/example.com.key;
    {portal}
}}
{SITE}"
    )
}

#[test]
fn authelias_nginx_guards_itself_with_three_files_changed() {
    let readme = include_str!("../../../../README.md");
    for text in MOVED {
        assert!(readme.contains(text), "README.md does not say:\n{text}");
    }
    let [location, authrequest, _] = MOVED;
    let snippets = [
        ("snippets/proxy.conf", PROXY),
        ("snippets/authelia-location.conf", location),
        ("snippets/authelia-authrequest.conf", authrequest),
    ];
    let gate = example_behind(&moved(), CONFIGURATION, "", &snippets).start();
    goes_round(&gate, &gate);
}

#[test]
fn a_site_that_moves_is_never_open() {
    // Authelia, to which nobody has signed in.
    let authelia = Backend::start(Ipv4Addr::LOCALHOST);
    authelia.on("/api/authz/auth-request", |_, peer| {
        let location = "Location: https://auth.example.com/?rd=x\r\n";
        peer.answer("401 Unauthorized", location, "")
    });
    let location = LOCATION.replace("@asked@", &authelia.address.to_string());
    let [empty, authrequest, _] = MOVED;
    let before = [
        ("modules-enabled/90-auth-gate.conf", "# Not yet."),
        ("conf.d/example.conf", SITE),
        ("snippets/proxy.conf", PROXY),
        ("snippets/authelia-location.conf", &location),
        ("snippets/authelia-authrequest.conf", AUTHREQUEST),
    ];
    let front = example_behind("", CONFIGURATION, "", &before).start();

    let moving = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let visits = scope.spawn(|| {
            let stranger = Guest::stranger(&front);
            let mut visits = 0;
            while moving.load(Ordering::Relaxed) || visits == 0 {
                // A connection that an old worker closes as it goes has no answer.
                if let Ok(answer) = stranger.try_send(&Ask::page(WIKI, "/x")) {
                    assert_eq!(answer.status, 302, "{answer:?}");
                }
                visits += 1;
            }
        });
        let load = "load_module modules/ngx_http_auth_gate_module.so;";
        for (path, text) in [
            ("modules-enabled/90-auth-gate.conf", load),
            ("snippets/authelia-location.conf", empty),
            ("snippets/authelia-authrequest.conf", authrequest),
            ("conf.d/example.conf", &moved()),
        ] {
            front.replace(path, &fitted(text));
        }
        let reloaded = front.reload();
        moving.store(false, Ordering::Relaxed);
        visits.join().expect("every visitor is sent away");
        reloaded.expect("nginx takes it");
    });
    assert!(front.backend().take().is_empty());
    goes_round(&front, &front);
}
