use proptest::prelude::*;

use super::*;

const NEW: &str = "$argon2id$v=19$m=65536,t=3,p=4$bmV3$bmV3bmV3";

/// `text` with everything between the marks ‹ and › replaced, and without the marks.
fn expect(marked: &str, written: &str) {
    let (front, rest) = marked.split_once('‹').expect("a mark");
    let (old, back) = rest.split_once('›').expect("a mark");
    let text = format!("{front}{old}{back}");
    let expected = format!("{front}{written}{back}");
    assert_eq!(replace_password(&text, "bob", NEW), Ok(expected), "{text}");
}

fn refused(text: &str) -> RewriteError {
    replace_password(text, "bob", NEW).expect_err(text)
}

#[test]
fn only_the_password_changes_however_it_is_written() {
    let (plain, single, double) = (NEW.to_owned(), format!("'{NEW}'"), format!("\"{NEW}\""));
    expect("users:\n  bob:\n    password: ‹$6$a,b$c/.›\n", &plain);
    expect(
        "users:\n  bob:\n    password:  ‹$6$a›   # comment\n",
        &plain,
    );
    expect("users:\n  bob:\n    password: ‹'$6$a''b'› # 'x'\n", &single);
    expect(
        "users:\n  bob:\n    password: ‹\"$6$\\\"a\\\\\"›\n",
        &double,
    );
    expect("users:\n  bob:\n    password:\n      ‹$6$a›\n", &plain);
    expect("users: {bob: {password: ‹'$6$a'›, email: x}}\n", &single);
    // A comma ends a bare text between braces.
    expect("users: {bob: {password: ‹$6$a›, email: x}}", &single);
    expect("users:\n  'bob': {\"password\": ‹\"x\"›}\n", &double);
    expect(
        "users:\r\n  bob:\r\n    password: ‹$6$a›\r\n    email: ü\r\n",
        &plain,
    );
    expect(
        "\u{feff}# ü€😀\nusers:\n  ü: {password: x}\n  bob: {password: ‹'x'›}\n",
        &single,
    );
    expect("users:\n  bob:\n    password: ‹12›\n", &plain);
    expect("---\nusers:\n  bob:\n    password: ‹x›", &plain);
}

#[test]
fn the_recorded_users_file_is_rewritten() {
    let recorded = include_str!("../../../tests/config/users.yml");
    let rewritten = replace_password(recorded, "carol", NEW).expect("must be there");
    for (before, after) in recorded.lines().zip(rewritten.lines()) {
        match before.contains("carol:") {
            true => assert!(after.contains(&format!("password: '{NEW}', email"))),
            false => assert_eq!(before, after),
        }
    }
    assert_eq!(recorded.lines().count(), rewritten.lines().count());
}

#[test]
fn what_is_not_certain_is_refused() {
    use RewriteError::*;
    assert!(matches!(
        refused("users:\n  bob: {password: &a x}\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("x: &a y\nusers:\n  bob: {password: *a}\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  al: &t {password: x}\n  bob: *t\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  bob: &t {password: x}\n  al: *t\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  bob:\n    password: |\n      x\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  bob:\n    password: >-\n      x\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  bob:\n    password: 'a\n      b'\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  bob:\n    password: a\n      b\n"),
        Unsure(_)
    ));
    assert!(matches!(
        refused("users:\n  bob:\n    password: !!str x\n"),
        Unsure(_)
    ));
    assert_eq!(refused("users:\n  bob:\n    password:\n"), NoPassword);
    assert_eq!(refused("users:\n  bob:\n    password: [x]\n"), NoPassword);
    assert_eq!(
        refused("users:\n  bob: {password: x, password: y}\n"),
        NoPassword
    );
    assert_eq!(refused("users:\n  Bob: {password: x}\n"), NoUser);
    assert_eq!(refused("users:\n  bob: {password: x}\n  bob: {}\n"), NoUser);
    assert_eq!(refused("groups:\n  bob: {password: x}\n"), NoUser);
    assert!(matches!(refused("users: [\n"), Unreadable(_)));
    for hash in ["", "a b", "x'", "x\n", "#", "ü"] {
        let text = "users:\n  bob: {password: x}\n";
        assert_eq!(replace_password(text, "bob", hash), Err(NoHash));
    }
}

/// A users file of people, each written in one of several ways, with comments and line endings.
fn file() -> impl Strategy<Value = (String, usize)> {
    let person = (
        0..8_u8,
        "[a-z $.,/+=#:'ü-]{0,12}",
        "[ \t]{0,2}(#[ a-zü'\"{}:]{0,9})?",
    );
    let people = prop::collection::vec(person, 1..6);
    (
        people,
        any::<bool>(),
        any::<bool>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(people, crlf, bom, chosen)| {
            let mut text = String::from("# people\nusers:\n");
            for (n, (way, value, comment)) in people.iter().enumerate() {
                text += &person_text(n, *way, value, comment);
            }
            text += "groups:\n  dev: {attributes: {password: x}}\n";
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            if bom {
                text.insert(0, '\u{feff}');
            }
            (text, chosen.index(people.len()))
        })
}

fn person_text(n: usize, way: u8, value: &str, comment: &str) -> String {
    let single = format!("'{}'", value.replace('\'', "''"));
    let double = format!("\"{}\"", value.replace('"', "\\\""));
    let comment = if comment.contains('#') {
        format!(" {comment}")
    } else {
        String::new()
    };
    match way {
        0 => format!("  u{n}:\n    displayname: x\n    password: $6$x{n},y{comment}\n"),
        1 => format!("  u{n}:\n    password: {single}{comment}\n    disabled: no\n"),
        2 => format!("  u{n}:\n    email: a\n\n    password:   {double}{comment}\n"),
        3 => format!("  u{n}: {{password: {single}, email: 'é'}}{comment}\n"),
        4 => format!("  \"u{n}\": {{groups: [a, b], password: {double}}}{comment}\n"),
        5 => format!("  u{n}: {{password: $6$plain, odd: {single}}}{comment}\n"),
        6 => format!("  'u{n}':\n    password:\n      {single}{comment}\n"),
        _ => format!("  u{n}: {{email: {double},{comment}\n    password: {single}\n    }}\n"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_other_byte_stays((text, chosen) in file()) {
        let user = format!("u{chosen}");
        let rewritten = replace_password(&text, &user, NEW).expect(&text);
        // Back again: whatever stands around the password is the same on both sides.
        let (front, back) = rewritten.split_once(NEW).expect("the new one");
        let unquoted = |s: &str| s.trim_end_matches(['\'', '"']).to_owned();
        prop_assert!(text.starts_with(&unquoted(front)), "{text}\n{rewritten}");
        prop_assert!(text.ends_with(back.trim_start_matches(['\'', '"'])), "{text}\n{rewritten}");
        let mut tree = yaml::parse(&text).expect("was good");
        let node = password(&mut tree, &user).expect("is there");
        node.value = Value::Scalar(Scalar { text: NEW.into(), kind: Kind::Text });
        prop_assert_eq!(yaml::parse(&rewritten).expect("is good"), tree);
    }

    #[test]
    fn whatever_the_file_is_an_answer(text in "(users:|bob:|password:|[ \n\t'\"{}&*!|>#-]|x|ü){0,24}") {
        if let Ok(rewritten) = replace_password(&text, "bob", NEW) {
            prop_assert!(rewritten.contains(NEW));
        }
    }
}
