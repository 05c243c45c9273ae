//! Nothing that a visitor sends comes back as markup.

use super::harness::{Answer, Site};

const APP: &str = "app.example.com";
const PORTAL: &str = "auth.example.com";

/// What an attacker may get reflected, and the bytes that must not come back as they are.
const MARKUP: &[&str] = &[
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "</style><script>x</script>",
    "javascript:alert(1)",
    "\u{2028}<svg onload=x>",
];

fn assert_harmless(answer: &Answer, markup: &str) {
    let text = answer.text();
    assert!(
        !text.contains(markup) || !markup.contains('<'),
        "{markup} came back: {text}"
    );
    assert!(
        !text.contains("<script>alert")
            && !text.contains("onerror=alert(1)>")
            && !text.contains("<svg onload"),
        "{text}"
    );
    for (name, value) in &answer.headers {
        assert!(
            !value.contains('<') && !value.contains('\u{2028}'),
            "{name}: {value}"
        );
    }
    if answer
        .header("Content-Type")
        .is_some_and(|kind| kind.starts_with("text/html"))
    {
        let policy = answer.header("Content-Security-Policy").unwrap_or_default();
        let scripts = policy
            .split(';')
            .find(|d| d.trim().starts_with("script-src"))
            .unwrap_or("default-src");
        assert!(
            policy.contains("default-src 'none'") && !scripts.contains("unsafe"),
            "{policy}"
        );
        assert!(!text.contains("<script"), "{text}");
    }
}

#[test]
fn a56_nothing_is_reflected_unescaped() {
    let gate = Site::bed().start();
    let mut alice = gate.signed_in("alice");
    for markup in MARKUP {
        let encoded = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", &format!("https://app.example.com/{markup}"))
            .append_pair("rm", markup)
            .append_pair("error", markup)
            .append_pair("state", markup)
            .finish();
        for target in [
            format!("/?{encoded}"),
            format!("/logout?{encoded}"),
            format!("/nothing?{encoded}"),
        ] {
            assert_harmless(&gate.page(PORTAL, &target), markup);
            assert_harmless(&alice.page(PORTAL, &target), markup);
        }
        assert_harmless(
            &gate
                .visitor()
                .sign_in_by_form(&gate.url(PORTAL, "/"), markup, "wrong"),
            markup,
        );
        let path: String =
            percent_encoding::utf8_percent_encode(markup, percent_encoding::NON_ALPHANUMERIC)
                .collect();
        for target in [
            format!("/admin/{path}"),
            format!("/{path}"),
            format!("/x?{path}"),
            format!("/admin/x?{}", markup.replace([' ', '\u{2028}'], "+")),
        ] {
            assert_harmless(&gate.page(APP, &target), markup);
            assert_harmless(&alice.page(APP, &target), markup);
        }
    }
    for host in ["<b>.example.com", "x\"y.example.com", "a'b.example.com"] {
        assert_harmless(
            &gate.raw(
                APP,
                format!("GET /x HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n"),
            ),
            host,
        );
    }
}
