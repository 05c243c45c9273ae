use proptest::prelude::*;

use super::*;

const NAME: &str = "auth_gate_session";

fn keys() -> Keys {
    Keys::derive(b"a secret")
}

fn sealed(id: u8) -> String {
    Token::new([id; 32]).seal(&keys(), "example.com")
}

fn found(headers: &[&str]) -> Vec<Token> {
    let keys = keys();
    tokens(
        headers.iter().map(|header| header.as_bytes()),
        NAME,
        &keys,
        "example.com",
    )
    .collect()
}

/// `None` when ours is not in it, an empty rest when nothing is left.
fn strip(header: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut out = vec![0; header.len()];
    match strip_to(header, name, &mut out) {
        Stripped::Unchanged => None,
        Stripped::Empty => Some(Vec::new()),
        Stripped::Rest(rest) => Some(rest.to_vec()),
    }
}

fn stripped(header: &str) -> Option<String> {
    strip(header.as_bytes(), NAME).map(|rest| String::from_utf8(rest).expect("text"))
}

fn spec(host_only: bool) -> CookieSpec {
    CookieSpec::new(NAME, "Example.com", CrossSite::Lax, host_only).expect("good")
}

#[test]
fn a_cookie_is_found_wherever_it_stands() {
    let (value, token) = (sealed(1), Token::new([1; 32]));
    for header in [
        format!("{NAME}={value}"),
        format!("a=1; {NAME}={value}"),
        format!("a=1;{NAME}={value};b=2"),
        format!("a=\"x\";; ; = ;\t{NAME} = {value} ; b"),
    ] {
        assert_eq!(found(&[&header]), [token], "{header}");
    }
    assert_eq!(found(&["a=1", &format!("{NAME}={value}")]), [token]);
}

#[test]
fn other_names_are_other_cookies() {
    let value = sealed(1);
    for name in [
        "auth_gate_sessio",
        "auth_gate_session2",
        "Auth_Gate_Session",
        "auth%5Fgate_session",
    ] {
        assert!(found(&[&format!("{name}={value}")]).is_empty(), "{name}");
    }
    assert!(found(&[&format!("a={NAME}={value}")]).is_empty());
    assert!(found(&[NAME, ""]).is_empty());
}

#[test]
fn a43_garbage_beside_a_good_cookie_changes_nothing() {
    let (good, token) = (format!("{NAME}={}", sealed(1)), Token::new([1; 32]));
    let garbage = format!("{NAME}={}", "A".repeat(64));
    assert_eq!(found(&[&format!("{good}; {garbage}")]), [token]);
    assert_eq!(found(&[&format!("{garbage}; {good}")]), [token]);
    assert_eq!(found(&[&garbage, &good]), [token]);
    assert_eq!(
        found(&[&format!("{NAME}=; {NAME}=x; {NAME}; {good}")]),
        [token]
    );
}

#[test]
fn a43_of_several_good_cookies_the_first_counts() {
    let header = format!("{NAME}={}; {NAME}={}", sealed(2), sealed(1));
    assert_eq!(
        found(&[&header]),
        [Token::new([2; 32]), Token::new([1; 32])]
    );
}

#[test]
fn a43_only_a_handful_is_tried() {
    let garbage = format!("{NAME}={}; ", "A".repeat(64));
    let header = |n: usize| format!("{}{NAME}={}", garbage.repeat(n), sealed(1));
    assert_eq!(found(&[&header(MAX_CANDIDATES - 1)]).len(), 1);
    assert_eq!(found(&[&header(MAX_CANDIDATES)]).len(), 0);
}

#[test]
fn a38_ours_is_taken_out_and_the_rest_stays() {
    let cases = [
        ("a=1; b=2", None),
        ("", None),
        ("auth_gate_session=x", Some("")),
        (" auth_gate_session=x ; ", Some("")),
        ("auth_gate_session", Some("")),
        ("auth_gate_session=x; a=1", Some("a=1")),
        ("a=1; auth_gate_session=x", Some("a=1")),
        ("a=1; auth_gate_session=x; b=2", Some("a=1; b=2")),
        ("a=1;auth_gate_session=x;b=2", Some("a=1;b=2")),
        (
            "auth_gate_session=x; auth_gate_session=y; a = \"1 ,2\" ;b",
            Some("a = \"1 ,2\" ;b"),
        ),
        ("a=1; \tauth_gate_session =x;  b=2", Some("a=1;  b=2")),
        ("auth_gate_session2=x", None),
        ("a=auth_gate_session=x", None),
    ];
    for (header, rest) in cases {
        assert_eq!(stripped(header).as_deref(), rest, "{header}");
    }
}

#[test]
fn a38_all_that_begin_alike_are_taken_out_together() {
    let own = Which::Beginning(PORTAL_PREFIX);
    let cases = [
        ("a=1; __Host-auth_gate_form=x; b=2", Some("a=1; b=2")),
        (
            "__Host-auth_gate_reset=x;__Host-auth_gate_totp=y.z",
            Some(""),
        ),
        (" \t__Host-auth_gate_ =x; a=1", Some("a=1")),
        ("__Host-auth_gate_", Some("")),
        ("__Host-auth=1; x__Host-auth_gate_form=2", None),
        ("a=__Host-auth_gate_form=x", None),
    ];
    for (header, rest) in cases {
        let mut out = vec![0; header.len()];
        let found = match strip_to(header.as_bytes(), own, &mut out) {
            Stripped::Unchanged => None,
            Stripped::Empty => Some(&b""[..]),
            Stripped::Rest(rest) => Some(rest),
        };
        assert_eq!(found, rest.map(str::as_bytes), "{header}");
    }
    assert!(sets(b"=__Host-auth_gate_reset=x; Path=/", own));
    assert!(sets(b"__Host-auth_gate_reset=; Max-Age=0", own) && !sets(b"auth_gate_reset=x", own));
}

#[test]
fn a_cookie_carries_every_attribute() {
    assert_eq!(
        set_cookie(&spec(false), "v", Some(3600)),
        "auth_gate_session=v; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com; Max-Age=3600"
    );
    assert_eq!(
        set_cookie(&spec(true), "v", None),
        "__Host-auth_gate_session=v; HttpOnly; SameSite=Lax; Secure; Path=/"
    );
    assert!(set_cookie(&spec(false), "v", Some(u64::MAX)).ends_with("; Max-Age=34560000"));
}

#[test]
fn a_cookie_is_cleared_with_the_attributes_it_was_set_with() {
    for host_only in [false, true] {
        let set = set_cookie(&spec(host_only), "", None);
        let end = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
        assert_eq!(clear_cookie(&spec(host_only)), format!("{set}{end}"));
    }
}

#[test]
fn same_site_as_configured() {
    for (same_site, word) in [(CrossSite::Strict, "Strict"), (CrossSite::None, "None")] {
        let spec = CookieSpec::new("a", "example.com", same_site, false).expect("good");
        assert!(set_cookie(&spec, "v", None).contains(&format!("; SameSite={word}; Secure; ")));
    }
}

#[test]
fn a_bad_name_or_domain_is_no_cookie() {
    let new = |name, domain| CookieSpec::new(name, domain, CrossSite::Lax, false);
    let long = "a".repeat(129);
    for name in ["", "a b", "a;b", "a=b", "a\r\nb", "ä", &long] {
        assert_eq!(new(name, "example.com"), Err(BadCookie::Name), "{name}");
    }
    for domain in ["", "a;b", "a b", "a\nb", "ä.com"] {
        assert_eq!(new("a", domain), Err(BadCookie::Domain), "{domain}");
    }
}

proptest! {
    #[test]
    fn a42_any_header_is_read_without_harm(header in prop::collection::vec(any::<u8>(), 0..400)) {
        let keys = keys();
        prop_assert_eq!(tokens([&header[..]], NAME, &keys, "example.com").count(), 0);
        prop_assert!(strip(&header, "a").is_none_or(|rest| rest.len() <= header.len()));
    }

    #[test]
    fn a38_no_cookie_of_ours_survives(header in "[a=; \t\"]{0,40}") {
        if let Some(rest) = strip(header.as_bytes(), "a") {
            prop_assert_eq!(strip(&rest, "a"), None);
        } else {
            let name = |pair: &str| pair.split('=').next().map(|name| name.trim_ascii().to_owned());
            prop_assert!(header.split(';').all(|pair| name(pair).as_deref() != Some("a")));
        }
    }
}

#[test]
fn a_set_cookie_is_read_as_browsers_do() {
    for (value, ours) in [
        ("s=1; Path=/", true),
        (" s =1", true),
        ("=s=1", true),
        ("s", true),
        ("xs=1", false),
        ("a=s=1", false),
        ("a=1; s=2", false),
        ("", false),
    ] {
        assert_eq!(sets(value.as_bytes(), "s"), ours, "{value}");
    }
}
