use std::net::IpAddr;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::portal::event::{Method, Misask};

/// Reads a line as a program does: keys and values, nothing else.
fn read(line: &str) -> Vec<(String, String)> {
    let (mut fields, mut rest) = (Vec::new(), line);
    loop {
        let (key, after) = rest.split_once('=').expect("a key");
        assert!(
            key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{key:?} in {line}"
        );
        let (value, after) = match after.strip_prefix('"') {
            Some(text) => unquoted(text),
            None => {
                let end = after.find(' ').unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        fields.push((key.to_owned(), value));
        match after.strip_prefix(' ') {
            Some(more) => rest = more,
            None => {
                assert_eq!(after, "", "{line}");
                return fields;
            }
        }
    }
}

fn unquoted(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().expect("what is escaped").1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'u' => {
                    let digits: String = chars
                        .by_ref()
                        .map(|(_, c)| c)
                        .skip(1)
                        .take_while(|c| *c != '}')
                        .collect();
                    let code = u32::from_str_radix(&digits, 16).expect("a number");
                    char::from_u32(code).expect("a character")
                }
                c => c,
            }),
            c => value.push(c),
        }
    }
    panic!("no closing quote: {text}");
}

fn value<'f>(fields: &'f [(String, String)], key: &str) -> Option<&'f str> {
    let mut found = fields.iter().filter(|(name, _)| name == key);
    let first = found.next().map(|(_, value)| value.as_str());
    assert_eq!(found.next(), None, "{key} stands once");
    first
}

/// What somebody might type to look like another line.
fn typed() -> impl Strategy<Value = String> {
    let forged = [
        "\" client=192.0.2.66 x=\"",
        "bob\nevent=sign_in result=failure client=192.0.2.66",
        "\\\" result=success",
        "\u{2028}auth_gate: event=sign_in",
        "alice\u{202e}\u{0}\u{1b}[2K\r",
        "', client: 192.0.2.66, server: x",
    ];
    prop_oneof![
        select(forged.to_vec()).prop_map(str::to_owned),
        "(?s).{0,60}"
    ]
}

fn event(user: &str, reason: &str) -> Vec<Event> {
    let (user, reason) = (user.to_owned(), reason.to_owned());
    let failure = |why| {
        Event::Fail(Failure {
            aim: Aim::SignIn,
            method: Method::Password,
            user: Some(user.clone()),
            why,
            address: None,
        })
    };
    let change = |change| Event::Change(user.clone(), change, Some(reason.clone()));
    vec![
        Event::SignIn(user.clone(), Method::Passkey),
        Event::Prove(user.clone(), Method::Totp),
        failure(Why::Wrong),
        failure(Why::Banned),
        failure(Why::Says(reason.clone())),
        failure(Why::Lost),
        Event::SignOut(user.clone()),
        Event::SignOutEverywhere(user.clone(), 3),
        Event::Leave(user.clone()),
        Event::NoLeave(user.clone()),
        Event::WrongPassword(user.clone()),
        change(Change::Add(Kind::Key, reason.clone())),
        change(Change::Remove(Kind::Totp, reason.clone())),
        change(Change::AddAppPassword(reason.clone())),
        change(Change::RevokeAppPassword(reason.clone())),
        change(Change::Password),
        change(Change::Reset),
        Event::NoKey(user.clone(), reason.clone()),
        Event::AskReset(user.clone()),
        Event::EndSessions(user.clone(), 3),
    ]
}

fn misask(sentence: &str) -> Event {
    Event::Misask(Misask {
        endpoint: "/api/authz/x".into(),
        sentence: sentence.into(),
        setup: true,
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(user in typed(), reason in typed(), address in any::<IpAddr>()) {
        for event in event(&user, &reason) {
            let line = event.line(Some(address)).expect("a line").to_string();
            prop_assert!(!line.contains(|c: char| c.is_control() || c == '\u{2028}'), "{line:?}");
            let fields = read(&line);
            prop_assert_eq!(value(&fields, "user"), Some(user.as_str()));
            let client = address.to_string();
            prop_assert_eq!(value(&fields, "client"), Some(client.as_str()));
            prop_assert_eq!(&fields[2].0, "client");
            let expected = ["event", "result", "client", "method", "kind", "notified", "count", "user", "name", "reason"];
            prop_assert!(fields.iter().all(|(key, _)| expected.contains(&key.as_str())), "{line}");
            if let Some(said) = value(&fields, "reason") {
                prop_assert!(said == reason || said == "no session could be kept");
            }
        }
    }

    #[test]
    fn what_was_asked_wrongly_forges_no_field(sentence in typed(), address in any::<IpAddr>()) {
        let line = misask(&sentence).line(Some(address)).expect("a line").to_string();
        let fields = read(&line);
        let keys: Vec<&str> = fields.iter().map(|(key, _)| key.as_str()).collect();
        prop_assert_eq!(keys, ["event", "result", "client", "endpoint", "reason"]);
        let client = address.to_string();
        prop_assert_eq!(value(&fields, "client"), Some(client.as_str()));
        prop_assert_eq!(value(&fields, "reason"), Some(sentence.as_str()));
    }

    #[test]
    fn whatever_comes_the_line_fits(user in "(?s).{300,3000}") {
        let line = Event::AskReset(user.clone()).line(None).expect("a line").to_string();
        let fields = read(&line);
        prop_assert!(line.len() < LONGEST + 60, "{}", line.len());
        let said = value(&fields, "user").expect("a user");
        let start = said.strip_suffix('…').unwrap_or(said);
        prop_assert!(user.starts_with(start));
    }
}

#[test]
fn lines_read_as_documented() {
    let client = "192.0.2.7".parse().ok();
    let line = |event: Event| event.line(client).map(|line| line.to_string());
    let failure = |aim, method, user: Option<&str>, why| {
        line(Event::Fail(Failure {
            aim,
            method,
            user: user.map(str::to_owned),
            why,
            address: None,
        }))
    };
    assert_eq!(
        failure(Aim::SignIn, Method::Password, Some("al\"ice"), Why::Banned).as_deref(),
        Some(r#"event=sign_in result=banned client=192.0.2.7 method=password user="al\"ice""#)
    );
    assert_eq!(
        failure(Aim::StepUp, Method::Totp, None, Why::Says("used".into())).as_deref(),
        Some(r#"event=step_up result=failure client=192.0.2.7 method=totp reason="used""#)
    );
    let added = Event::Change("bob".into(), Change::Add(Kind::Totp, "phone".into()), None);
    assert_eq!(
        line(added).as_deref(),
        Some(
            r#"event=add_factor result=success client=192.0.2.7 kind=totp user="bob" name="phone""#
        )
    );
    let made = Event::Change("bob".into(), Change::AddAppPassword("backup".into()), None);
    assert_eq!(
        line(made).as_deref(),
        Some(r#"event=add_app_password result=success client=192.0.2.7 user="bob" name="backup""#)
    );
    let elsewhere = Event::Fail(Failure {
        aim: Aim::SignIn,
        method: Method::Basic,
        user: Some("bob".into()),
        why: Why::Wrong,
        address: "2001:db8::9".parse().ok(),
    });
    assert_eq!(
        line(elsewhere).as_deref(),
        Some(r#"event=sign_in result=failure client=2001:db8::9 method=basic user="bob""#)
    );
    assert_eq!(
        line(misask("X-Forwarded-Host is missing")).as_deref(),
        Some(
            r#"event=misask result=error client=192.0.2.7 endpoint="/api/authz/x" reason="X-Forwarded-Host is missing""#
        )
    );
    assert_eq!(line(Event::TurnAway(Method::Password)), None);
    assert_eq!(line(Event::Pass(Method::Basic)), None);
}

#[test]
fn bans_and_times_are_written_in_utc() {
    let line = Line::new("ban")
        .word("by", "regulation")
        .time("until", 1_800_000_059)
        .text("user", "o'hara");
    assert_eq!(
        line.to_string(),
        r#"event=ban by=regulation until=2027-01-15T08:00:59Z user="o'hara""#
    );
    let never = Line::new("ban").time("until", u64::MAX);
    assert_eq!(never.to_string(), "event=ban");
}

#[test]
fn an_app_password_in_the_place_of_a_name_is_no_secret_for_the_log() {
    let token = Token::new(&[7; 30]);
    let failure = Event::Fail(Failure {
        aim: Aim::SignIn,
        method: Method::Basic,
        user: Some(token.reveal().to_string()),
        why: Why::Wrong,
        address: None,
    });
    let line = failure.line(None).unwrap().to_string();
    let id = token.id();
    let expected = format!("event=sign_in result=failure method=basic user=\"agp_{id}…\"");
    assert_eq!(line, expected);
}
