//! Signing out everywhere: `auth_gate_sign_out` on an application's host, and authentik's place on the portal's host and
//! through a proxy.

use std::fs;

use super::harness::browser::Browser;
use super::harness::form::Form;
use super::harness::question::{ENDPOINTS, connect, written};
use super::harness::visitor::PORTAL;
use super::harness::{Answer, Ask, Gate, Site, Visitor, until};
use super::servers::{Kind, Servers};
use super::shared::{self, at};
use super::storage;

const APP: &str = "app.example.com";
const OUTPOST: &str = "/outpost.goauthentik.io/sign_out";
const LOCATION: &str = "location = /leave { auth_gate_sign_out; }";

/// Where it can be asked for on a guarded site and on the portal.
const PLACES: [(&str, &str); 2] = [(PORTAL, OUTPOST), (APP, "/leave")];

fn bed() -> Site {
    Site::bed().app(LOCATION).server(ENDPOINTS)
}

/// A person opens the page by a link on `site`.
fn opened(host: &str, target: &str, site: &str) -> Ask {
    Ask::page(host, target)
        .with("Sec-Fetch-Mode", "navigate")
        .with("Sec-Fetch-Dest", "document")
        .with("Sec-Fetch-Site", site)
}

fn form(page: &Answer, target: &str) -> Form {
    let all = Form::all(&page.text());
    let ours = all.into_iter().find(|form| form.action.ends_with(target));
    ours.unwrap_or_else(|| panic!("no form to {target}: {}", page.text()))
}

/// That the answer leads to the portal's page, or is it, and clears the cookie of who had one.
fn says_goodbye(gate: &Gate, answer: &Answer, had_cookie: bool) {
    match answer.status {
        200 => assert!(answer.text().contains("You are signed out"), "{answer:?}"),
        status => {
            assert!(matches!(status, 302 | 303), "{answer:?}");
            assert_eq!(answer.location(), gate.url(PORTAL, "/logout"));
            let page = gate.visitor().open(answer.location());
            assert!(page.text().contains("You are signed out"), "{page:?}");
        }
    }
    let cleared = answer.headers_named("Set-Cookie");
    let cleared: Vec<_> = cleared.filter(|it| it.contains("session=;")).collect();
    assert_eq!(cleared.len(), usize::from(had_cookie), "{answer:?}");
}

#[test]
fn a46_whoever_opens_it_leaves_in_every_browser() {
    let gate = bed().workers(2).start();
    for (host, target) in PLACES {
        for site in ["none", "same-origin", "same-site"] {
            let (mut here, there) = (gate.signed_in("alice"), gate.signed_in("alice"));
            let bob = gate.signed_in("bob");
            let stolen = here.clone();
            let answer = here.send(&opened(host, target, site));
            says_goodbye(&gate, &answer, true);
            assert!(
                !here
                    .jar
                    .iter()
                    .any(|cookie| cookie.name.contains("session"))
            );
            for gone in [&stolen, &there] {
                gone.is_refused(APP, "/x");
            }
            bob.is_let_in(APP, "/x");
            // Once more, with nobody signed in.
            says_goodbye(&gate, &here.send(&opened(host, target, site)), false);
        }
    }
    let told = "event=sign_out result=success client=127.0.0.1 count=2 user=\"alice\"";
    assert_eq!(gate.log().matches(told).count(), 6, "{}", gate.log());
}

#[test]
fn a80_what_is_no_navigation_of_a_person_ends_nothing() {
    let gate = bed().start();
    for (host, target) in PLACES {
        let mut alice = gate.signed_in("alice");
        let image = Ask::new("GET", host, target)
            .with("Sec-Fetch-Mode", "no-cors")
            .with("Sec-Fetch-Dest", "image");
        let frame = Ask::page(host, target)
            .with("Sec-Fetch-Mode", "navigate")
            .with("Sec-Fetch-Dest", "iframe")
            .with("Sec-Fetch-Site", "same-site");
        let ahead = opened(host, target, "same-site").with("Sec-Purpose", "prefetch");
        let mut head = opened(host, target, "none");
        head.method = "HEAD".into();
        for ask in [
            image.clone().with("Sec-Fetch-Site", "same-site"),
            image.with("Sec-Fetch-Site", "cross-site"),
            frame,
            ahead,
            head,
            opened(host, target, "cross-site"),
            // A browser that says nothing of the kind.
            Ask::page(host, target),
        ] {
            let answer = alice.send(&ask);
            assert_eq!(answer.status, 200, "{ask:?}: {answer:?}");
            assert!(answer.header("Set-Cookie").is_none(), "{ask:?}");
            if ask.method == "GET" {
                assert!(answer.text().contains("Sign out everywhere?"), "{ask:?}");
            }
            assert!(alice.reaches("/x"), "{ask:?}");
        }
    }
}

#[test]
fn a55_a_form_of_ours_is_asked_for_and_no_other_counts() {
    let gate = bed().start();
    for (host, target) in PLACES {
        let (mut alice, other) = (gate.signed_in("alice"), gate.signed_in("alice"));
        let mut bob = gate.signed_in("bob");
        let url = gate.url(host, target);
        let forms = form(&bob.page(host, target), target);
        let login = alice.page(PORTAL, "/logout");
        let single = form(&login, "/logout").fields;
        let own = form(&alice.page(host, target), target);
        for fields in [
            vec![],
            forms.fields,
            single,
            vec![("token".into(), "x".into())],
        ] {
            let answer = alice.send(&Ask::form(host, target, &fields));
            assert_eq!(answer.status, 403, "{fields:?}: {answer:?}");
            assert!(answer.text().contains("Sign out everywhere?"));
            assert!(alice.reaches("/x"), "{fields:?}");
        }
        let mut foreign = Visitor::submission(&url, &own);
        foreign
            .headers
            .retain(|(name, _)| !name.starts_with("Sec-Fetch") && name != "Origin");
        let foreign = foreign.with("Origin", "https://evil.test");
        assert_eq!(alice.send(&foreign).status, 403);
        assert!(alice.reaches("/x"));
        let answer = alice.submit(&url, &own);
        assert_eq!(answer.status, 303, "{answer:?}");
        says_goodbye(&gate, &answer, true);
        other.is_refused(APP, "/x");
        assert!(bob.reaches("/x"));
    }
}

#[test]
fn a_location_that_signs_out_is_never_guarded_and_does_nothing_else() {
    let server =
        "server { @listen@ server_name app.example.org; location / { auth_gate_sign_out; } }
        server { @clear@ server_name app.example.com; location / { auth_gate_sign_out; } }";
    let app = "auth_gate_policy deny;
        location /x { auth_gate_policy bypass; @proxy@ }
        location ~ ^/(leave|api/health|assets/.*|api/authz/auth-request)$ {
            auth_gate_sign_out;
            if ($arg_a) { set $x 1; }
        }
        location /deep/ { auth_gate_sign_out; }";
    let gate = Site::bed().app(app).server(server).start();
    for target in [
        "/leave",
        "/leave?a=1",
        "/api/health",
        "/assets/webauthn.js",
        "/api/authz/auth-request",
        "/deep/x/y",
    ] {
        let mut alice = gate.signed_in("alice");
        let page = alice.page(APP, target);
        assert!(
            page.text().contains("Sign out everywhere?"),
            "{target}: {page:?}"
        );
        says_goodbye(&gate, &alice.send(&opened(APP, target, "none")), true);
        says_goodbye(&gate, &gate.page(APP, target), false);
        for method in ["PUT", "DELETE", "OPTIONS"] {
            let answer = gate.send(&Ask::new(method, APP, target));
            let told = (answer.status, answer.header("Allow"));
            assert_eq!(told, (405, Some("GET, HEAD, POST")), "{method}");
        }
    }
    // A path that reads like another host is no place to send the token to.
    let alice = gate.signed_in("alice");
    let cookie = &alice.cookie_header(APP)[0].1;
    let bytes = format!(
        "GET //deep//evil.test/ HTTP/1.1\r\nHost: {APP}\r\nAccept: text/html\r\nCookie: {cookie}\r\n\r\n"
    );
    let page = gate.raw(APP, bytes);
    let own = Form::all(&page.text());
    assert!(own[0].action.starts_with(&gate.url(APP, "/")), "{page:?}");
    // A body of any length is not waited for.
    let long = Ask::new("POST", APP, "/leave").with_body(vec![b'x'; 20_000]);
    assert_eq!(gate.send(&long).status, 413);
    assert_eq!(
        gate.page("app.example.org", "/").status,
        400,
        "no cookie domain"
    );
}

#[test]
fn a81_nobody_is_signed_out_over_plain_http() {
    let server =
        "server { @clear@ server_name app.example.com; location / { auth_gate_sign_out; } }
        server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }";
    let gate = Site::bed().server(server).start();
    let mut alice = gate.signed_in("alice");
    for (host, target) in PLACES {
        let ask = opened(host, target, "none");
        let bytes = ask.bytes(&alice.cookie_header(host));
        let answer = gate.connect_plain().send(bytes).answer();
        assert_eq!(
            (answer.status, answer.header("Set-Cookie")),
            (400, None),
            "{host}"
        );
        assert!(answer.text().contains("auth_gate_scheme"), "{answer:?}");
    }
    assert!(alice.reaches("/x"));
}

/// What a proxy in front of an application sends, as authentik documents it for nginx.
fn proxied(visitor: &Visitor<'_>, method: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = visitor.cookie_header(APP);
    headers.push(("X-Original-URL".into(), format!("https://{APP}{OUTPOST}")));
    headers.extend(
        more.iter()
            .map(|(name, value)| ((*name).into(), (*value).into())),
    );
    let bytes = written(method, OUTPOST, APP, headers.iter());
    let answer = connect(visitor.gate)
        .send(bytes)
        .try_answer(method == "HEAD");
    answer.expect("an answer")
}

#[test]
fn a46_a80_through_a_proxy_a_person_leaves_everywhere_and_an_image_nowhere() {
    let gate = bed().start();
    let person = [
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let image = [
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Dest", "image"),
        ("Sec-Fetch-Site", "same-site"),
    ];
    let (mut alice, other) = (gate.signed_in("alice"), gate.signed_in("alice"));
    for (method, headers) in [("GET", &image[..]), ("GET", &[]), ("HEAD", &person)] {
        let answer = proxied(&alice, method, headers);
        let asked = (
            answer.status,
            answer.location(),
            answer.header("Set-Cookie"),
        );
        assert_eq!(
            asked,
            (302, gate.url(PORTAL, OUTPOST).as_str(), None),
            "{method}"
        );
        assert!(alice.reaches("/x"));
    }
    let posted = proxied(&alice, "POST", &person);
    assert_eq!(
        (posted.status, posted.header("Allow")),
        (405, Some("GET, HEAD"))
    );
    // What a visitor claims of the host chooses among cookie domains at most.
    let elsewhere = [
        person[0],
        person[1],
        person[2],
        ("X-Forwarded-Host", "evil.test"),
    ];
    let answer = proxied(&alice, "GET", &elsewhere);
    says_goodbye(&gate, &answer, true);
    for gone in [&alice, &other] {
        gone.is_refused(APP, "/x");
    }
    says_goodbye(&gate, &proxied(&gate.visitor(), "GET", &person), false);
    let nowhere = written("GET", OUTPOST, "evil.test", [].iter());
    assert_eq!(connect(&gate).send(nowhere).answer().status, 404);
}

#[test]
fn at_a_portal_that_is_asked_on_another_host_people_are_sent_to_its_own() {
    let server = "server {
        @clear@
        server_name _;
        auth_gate_scheme https;
        location / { auth_gate_portal; }
    }";
    let gate = Site::bed().server(server).start();
    let (mut alice, other) = (gate.signed_in("alice"), gate.signed_in("alice"));
    let ask = |visitor: &Visitor<'_>, ask: &Ask| {
        let bytes = ask.bytes(&visitor.cookie_header(APP));
        gate.connect_plain().send(bytes).answer()
    };
    let image = Ask::new("GET", APP, OUTPOST).with("Sec-Fetch-Mode", "no-cors");
    let answer = ask(&alice, &image);
    let told = (answer.status, answer.location());
    assert_eq!(told, (302, gate.url(PORTAL, OUTPOST).as_str()));
    assert!(alice.reaches("/x"));
    says_goodbye(
        &gate,
        &ask(&alice, &opened(APP, OUTPOST, "same-origin")),
        true,
    );
    for gone in [&alice, &other] {
        gone.is_refused(APP, "/x");
    }
}

#[test]
fn a80_in_a_browser_an_image_does_nothing_a_link_leaves_and_another_site_makes_it_ask() {
    let server = "server { @listen@ server_name app.example.org; location / { @proxy@ } }";
    let gate = bed().server(server).start();
    let leave = gate.url(APP, "/leave");
    let html = format!(
        "<img src=\"{leave}\" onerror=\"document.title='seen'\"><a href=\"{leave}\">leave</a>"
    );
    gate.backend().on("/page", move |_, peer| {
        peer.answer("200 OK", "Content-Type: text/html\r\n", &html)
    });
    let mut browser = Browser::start(&gate);
    for (neighbour, asks) in [("public.example.com", false), ("app.example.org", true)] {
        let wanted = gate.url(APP, "/x");
        browser.open(&wanted);
        browser.wait_for_url(&gate.url(PORTAL, "/"));
        browser.sign_in("alice", "password");
        browser.wait_for_url(&wanted);
        let mut other = gate.signed_in("alice");
        browser.open(&gate.url(neighbour, "/page"));
        browser.wait("the image", "document.title === 'seen'");
        assert_eq!(other.page(APP, "/x").status, 200);
        browser.click("a");
        if asks {
            browser.wait_for_url(&leave);
            assert_eq!(other.page(APP, "/x").status, 200);
            assert!(browser.text().contains("Sign out everywhere?"));
            browser.click("form button");
        }
        browser.wait_for_url(&gate.url(PORTAL, "/logout"));
        assert!(browser.text().contains("You are signed out"));
        assert_eq!(other.page(APP, "/x").status, 302);
    }
}

#[test]
fn a46_every_machine_knows_at_once() {
    let servers = Servers::start(Kind::Tcp);
    let [one, two] = [1, 2].map(|_| shared::site(&servers).app(LOCATION).workers(2).start());
    let mut alice = one.signed_in("alice");
    let mut others = [two.signed_in("alice"), at(&two, &alice)];
    for other in &mut others {
        assert_eq!(other.page(APP, "/x").status, 200);
    }
    says_goodbye(&one, &alice.send(&opened(APP, "/leave", "none")), true);
    for other in &mut others {
        until("the end at the other machine", || {
            (0..8)
                .all(|_| other.page(APP, "/x").status == 302)
                .then_some(())
        });
    }
    two.signed_in("alice").is_let_in(APP, "/x");
}

#[test]
fn a45_who_left_everywhere_stays_away_after_a_restart() {
    let gate = storage::bed().app(LOCATION).start();
    let (mut alice, other) = (gate.signed_in("alice"), gate.signed_in("alice"));
    let stolen = alice.clone();
    says_goodbye(&gate, &alice.send(&opened(APP, "/leave", "none")), true);
    for _ in 0..2 {
        for gone in [&stolen, &other] {
            gone.is_refused(APP, "/x");
        }
        gate.restart();
    }
}

#[test]
fn a73_while_the_store_is_out_who_leaves_is_gone_here_and_then_everywhere() {
    let gate = storage::bed().app(LOCATION).start();
    let (here, away) = (gate.prefix().join("store"), gate.prefix().join("away"));
    let (mut alice, other) = (gate.signed_in("alice"), gate.signed_in("alice"));
    let stolen = alice.clone();
    let bob = gate.signed_in("bob");
    fs::rename(&here, &away).unwrap();
    let answer = alice.send(&opened(APP, "/leave", "none"));
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("Retry-After").is_some());
    assert!(
        !alice
            .jar
            .iter()
            .any(|cookie| cookie.name.contains("session"))
    );
    for mut gone in [stolen.clone(), other.clone()] {
        assert!(!gone.reaches("/x"), "it ended here");
    }
    fs::rename(&away, &here).unwrap();
    until("the store to be back", || {
        gate.visitor().sign_in("bob", "password").is(200)
    });
    for _ in 0..2 {
        for mut gone in [stolen.clone(), other.clone()] {
            until("the end to be known", || {
                (!gone.reaches("/x")).then_some(())
            });
        }
        gate.restart();
    }
    bob.is_let_in(APP, "/x");
}

#[test]
fn a74_mistakes_stop_nginx_with_a_sentence() {
    let refuses = |app: &str, said: &[&str]| {
        Site::bed().app(app).check().refused(said);
    };
    refuses(
        "location /x { auth_gate_sign_out; auth_gate_sign_out; }",
        &["auth_gate_sign_out", "duplicate"],
    );
    for other in ["auth_gate_portal", "auth_gate_endpoints"] {
        for both in [[other, "auth_gate_sign_out"], ["auth_gate_sign_out", other]] {
            let [first, second] = both;
            refuses(
                &format!("location /x {{ {first}; {second}; }}"),
                &[second, "beside", first, "location of its own"],
            );
        }
    }
    for other in ["proxy_pass http://127.0.0.1:9;", "auth_gate_metrics;"] {
        refuses(
            &format!("location /x {{ auth_gate_sign_out; {other} }}"),
            &["auth_gate_sign_out", "location of its own"],
        );
    }
    refuses("auth_gate_sign_out;", &["not allowed here"]);
    refuses(
        "location /x { auth_gate_sign_out on; }",
        &["invalid number of arguments"],
    );
    Site::bed()
        .http_only("")
        .app_only("")
        .public(LOCATION)
        .portal("")
        .check()
        .refused(&["auth_gate_sign_out", "need \"auth_gate_config FILE;\""]);
    bed().check().taken_silently();
}
