//! After signing in a visitor goes where he came from, and never to a stranger.

use std::collections::BTreeSet;

use serde_json::json;
use url::Url;

use super::harness::form::{attribute, unescape};
use super::harness::{Answer, Ask, Gate, Site, Visitor};

const PORTAL: &str = "auth.example.com";

/// Where a browser on the portal would end up; `None` where it stays.
fn lands_on(gate: &Gate, location: &str) -> Option<Url> {
    if location.is_empty() {
        return None;
    }
    let base = Url::parse(&gate.url(PORTAL, "/")).unwrap();
    Some(
        base.join(location)
            .unwrap_or_else(|error| panic!("a browser cannot read {location:?}: {error}")),
    )
}

fn is_ours(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let inside = host == "example.com" || host.ends_with(".example.com");
    url.scheme() == "https" && inside && url.username().is_empty() && url.password().is_none()
}

/// Nothing in an answer leads a browser to a stranger, by header or by page.
fn assert_stays(gate: &Gate, answer: &Answer, rd: &str) {
    assert!(answer.status < 500, "{}: {rd:?}", answer.status);
    assert!(answer.header("Refresh").is_none(), "{rd:?}");
    let page = answer.text();
    let links = page
        .split('<')
        .flat_map(|tag| ["href", "action", "src", "formaction"].map(|name| attribute(tag, name)))
        .flatten();
    for location in links.chain([answer.location().to_owned()]) {
        let landed = lands_on(gate, &location)
            .filter(|url| url.scheme() != "data" || !location.starts_with("data:image/"));
        assert!(
            landed.as_ref().is_none_or(is_ours),
            "{rd:?} leads to {location:?}"
        );
    }
    assert!(
        !unescape(&page)
            .to_lowercase()
            .contains("http-equiv=\"refresh"),
        "{rd:?}"
    );
}

/// Return addresses of many kinds, each of which would leave our hosts in some reader.
fn corpus() -> BTreeSet<String> {
    let strangers = [
        "evil.org",
        "evil.org:443",
        "app.example.com.evil.org",
        "evilexample.com",
        "xn--app-example-com.evil.org",
        "app.example.com%2eevil.org",
        "evil.org%00.example.com",
        "evil。org",
        "app。example。com.evil.org",
        "[::1]",
        "2130706433",
        "evil.org%23.example.com",
        "evil.org\\.example.com",
        "example.com%5c.evil.org",
        "app.example.com%252eevil.org",
    ];
    let schemes = [
        "https:",
        "http:",
        "//",
        "///",
        "////",
        "https:/",
        "https:///",
        "https://",
        "http://",
        "HTTPS://",
        "https:\\\\",
        "\\\\",
        "/\\",
        "\\/",
        "/\\/",
        "/%5c",
        "%2f%2f",
        "/%2f",
        "/%09/",
        "/\t/",
        "/\n/",
        "/ /",
        " //",
        "\t//",
        "\u{0}//",
        "/./\\",
        "/../\\",
        "/.//",
        "javascript://",
        "ftp://",
        "ws://",
        "wss://",
        "data:text/html,",
        "vbscript:",
        "blob:https://",
        "view-source:https://",
        "https:%2f%2f",
        "h\tttps://",
        "https\u{200b}://",
        "；//",
    ];
    let wraps: [fn(&str) -> String; 4] = [
        str::to_owned,
        |rd| rd.replace('.', "%2e"),
        |rd| rd.replace('/', "%2F"),
        |rd| format!("{rd}/?x=https://app.example.com/"),
    ];
    let inside = "app.example.com";
    let users = [
        format!("https://{inside}@evil.org/"),
        format!("https://{inside}:80@evil.org/"),
        format!("https://{inside}%40evil.org/"),
        format!("https://user@{inside}/"),
        format!("https://user:word@{inside}/"),
        format!("https://@{inside}/"),
        format!("https://evil.org@{inside}/"),
        format!("https://evil.org#@{inside}/"),
        format!("https://evil.org?@{inside}/"),
        format!("https://evil.org\\@{inside}/"),
        format!("https://{inside}:evil.org/"),
        format!("https://{inside}:99999/"),
        format!("https://{inside}\r\nLocation: https://evil.org/"),
        format!("https://{inside}%0d%0aLocation:%20https://evil.org/"),
        format!("http://{inside}/"),
    ];
    let combined = schemes.iter().flat_map(|scheme| {
        strangers
            .iter()
            .map(move |stranger| format!("{scheme}{stranger}"))
    });
    combined
        .flat_map(|rd| wraps.map(|wrap| wrap(&rd)))
        .chain(users)
        .collect()
}

fn safe(alice: &mut Visitor<'_>, uri: &str) -> bool {
    let answer = alice.send(&Ask::api(
        "POST",
        PORTAL,
        "/api/checks/safe-redirection",
        &json!({ "uri": uri }),
    ));
    answer.status == 200 && answer.json()["data"]["ok"] == true
}

#[test]
fn a52_no_return_address_of_the_corpus_leads_to_a_stranger() {
    let gate = Site::bed()
        .http("large_client_header_buffers 8 64k;")
        .start();
    let corpus = corpus();
    assert!(corpus.len() > 500, "{}", corpus.len());
    let mut alice = gate.signed_in("alice");
    for rd in &corpus {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", rd)
            .finish();
        let answer = alice.page(PORTAL, &format!("/?{query}"));
        assert_stays(&gate, &answer, rd);
        let taken = safe(&mut alice, rd);
        let landed = Url::parse(rd);
        assert!(
            !taken || landed.as_ref().is_ok_and(is_ours),
            "{rd:?} is called safe"
        );
        if !rd.contains(|c: char| c.is_control() || c == ' ' || c == '#') && rd.is_ascii() {
            let answer = alice.page(PORTAL, &format!("/?rd={rd}"));
            assert_stays(&gate, &answer, rd);
        }
    }
    for rd in corpus.iter().step_by(17) {
        let answer = gate.visitor().sign_in_for("alice", "password", rd);
        let redirect = answer.json()["data"]["redirect"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            lands_on(&gate, &redirect).as_ref().is_none_or(is_ours),
            "{rd:?} leads to {redirect:?}"
        );
    }
}

/// Signs in through the page with that `rd` (already encoded) and returns the answer to the form.
fn form_with(gate: &Gate, query: &str) -> Answer {
    gate.visitor().sign_in_by_form(
        &gate.url(PORTAL, &format!("/?{query}")),
        "alice",
        "password",
    )
}

#[test]
fn a53_known_tricks_do_not_lead_out_of_the_form() {
    let gate = Site::bed()
        .http("large_client_header_buffers 8 128k;")
        .start();
    let tricks = [
        "//evil.org",
        "/\\evil.org",
        "/%5cevil.org",
        "/%09/evil.org",
        "/%20/evil.org",
        "https:evil.org",
        "https:///evil.org",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://app.example.com@evil.org",
        "https://app.example.com:80@evil.org",
        "https://app.example.com%252eevil.org",
        "http://app.example.com/",
        "https://u:p@app.example.com/",
        "https://app.example.com/%0d%0aX-Evil:1",
        "https://app.example.com%0d%0aX-Evil:1/",
    ];
    for trick in tricks {
        let answer = form_with(&gate, &format!("rd={trick}"));
        assert_stays(&gate, &answer, trick);
        assert!(answer.header("X-Evil").is_none(), "{trick}");
    }
    for query in [
        "rd=https://app.example.com/&rd=https://evil.org/",
        "rd=https://evil.org/&rd=https://app.example.com/",
        "rd[]=https://evil.org/",
        "RD=https://evil.org/",
    ] {
        let page = gate.page(PORTAL, &format!("/?{query}"));
        assert_stays(&gate, &page, query);
        if page.status == 200 {
            assert_stays(&gate, &form_with(&gate, query), query);
        }
    }
    let long = format!("rd=https://app.example.com/{}", "a".repeat(64 << 10));
    let answer = gate.page(PORTAL, &format!("/?{long}"));
    assert!(
        matches!(answer.status, 200 | 400 | 414),
        "{}",
        answer.status
    );
}

#[test]
fn a53_another_port_of_our_hosts_is_allowed() {
    let gate = Site::bed().start();
    let answer = gate
        .visitor()
        .sign_in_for("alice", "password", "https://app.example.com:8443/x");
    assert_eq!(
        answer.json()["data"]["redirect"],
        "https://app.example.com:8443/x"
    );
}

#[test]
fn a54_an_allowed_address_comes_back_byte_for_byte() {
    let gate = Site::bed().start();
    let addresses = [
        "https://app.example.com/a?b=1&c=%26&d=a%20b+c",
        "https://app.example.com/%C3%A9/%E2%82%AC?q=%25",
        "https://app.example.com/a;b=c/d,e:@!$'()*~_-.",
        "https://app.example.com/x?url=https%3A%2F%2Fevil.org%2F&n",
        "https://example.com/",
        "https://deep.er.example.com/?",
        "https://app.example.com/x#part",
    ];
    for address in addresses {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", address)
            .append_pair("rm", "GET")
            .finish();
        assert_eq!(form_with(&gate, &query).location(), address);
        let answer = gate.visitor().sign_in_for("alice", "password", address);
        assert_eq!(answer.json()["data"]["redirect"], address);
    }
    for empty in ["rd=", "rd", ""] {
        let answer = form_with(&gate, empty);
        assert!(
            lands_on(&gate, answer.location()).is_none_or(|url| url.host_str() == Some(PORTAL)),
            "{empty}"
        );
    }
}

#[test]
fn a54_what_the_gate_sends_the_portal_gives_back() {
    let gate = Site::bed().start();
    for target in [
        "/a?b=1&c=%26",
        "/?rd=https%3A%2F%2Fevil.org",
        "/a%20b",
        "/q?x=a+b&&",
        "/%E2%82%AC?%F0%9F",
        "/a'b(c)!*~",
    ] {
        let mut alice = gate.visitor();
        let challenge = alice.page("app.example.com", target);
        assert_eq!(challenge.status, 302, "{target}");
        let answer = alice.sign_in_by_form(challenge.location(), "alice", "password");
        assert_eq!(answer.location(), gate.url("app.example.com", target));
    }
}
