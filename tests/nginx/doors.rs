//! Every answer of the authorization endpoints: endpoint × method × requirement × who asks × what is accepted. (The
//! recorded answers are replayed in doors_recorded.rs.)

use super::harness::Answer;
use super::harness::question::{DOORS, ENDPOINTS, Question, basic, connect, send};
use super::second_factor::{bed as with_factor, code, prove};

const RULES: &str = "access_control:
  default_policy: deny
  rules:
    - { domain: open.example.com, policy: bypass }
    - { domain: one.example.com, policy: one_factor }
    - { domain: two.example.com, policy: two_factor }
    - { domain: shut.example.com, policy: deny }
    - { domain: admins.example.com, subject: 'group:admins', policy: deny }
";

/// What the table says of one request.
struct Expected {
    status: u16,
    location: bool,
    authenticate: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Nobody,
    Cookie(u8),
    Basic,
}

fn expected(door: &str, host: &str, who: Who, portal: bool, refused: u16) -> Expected {
    let level = match who {
        Who::Nobody => 0,
        Who::Cookie(level) => level,
        Who::Basic => 1,
    };
    let plain = |status| Expected {
        status,
        location: false,
        authenticate: false,
    };
    match (host, level) {
        ("open.example.com", _) | ("one.example.com", 1..) | ("two.example.com", 2..) => plain(200),
        ("shut.example.com", _) | ("admins.example.com", 1..) => plain(403),
        _ if who == Who::Basic => Expected {
            authenticate: true,
            ..plain(401)
        },
        _ if door == "legacy" && !portal => plain(401),
        _ => Expected {
            location: true,
            ..plain(if door == "auth-request" { 401 } else { refused })
        },
    }
}

#[test]
fn every_answer_of_the_table_is_given() {
    let gate = with_factor().rules(RULES).server(ENDPOINTS).start();
    let one = gate.signed_in("alice");
    let mut two = gate.signed_in("alice");
    assert_eq!(prove(&mut two, &code(0), "").status, 200);
    let mut connection = connect(&gate);
    let hosts = ["open", "one", "two", "shut", "admins"].map(|host| format!("{host}.example.com"));
    let mut count = 0;
    for door in DOORS {
        for (host, who) in hosts.iter().flat_map(|host| {
            let who = [Who::Nobody, Who::Cookie(1), Who::Cookie(2), Who::Basic];
            who.map(|who| (host, who))
        }) {
            for (method, to_portal) in [
                ("GET", 302),
                ("HEAD", 302),
                ("OPTIONS", 302),
                ("POST", 303),
                ("PROPFIND", 303),
            ] {
                for (accept, script, portal) in [
                    ("text/html", false, true),
                    ("*/*", false, false),
                    ("application/json", false, true),
                    ("", false, false),
                    ("text/html", true, true),
                ] {
                    let mut question = Question::new(door, host, "/a?b=1").method(method);
                    if !accept.is_empty() {
                        question = question.with("Accept", accept);
                    }
                    if script {
                        question = question.with("X-Requested-With", "xmlhttprequest");
                    }
                    let page = !script && matches!(accept, "text/html" | "*/*");
                    let refused = if page { to_portal } else { 401 };
                    if portal && door == "legacy" {
                        question = question.query("rd=https%3A%2F%2Fauth.example.com%2F");
                    }
                    question = match who {
                        Who::Nobody => question,
                        Who::Cookie(1) => question.of(&one),
                        Who::Cookie(_) => question.of(&two),
                        Who::Basic => {
                            let header = match door {
                                "legacy" => "Proxy-Authorization",
                                _ => "Authorization",
                            };
                            question.with(header, &basic("alice", "password"))
                        }
                    };
                    let answer = send(&mut connection, &question);
                    let wanted = expected(door, host, who, portal, refused);
                    check(&question, &answer, &wanted, who);
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, 4 * 5 * 4 * 5 * 5);
}

fn check(question: &Question, answer: &Answer, wanted: &Expected, who: Who) {
    let what = || {
        format!(
            "{} {} {}: {answer:?}",
            question.door, question.method, question.host
        )
    };
    assert_eq!(answer.status, wanted.status, "{}", what());
    let location = match wanted.location {
        true => format!(
            "https://auth.example.com{}/?rd=https%3A%2F%2F{}%2Fa%3Fb%3D1&rm={}",
            port(answer),
            question.host,
            question.method
        ),
        false => String::new(),
    };
    assert_eq!(answer.location(), location, "{}", what());
    let authenticate = answer.header("WWW-Authenticate");
    let realm = "Basic realm=\"Authorization Required\"";
    assert_eq!(
        authenticate,
        wanted.authenticate.then_some(realm),
        "{}",
        what()
    );
    let identity = [
        "Remote-User",
        "Remote-Groups",
        "Remote-Name",
        "Remote-Email",
    ]
    .map(|name| answer.header(name));
    let alice = ["alice", "users", "Alice Example", "alice@example.com"];
    let known = wanted.status == 200 && who != Who::Nobody;
    assert_eq!(
        identity,
        alice.map(|value| known.then_some(value)),
        "{}",
        what()
    );
    assert_eq!(
        answer.header("Cache-Control"),
        Some("no-store"),
        "{}",
        what()
    );
    assert!(answer.header("Set-Cookie").is_none(), "{}", what());
    let body = match wanted {
        _ if question.door == "ext-authz" && question.method == "HEAD" => String::new(),
        Expected { location: true, .. } => format!(
            "<a href=\"{}\">{} {}</a>",
            location.replace('&', "&#38;"),
            wanted.status,
            reason(wanted.status)
        ),
        _ => format!("{} {}", wanted.status, reason(wanted.status)),
    };
    assert_eq!(answer.text(), body);
}

/// The port of the portal, where the address of the answer has one.
fn port(answer: &Answer) -> &str {
    let rest = answer.location().strip_prefix("https://auth.example.com");
    let rest = rest.unwrap_or_default();
    &rest[..rest.find('/').unwrap_or(0)]
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        303 => "See Other",
        401 => "Unauthorized",
        _ => "Forbidden",
    }
}
