//! What becomes of a credential in a header: taken out where the gate has read it, untouched where it has not.

use super::harness::counted::METRICS;
use super::harness::exposition::Exposition;
use super::harness::question::basic;
use super::harness::{Ask, Connection, Gate, Seen, Site, Visitor};

const APP: &str = "app.example.com";

fn asked(target: &str, value: &str) -> Ask {
    Ask::page(APP, target).with("Authorization", value)
}

/// What the backend saw of it.
fn seen(gate: &Gate, ask: &Ask) -> Seen {
    gate.backend().take();
    let answer = gate.send(ask);
    assert_eq!(answer.status, 200, "{answer:?}");
    gate.backend().take_one()
}

fn with_cookie(mut ask: Ask, visitor: &Visitor<'_>) -> Ask {
    ask.headers.extend(visitor.cookie_header(APP));
    ask
}

#[test]
fn a39_what_was_read_is_taken_out() {
    let app = "
        location /shown/ { @proxy@ proxy_set_header X-Shown $http_authorization; }
        location /looked/ { if ($http_authorization = none) { return 204; } @proxy@ proxy_set_header X-Shown $http_authorization; }
        location /named/ { @proxy@ proxy_set_header X-Name $remote_user; proxy_set_header Authorization $http_authorization; }
        location /proxy/ { auth_gate_credentials proxy_basic; @proxy@ proxy_set_header X-Shown $http_proxy_authorization; }";
    let gate = Site::bed().app(app).start();
    let pair = basic("alice", "password");
    for target in ["/x", "/shown/", "/looked/", "/named/"] {
        let seen = seen(&gate, &asked(target, &pair));
        assert!(
            !format!("{seen:?}").contains(&pair[6..]),
            "{target}: {seen:?}"
        );
        assert!(seen.all("Authorization").is_empty(), "{target}");
        assert_eq!(seen.one("Remote-User"), "alice");
    }
    assert_eq!(seen(&gate, &asked("/named/", &pair)).one("X-Name"), "alice");
    let proxy = Ask::page(APP, "/proxy/").with("Proxy-Authorization", &pair);
    let other = "Bearer of the application";
    let seen = seen(&gate, &proxy.with("Authorization", other));
    assert!(!format!("{seen:?}").contains(&pair[6..]), "{seen:?}");
    assert_eq!(
        seen.one("Authorization"),
        other,
        "that one is not read here"
    );
}

#[test]
fn a39_what_backends_take_for_a_header_that_was_read_goes_with_it() {
    let app = "location /proxy/ { auth_gate_credentials proxy_basic; @proxy@ }";
    let odd = "underscores_in_headers on; ignore_invalid_headers off;";
    let gate = Site::bed().http(odd).app(app).start();
    let pair = basic("alice", "password");
    let ask = |target: &str, name: &str, like: &[&str]| {
        let ask = Ask::page(APP, target).with(name, &pair);
        let forged = |ask: Ask, like: &&str| ask.with(like, "Basic forged");
        like.iter().fold(ask, forged)
    };
    let proxy = ["Proxy_Authorization", "PROXY.authorization"];
    for ask in [
        ask("/proxy/", "Proxy-Authorization", &proxy),
        ask("/x", "Authorization", &["Authorization_"]),
    ] {
        let seen = seen(&gate, &ask);
        assert_eq!(seen.one("Remote-User"), "alice");
        assert!(!format!("{seen:?}").contains("forged"), "{seen:?}");
    }
}

#[test]
fn a39_what_was_not_read_arrives_byte_for_byte() {
    let app = "location /cookie/ { auth_gate_credentials cookie; @proxy@ }
        location /open/ { auth_gate_policy bypass; @proxy@ }
        location /free/ { auth_gate_unauthenticated ^/free/; @proxy@ }
        location /off/ { auth_gate off; @proxy@ }";
    let gate = Site::bed().app(app).start();
    let alice = gate.signed_in("alice");
    let pair = basic("bob", "wrong");
    for (target, value) in [
        ("/x", "Bearer eyJhbGciOiJub25lIn0.e30."),
        ("/x", "Digest username=\"bob\", realm=\"x\""),
        ("/x", "Basicx Ym9iOng="),
        ("/x", "token"),
        ("/cookie/", &pair),
        ("/open/", &pair),
        ("/free/", &pair),
        ("/off/", &pair),
        ("/public/x", &pair),
        ("/public/x", "Basic !"),
    ] {
        let seen = seen(&gate, &with_cookie(asked(target, value), &alice));
        assert_eq!(seen.one("Authorization"), value, "{target}");
        let user = if target == "/off/" { "" } else { "alice" };
        assert_eq!(seen.one("Remote-User"), user, "{target}");
    }
    assert!(!gate.log().contains("method=basic"), "nothing was checked");
    let proxy = Ask::page(APP, "/x").with("Proxy-Authorization", &pair);
    let seen = seen(&gate, &with_cookie(proxy, &alice));
    assert_eq!(seen.one("Proxy-Authorization"), pair);
}

#[test]
fn a39_other_protocols_get_none_either() {
    let app = "location /php/ { include @prefix@/fastcgi.inc; fastcgi_pass @fastcgi@; }
        location /uwsgi/ { include @prefix@/uwsgi.inc; uwsgi_pass @uwsgi@; }";
    let params = |word: &str| {
        format!(
            "{word} REQUEST_METHOD $request_method; {word} QUERY_STRING $query_string; {word} REQUEST_URI $request_uri; {word} REMOTE_USER $remote_user;"
        )
    };
    let gate = Site::bed()
        .app(app)
        .file("fastcgi.inc", &params("fastcgi_param"))
        .file("uwsgi.inc", &params("uwsgi_param"))
        .start();
    let pair = basic("alice", "password");
    for target in ["/php/x", "/uwsgi/x"] {
        let answer = gate.send(&asked(target, &pair));
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        let text = answer.text();
        assert!(!text.contains("AUTHORIZATION"), "{target}: {text}");
        assert!(
            text.contains("REMOTE_USER") && text.contains("alice"),
            "{text}"
        );
    }
}

#[test]
fn a_login_of_the_backend_takes_the_place_of_what_was_read() {
    let users = "users:
  alice:
    displayname: Alice
    password: '$argon2id$v=19$m=1024,t=1,p=1$YXV0aC1nYXRlLXRlc3RzIQ$JBfjCQ7wzJSaim9E7HmE+1b9mFM8QLimo7LPK4BNnN8'
    email: alice@example.com
    attributes: { nas_user: box, nas_password: sesame }";
    let app = "location /nas/ { auth_gate_backend_basic nas_user nas_password; @proxy@ }
        location /again/ { auth_gate_backend_basic nas_user nas_password; error_page 404 = /nas/second; proxy_intercept_errors on; @proxy@ }
        location /inner/ { auth_gate_backend_basic nas_user nas_password; try_files /nowhere @named; }
        location @named { auth_gate_backend_basic nas_user nas_password; @proxy@ }";
    let gate = Site::bed().users(users).app(app).start();
    let own = asked("/nas/x", &basic("alice", "password"));
    assert_eq!(
        seen(&gate, &own).one("Authorization"),
        basic("box", "sesame")
    );
    // What we have added is nobody's credential when the request is judged again.
    gate.backend()
        .on("/again/x", |_, peer| peer.answer("404 Not Found", "", ""));
    let alice = gate.signed_in("alice");
    for ask in [
        asked("/again/x", &basic("alice", "password")),
        with_cookie(Ask::page(APP, "/again/x"), &alice),
    ] {
        gate.backend().take();
        assert_eq!(gate.send(&ask).status, 200);
        for seen in gate.backend().take() {
            assert_eq!(
                seen.one("Authorization"),
                basic("box", "sesame"),
                "{seen:?}"
            );
            assert_eq!(seen.one("Remote-User"), "alice");
        }
    }
    for ask in [
        asked("/inner/x", &basic("alice", "password")),
        with_cookie(Ask::page(APP, "/inner/x"), &alice),
    ] {
        assert_eq!(
            seen(&gate, &ask).one("Authorization"),
            basic("box", "sesame")
        );
    }
    assert!(!gate.log().contains("method=basic"), "{}", gate.log());
}

#[test]
fn an_internal_redirect_is_judged_again_by_what_its_target_reads() {
    let app = "location /first/ { proxy_intercept_errors on; error_page 404 = /second/; @proxy@ }
        location /second/ { auth_gate_credentials basic; @proxy@ }
        location /third/ { proxy_intercept_errors on; error_page 404 = /cookie/; @proxy@ }
        location /cookie/ { auth_gate_credentials cookie; @proxy@ }
        location /fourth/ { auth_gate_credentials cookie; proxy_intercept_errors on; error_page 404 = /second/; @proxy@ }";
    let gate = Site::bed().app(app).server(METRICS).start();
    for path in ["/first/x", "/third/x", "/fourth/x"] {
        gate.backend()
            .on(path, |_, peer| peer.answer("404 Not Found", "", ""));
    }
    let alice = gate.signed_in("alice");
    let hashes = || Exposition::of_gate(&gate).get("hashes_total", &[("result", "done")]);
    let before = hashes();
    let pair = basic("bob", "password");
    let both = |target: &str| with_cookie(asked(target, &pair), &alice);
    let users = |ask: &Ask| {
        gate.backend().take();
        let answer = gate.send(ask);
        let seen = gate.backend().take();
        let users = seen.iter().map(|seen| seen.one("Remote-User").to_owned());
        (answer.status, users.collect::<Vec<_>>())
    };
    assert_eq!(
        users(&both("/first/x")),
        (200, vec!["bob".into(), "bob".into()])
    );
    assert_eq!(hashes() - before, 1.0, "one request is one hash");
    assert_eq!(
        users(&both("/third/x")),
        (200, vec!["bob".into(), "alice".into()])
    );
    let (status, seen) = users(&asked("/third/x", &pair));
    assert_eq!((status, seen), (302, vec!["bob".to_owned()]));
    assert_eq!(
        users(&both("/fourth/x")),
        (200, vec!["alice".into(), "bob".into()])
    );
}

#[test]
fn auth_basic_beside_the_gate_keeps_its_header() {
    let app = "location /staff/ { auth_basic staff; auth_basic_user_file @prefix@/htpasswd; @proxy@ proxy_set_header X-Name $remote_user; }
        location /either/ { satisfy any; deny all; @proxy@ }";
    let gate = Site::bed()
        .app(app)
        .file("htpasswd", "staff:{PLAIN}secret\n")
        .start();
    let alice = gate.signed_in("alice");
    let staff = basic("staff", "secret");
    let seen = seen(&gate, &with_cookie(asked("/staff/", &staff), &alice));
    assert_eq!(seen.one("Authorization"), staff);
    assert_eq!(
        (seen.one("Remote-User"), seen.one("X-Name")),
        ("alice", "alice")
    );
    let answer = gate.send(&asked("/staff/", &basic("alice", "password")));
    assert_eq!(
        answer.header("WWW-Authenticate"),
        Some("Basic realm=\"staff\"")
    );
    assert!(!gate.log().contains("method=basic"));
    assert!(gate.backend().take().is_empty());
    // The gate is asked last, and its challenge is the answer.
    let answer = gate.send(&asked("/either/", &basic("alice", "password")));
    assert_eq!(answer.status, 200);
    gate.backend().take();
    let answer = gate.send(&asked("/either/", "Basic !"));
    assert_eq!(answer.status, 401);
    assert!(answer.header("WWW-Authenticate").is_some(), "{answer:?}");
}

#[test]
fn a75_where_somebody_else_opens_the_header_is_not_read() {
    let app = "location /any/ { satisfy any; allow all; @proxy@ }";
    let gate = Site::bed().app(app).start();
    let alice = gate.signed_in("alice");
    let wrong = basic("bob", "wrong");
    let seen = seen(&gate, &with_cookie(asked("/any/", &wrong), &alice));
    assert_eq!(
        (seen.one("Authorization"), seen.one("Remote-User")),
        (wrong.as_str(), "alice")
    );
    assert!(!gate.log().contains("method=basic"));
}

#[test]
fn a49_no_password_is_taken_over_plain_http() {
    let server = "server { listen @address@:8088; server_name app.example.com; auth_gate on; location / { @proxy@ } }";
    let gate = Site::bed().server(server).start();
    let address = std::net::SocketAddr::from((gate.address().ip, 8088));
    let ask = asked("/x", &basic("alice", "password"));
    let answer = Connection::plain(address).send(ask.bytes(&[])).answer();
    assert_eq!(answer.status, 400);
    assert!(gate.backend().take().is_empty());
}

#[test]
fn a17_subrequests_are_judged_by_what_is_known() {
    let app = "location /page { ssi on; ssi_types text/plain; @proxy@ }
        location /part { @proxy@ }
        location /shell { auth_gate_policy bypass; ssi on; ssi_types text/plain; @proxy@ }";
    let gate = Site::bed().app(app).start();
    for page in ["/page", "/shell"] {
        gate.backend().on(page, |_, peer| {
            let page = "before <!--# include virtual=\"/part\" --> after";
            peer.answer("200 OK", "Content-Type: text/plain\r\n", page)
        });
    }
    gate.backend().on("/part", |seen, peer| {
        let user = seen.one("Remote-User").to_owned();
        peer.answer(
            "200 OK",
            "Content-Type: text/plain\r\n",
            &format!("[part of {user}]"),
        )
    });
    let pair = basic("alice", "password");
    let text = gate.send(&asked("/page", &pair)).text();
    assert!(text.contains("[part of alice]"), "{text}");
    let text = gate.send(&asked("/shell", &pair)).text();
    assert!(
        text.contains("before") && !text.contains("[part"),
        "not checked, so not shown: {text}"
    );
}
