use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_800_000_000;

fn token(byte: u8) -> Token {
    Token::new(&[byte; RANDOM])
}

fn grant(token: &Token, hosts: &str, expires: Option<u64>) -> Grant {
    Grant {
        verifier: token.verifier(),
        hosts: HostScope::read(hosts).unwrap(),
        expires,
    }
}

#[test]
fn a_token_is_written_so_for_ever() {
    let bytes: Vec<u8> = (0..30).collect();
    let token = Token::new(bytes.as_slice().try_into().unwrap());
    let written = token.reveal();
    assert_eq!(
        *written,
        "agp_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5rebyyy"
    );
    assert_eq!(token.id().to_string(), "aaaqeayeaudaocaj");
    // A changed value here makes every app password worthless at the upgrade.
    let hex: String = token.verifier().0[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, "58cdca14379e9205");
}

#[test]
fn what_is_none_is_not_read() {
    let good = token(7).reveal();
    assert!(Token::read(&good).is_some());
    for bad in [
        String::new(),
        "agp_".into(),
        "password".into(),
        good.to_uppercase(),
        good.replacen("agp_", "AGP_", 1),
        good.replacen("agp_", "ghp_", 1),
        format!(" {}", *good),
        format!("{}\n", *good),
        format!("{}=", *good),
        format!("{}a", *good),
        good[..good.len() - 1].to_owned(),
        good.replace("agp_", "agp_ü"),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.".into(),
        format!("agp_{}", "a".repeat(1 << 20)),
    ] {
        assert!(Token::read(&bad).is_none(), "{bad:.80}");
    }
}

#[test]
fn neither_token_nor_verifier_is_printed() {
    let token = token(7);
    let grant = grant(&token, "", None);
    assert_eq!(format!("{token:?}"), "Token(…)");
    let shown = format!("{grant:?}");
    assert!(shown.contains("Verifier(…)"), "{shown}");
}

#[test]
fn only_the_right_secret_hears_more_than_that_it_is_wrong() {
    let (right, mut other) = (token(7), token(7));
    other.secret[0] ^= 1;
    let scoped = grant(&right, "wiki.example.com", Some(NOW));
    let check = |token, host, now| scoped.check(token, host, now);
    assert_eq!(check(&right, "wiki.example.com", NOW - 1), Ok(()));
    for host in ["wiki.example.com", "mail.example.com"] {
        for now in [NOW - 1, NOW] {
            assert_eq!(check(&other, host, now), Err(Refusal::Wrong));
        }
        assert_eq!(check(&right, host, NOW), Err(Refusal::Expired));
    }
    let elsewhere = check(&right, "mail.example.com", NOW - 1);
    assert_eq!(elsewhere, Err(Refusal::Elsewhere));
}

#[test]
fn a_grant_without_end_and_hosts_opens_all_for_ever() {
    let token = token(7);
    let all = grant(&token, "", None);
    assert_eq!(all.check(&token, "any.example.com", u64::MAX), Ok(()));
}

#[test]
fn hosts_are_read_as_they_are_typed() {
    let read = |text: &str| {
        let scope = HostScope::read(text)?;
        Ok::<_, BadHost>(scope.words().collect::<Vec<_>>().join(" "))
    };
    for (typed, kept) in [
        ("", ""),
        (" \n,", ""),
        ("wiki.example.com", "wiki.example.com"),
        ("Wiki.Example.COM.", "wiki.example.com"),
        (
            "a.example.com, *.b.example.com\nc",
            "a.example.com *.b.example.com c",
        ),
        ("a.example.com A.example.com", "a.example.com"),
        ("10.0.0.7", "10.0.0.7"),
    ] {
        assert_eq!(read(typed).as_deref(), Ok(kept), "{typed:?}");
    }
    for bad in [
        "https://wiki.example.com",
        "wiki.example.com:443",
        "wiki.example.com/",
        "*",
        "*.",
        "*.*.example.com",
        "w*.example.com",
        "a..b",
        ".example.com",
        "wïki.example.com",
        "a@b",
        "<b>",
    ] {
        assert_eq!(read(bad), Err(BadHost::Word(bad.to_owned())), "{bad}");
    }
    assert!(read(&"a".repeat(64)).is_err());
    assert!(HostScope::of([]).is_ok_and(|scope| scope.is_all()));
    for empty in ["", " ", ","] {
        let bad = Err(BadHost::Word(empty.to_owned()));
        assert_eq!(HostScope::of(["a.example.com", empty]), bad);
        assert_eq!(HostScope::of([empty]), bad);
    }
    let many: String = (0..=MAX_HOSTS).map(|n| format!("h{n} ")).collect();
    assert_eq!(read(&many), Err(BadHost::TooMany));
}

#[test]
fn below_a_name_is_not_the_name() {
    let scope = HostScope::read("*.example.com").unwrap();
    for (host, holds) in [
        ("a.example.com", true),
        ("a.b.example.com", true),
        ("example.com", false),
        (".example.com", false),
        ("evilexample.com", false),
        ("a.example.com.evil", false),
        ("", false),
    ] {
        assert_eq!(scope.holds(host), holds, "{host}");
    }
}

proptest! {
    #[test]
    fn every_token_is_read_as_it_was_written(bytes: [u8; RANDOM]) {
        let token = Token::new(&bytes);
        let read = Token::read(&token.reveal()).unwrap();
        prop_assert_eq!(read.id(), token.id());
        prop_assert!(token.verifier().fits(&read));
        prop_assert_eq!(Id::read(&token.id().to_string()), Some(token.id()));
        prop_assert_eq!(Id::from_bytes(token.id().bytes()), Some(token.id()));
    }

    #[test]
    fn one_other_character_makes_it_none(bytes: [u8; RANDOM], at in 0usize..58, by in any::<char>()) {
        let written = Token::new(&bytes).reveal();
        let mut typo: Vec<char> = written.chars().collect();
        prop_assume!(typo[at] != by);
        typo[at] = by;
        let typo: String = typo.into_iter().collect();
        prop_assert!(Token::read(&typo).is_none());
    }

    #[test]
    fn one_other_bit_is_another_secret(bytes: [u8; RANDOM], bit in 0usize..8 * RANDOM) {
        let mut others = bytes;
        others[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!Token::new(&bytes).verifier().fits(&Token::new(&others)));
    }

    #[test]
    fn any_text_is_read_or_not(text in ".*") {
        let _ = Token::read(&text);
        let _ = Id::read(&text);
        if let Ok(scope) = HostScope::read(&text) {
            let words: Vec<_> = scope.words().collect();
            prop_assert_eq!(HostScope::read(&words.join(" ")), Ok(scope));
        }
    }

    #[test]
    fn scopes_hold_what_the_labels_say(
        name in "[ab](\\.[ab]){0,3}", host in "[ab](\\.[ab]){0,3}", below: bool
    ) {
        let word = if below { format!("*.{name}") } else { name.clone() };
        let scope = HostScope::read(&word).unwrap();
        let labels = |text: &str| text.split('.').rev().map(str::to_owned).collect::<Vec<_>>();
        let (name, host_labels) = (labels(&name), labels(&host));
        let inside = host_labels.starts_with(&name);
        let expected = if below { inside && host_labels.len() > name.len() } else { host_labels == name };
        prop_assert_eq!(scope.holds(&host), expected);
    }
}
