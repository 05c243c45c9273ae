//! What an authorization endpoint cannot answer: each is refused, and one line of the log names the header at fault.

use super::harness::Site;
use super::harness::question::{ENDPOINTS, Question, ask, basic, connect, every, written};

/// Endpoint, what is changed about a good request, and what the log says then.
const FAULTS: &str = r#"
auth-request | drop X-Original-Method | X-Original-Method is missing
auth-request | drop X-Original-URL | X-Original-URL is missing
auth-request | add X-Original-Method: GET | X-Original-Method came more than once
auth-request | add X-Original-URL: https://public.example.com/ | X-Original-URL came more than once
auth-request | set X-Original-Method: get | X-Original-Method: method
auth-request | set X-Original-Method:  | X-Original-Method: method
auth-request | set X-Original-URL:  | X-Original-URL is not an absolute
auth-request | set X-Original-URL: /a | X-Original-URL is not an absolute
auth-request | set X-Original-URL: ://public.example.com/ | X-Original-URL is not an absolute
auth-request | set X-Original-URL: http://public.example.com/ | X-Original-URL names a scheme
auth-request | set X-Original-URL: https:///a | X-Original-URL: host
auth-request | set X-Original-URL: https://a@public.example.com/ | X-Original-URL: host
auth-request | set X-Original-URL: https://public.example.com/%00 | X-Original-URL: request target
auth-request | set X-Original-URL: https://public.example.com#/ | X-Original-URL has a path
auth-request | set X-Original-URL: https://other.example.net/ | X-Original-URL names host other.example.net
auth-request | query authelia_url= | authelia_url is not an https address
auth-request | query authelia_url=https%3A%2F%2Fevil.test%2F | authelia_url is not an https address
auth-request | query authelia_url=http%3A%2F%2Fauth.example.com%2F | authelia_url is not an https address
auth-request | query authelia_url=https%3A%2F%2Fauth.example.com%2F&authelia_url=x | authelia_url is given more than once
auth-request | twice X-Forwarded-For: 192.0.2.1 | X-Forwarded-For came more than once
forward-auth | drop X-Forwarded-Method | X-Forwarded-Method is missing
forward-auth | drop X-Forwarded-Host | X-Forwarded-Host is missing
forward-auth | drop X-Forwarded-Proto | X-Forwarded-Proto (missing
forward-auth | set X-Forwarded-Proto:  | X-Forwarded-Proto names a scheme
forward-auth | set X-Forwarded-Proto: http | X-Forwarded-Proto names a scheme
forward-auth | add X-Forwarded-Proto: https | X-Forwarded-Proto came more than once
forward-auth | add X-Forwarded-Host: public.example.com | X-Forwarded-Host came more than once
forward-auth | add X-Forwarded-URI: / | X-Forwarded-URI came more than once
forward-auth | set X-Forwarded-Host: public.example.com, public.example.com | X-Forwarded-Host: host
forward-auth | set X-Forwarded-Host:  | X-Forwarded-Host: host
forward-auth | set X-Forwarded-URI: a | X-Forwarded-URI has a path
forward-auth | set X-Forwarded-URI: /#a | X-Forwarded-URI: request target
ext-authz    | drop X-Forwarded-Proto | X-Forwarded-Proto (missing
ext-authz    | add X-Forwarded-Proto: https | X-Forwarded-Proto came more than once
ext-authz    | add X-Authelia-URL: https://evil.test/ | X-Authelia-URL is not an https address
ext-authz    | add X-Authelia-URL:  | X-Authelia-URL is not an https address
legacy       | add X-Original-URL:  | X-Original-URL is not an absolute
legacy       | add X-Original-URL: nonsense | X-Original-URL is not an absolute
legacy       | add X-Original-URL: https://app.example.com/ | X-Original-URL and X-Forwarded-Host name different
legacy       | add X-Original-URL: https://public.example.com/b | X-Original-URL and X-Forwarded-URI name different
legacy       | add X-Original-URL: wss://public.example.com/ | X-Original-URL and X-Forwarded-Proto name different
legacy       | drop X-Forwarded-Proto | X-Forwarded-Proto (missing
legacy       | drop X-Forwarded-Host | Host names host auth.internal
legacy       | add X-Forwarded-Method: GET | X-Forwarded-Method came more than once
legacy       | query rd=x | rd is not an https address
legacy       | query rd= | rd is not an https address
outpost-nginx | drop X-Original-URL | X-Original-URL is missing
outpost-nginx | add X-Original-URL: https://public.example.com/ | X-Original-URL came more than once
outpost-nginx | set X-Original-URL: /a | X-Original-URL is not an absolute
outpost-nginx | set X-Original-URL: http://public.example.com/ | X-Original-URL names a scheme
outpost-nginx | set X-Original-URL: https://a@public.example.com/ | X-Original-URL: host
outpost-nginx | set X-Original-URL: https://public.example.com/%00 | X-Original-URL: request target
outpost-nginx | set X-Original-URL: https://other.example.net/ | X-Original-URL names host other.example.net
outpost-nginx | twice X-Forwarded-For: 192.0.2.1 | X-Forwarded-For came more than once
outpost-traefik | drop X-Forwarded-Method | X-Forwarded-Method is missing
outpost-traefik | drop X-Forwarded-Host | X-Forwarded-Host is missing
outpost-traefik | drop X-Forwarded-Proto | X-Forwarded-Proto (missing
outpost-traefik | add X-Forwarded-URI: / | X-Forwarded-URI came more than once
outpost-caddy | set X-Forwarded-Proto: http | X-Forwarded-Proto names a scheme
outpost-caddy | set X-Forwarded-Method: get | X-Forwarded-Method: method
outpost-caddy | set X-Forwarded-URI: a | X-Forwarded-URI has a path
outpost-envoy | drop X-Forwarded-Proto | X-Forwarded-Proto (missing
outpost-envoy | add X-Forwarded-Proto: https | X-Forwarded-Proto came more than once
"#;

fn changed(question: &Question, change: &str) -> Vec<u8> {
    let (method, mut target, host, mut headers) = question.form();
    let (what, change) = change.split_once(' ').unwrap();
    let (name, value) = change.split_once(':').unwrap_or((change, ""));
    let header = (name.to_owned(), value.trim().to_owned());
    match what {
        "query" => target += &format!("?{change}"),
        "twice" => headers.extend([header.clone(), header]),
        "add" => headers.push(header),
        _ => {
            headers.retain(|(known, _)| known != name);
            headers.extend((what == "set").then_some(header));
        }
    }
    written(&method, &target, &host, headers.iter())
}

#[test]
fn a_header_that_is_not_as_it_should_be_is_a_refusal_and_a_line_that_names_it() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let good = |door| Question::new(door, "public.example.com", "/");
    for door in every() {
        assert_eq!(ask(&gate, &good(door)).status, 200, "{door}");
    }
    let mut count = 0;
    for line in FAULTS.lines().filter(|line| !line.is_empty()) {
        let [door, change, named] = line.splitn(3, " | ").collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let door = every().find(|known| *known == door.trim()).unwrap();
        let answer = connect(&gate).send(changed(&good(door), change)).answer();
        let wanted = if door == "legacy" { 401 } else { 400 };
        assert_eq!((answer.status, answer.location()), (wanted, ""), "{line}");
        let log = gate.log();
        let lines: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("event=misask"))
            .collect();
        assert_eq!(lines.len(), count + 1, "{line}");
        let path = match door {
            "legacy" => "/api/verify".to_owned(),
            door => match door.strip_prefix("outpost-") {
                Some(name) => format!("/outpost.goauthentik.io/auth/{name}"),
                None => format!("/api/authz/{door}"),
            },
        };
        let told = format!(
            " event=misask result=error client=127.0.0.1 endpoint=\"{path}\" reason=\"{named}"
        );
        assert!(lines[count].contains(&told), "{line}: {}", lines[count]);
        count += 1;
    }
    assert!(count > 40);
}

#[test]
fn other_methods_and_paths_are_no_endpoints() {
    let gate = Site::bed().server(ENDPOINTS).start();
    let send = |method: &str, target: &str| {
        let headers = [
            ("X-Original-Method", "GET"),
            ("X-Original-URL", "https://public.example.com/"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "public.example.com"),
            ("X-Forwarded-URI", "/"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let bytes = written(method, target, "auth.internal", headers.iter());
        connect(&gate)
            .send(bytes)
            .try_answer(method == "HEAD")
            .unwrap()
    };
    for target in [
        "/api/authz/auth-request",
        "/api/authz/forward-auth",
        "/outpost.goauthentik.io/auth/nginx",
        "/outpost.goauthentik.io/auth/traefik",
        "/outpost.goauthentik.io/auth/caddy",
    ] {
        assert_eq!(send("GET", target).status, 200);
        assert_eq!(send("HEAD", target).status, 200);
        for method in ["POST", "OPTIONS", "DELETE"] {
            let answer = send(method, target);
            assert_eq!(
                (answer.status, answer.header("Allow")),
                (405, Some("GET, HEAD")),
                "{method}"
            );
        }
    }
    assert_eq!(send("POST", "/api/verify").status, 200);
    for target in [
        "/",
        "/api",
        "/api/authz",
        "/api/authz/",
        "/api/authz/legacy",
        "/api/authz/auth-request/",
        "/api/authz/auth-request/x",
        "/api/authz//auth-request",
        "/api/authz/auth%2Drequest",
        "/api/verify/",
        "/api/verifyx",
        "/api/state",
        "/api/health",
        "/API/verify",
        "/outpost.goauthentik.io",
        "/outpost.goauthentik.io/",
        "/outpost.goauthentik.io/auth",
        "/outpost.goauthentik.io/auth/",
        "/outpost.goauthentik.io/auth/apache",
        "/outpost.goauthentik.io/auth/nginx/",
        "/outpost.goauthentik.io/auth/nginxx",
        "/outpost.goauthentik.io//auth/nginx",
        "/outpost.goauthentik.io/callback",
        "/outpost.goauthentik.io/ping/",
    ] {
        assert_eq!(send("GET", target).status, 404, "{target}");
    }
}

#[test]
fn an_endpoint_on_the_portal_answers_the_same() {
    let gate = Site::bed().start();
    let alice = gate.signed_in("alice");
    let question = Question::new("auth-request", "app.example.com", "/x").of(&alice);
    let bytes = String::from_utf8(question.bytes()).unwrap();
    let bytes = bytes.replace("auth.internal", "auth.example.com");
    let answer = gate.raw("auth.example.com", &bytes);
    assert_eq!(
        (answer.status, answer.header("Remote-User")),
        (200, Some("alice"))
    );
    let plain = Site::bed()
        .server("server { @clear@ server_name auth.example.com; location / { auth_gate_portal; } }")
        .start();
    let answer = plain.connect_plain().send(&bytes).answer();
    assert_eq!(answer.status, 401, "asked over plain http");
}

#[test]
fn a_configuration_names_its_endpoints_and_their_strategies() {
    let endpoints = "server:
  endpoints:
    authz:
      mine:
        implementation: ForwardAuth
        authn_strategies:
          - name: CookieSession
          - name: HeaderProxyAuthorization
      inner/envoy:
        implementation: ExtAuthz
        authn_strategies:
          - name: HeaderAuthRequestProxyAuthorization
            schemes: [Basic, Bearer]
";
    let gate = Site::bed().server(ENDPOINTS).yaml(endpoints).start();
    let page = |path: &str, more: &[(&str, &str)]| {
        let mut headers = vec![
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "app.example.com"),
            ("Accept", "text/html"),
        ];
        headers.extend(more);
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect();
        connect(&gate)
            .send(written("GET", path, "app.example.com", headers.iter()))
            .answer()
    };
    for gone in [
        "/api/authz/forward-auth",
        "/api/verify",
        "/api/authz/ext-authz//x",
    ] {
        assert_eq!(page(gone, &[]).status, 404, "{gone}");
    }
    let right = basic("alice", "password");
    let anonymous = page("/api/authz/mine", &[]);
    assert_eq!(anonymous.status, 407);
    assert_eq!(
        anonymous.header("Proxy-Authenticate"),
        Some("Basic realm=\"Authorization Required\"")
    );
    let known = page("/api/authz/mine", &[("Proxy-Authorization", &right)]);
    assert_eq!(
        (known.status, known.header("Remote-User")),
        (200, Some("alice"))
    );
    assert_eq!(
        page("/api/authz/mine", &[("Authorization", &right)]).status,
        407
    );
    let cookie = gate.signed_in("bob").cookie_header("app.example.com")[0]
        .1
        .clone();
    let bob = page(
        "/api/authz/mine",
        &[("Cookie", &cookie), ("Proxy-Authorization", &right)],
    );
    assert_eq!(
        bob.header("Remote-User"),
        Some("bob"),
        "the cookie comes first"
    );

    let envoy = page("/api/authz/inner/envoy//x", &[("Cookie", &cookie)]);
    assert_eq!(envoy.status, 401);
    assert!(envoy.header("WWW-Authenticate").is_some());
    assert_eq!(
        page(
            "/api/authz/inner/envoy//x",
            &[("Proxy-Authorization", &right)]
        )
        .status,
        200
    );
    let token = page(
        "/api/authz/inner/envoy//x",
        &[("Proxy-Authorization", "Bearer abc")],
    );
    assert_eq!(token.status, 401, "it is no app password");
}
