use super::super::HeaderSet;
use super::*;

const CHEAP: &str = "$argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU";
const DEAR: &str =
    "$scrypt$ln=16,r=8,p=1$OycIt7wsM5fdKwdqww4VKA$+a7lq19VMlJznCciDDfTDP4LvlEnbdun/Mran1hsGyI";

fn entry(name: &str, email: &str, groups: &[&str]) -> Entry {
    Entry {
        name: name.into(),
        display_name: format!("{name} the user"),
        emails: vec![email.into()],
        groups: groups.iter().map(|group| group.to_string()).collect(),
        password: PasswordHash::parse(CHEAP).unwrap(),
        disabled: false,
        profile: Profile::default(),
    }
}

fn profile(
    attributes: &[(&str, &str)],
    headers: &[(&str, &str)],
    backend: Option<&str>,
) -> Profile {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    Profile {
        attributes: attributes.iter().map(owned).collect(),
        additional_headers: headers.iter().map(owned).collect(),
        backend_override: backend.map(str::to_owned),
    }
}

fn directory(users: Vec<Entry>, matching: Matching) -> Result<Directory, String> {
    let source = Source {
        users,
        ..Source::default()
    };
    Directory::new(source, &matching).map_err(|errors| {
        errors
            .iter()
            .map(DirectoryError::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    })
}

fn matching(search_email: bool, case_insensitive: bool) -> Matching {
    Matching {
        search_email,
        case_insensitive,
    }
}

/// The name of whom each login finds.
fn found<const N: usize>(directory: &Directory, logins: [&str; N]) -> [String; N] {
    logins.map(|login| {
        directory
            .find(login)
            .map_or("-".into(), |user| user.name.clone())
    })
}

#[test]
fn a_login_is_a_name_byte_for_byte_unless_told_otherwise() {
    let directory = directory(
        vec![entry("john", "John@x.org", &[])],
        matching(false, false),
    )
    .unwrap();
    assert_eq!(
        found(&directory, ["john", "John", "john@x.org", "", "john "]),
        ["john", "-", "-", "-", "-"]
    );
    assert_eq!((directory.len(), directory.is_empty()), (1, false));
}

#[test]
fn addresses_are_searched_without_regard_to_case() {
    let users = vec![
        entry("john", "John@x.org", &[]),
        entry("Zoë", "ZOË@x.org", &[]),
    ];
    let directory = directory(users, matching(true, false)).unwrap();
    assert_eq!(
        found(&directory, ["JOHN@X.ORG", "zoë@x.org", "john", "JOHN"]),
        ["john", "Zoë", "john", "-"]
    );
    assert!(directory.user("JOHN@X.ORG").is_none());
}

#[test]
fn names_are_found_without_regard_to_case_if_so_configured() {
    let directory = directory(vec![entry("john", "j@x.org", &[])], matching(false, true)).unwrap();
    assert_eq!(
        found(&directory, ["JOHN", "john", "j@x.org"]),
        ["john", "john", "-"]
    );
}

#[test]
fn a_login_of_any_length_is_answered_at_once() {
    let directory = directory(vec![entry("john", "", &[])], matching(true, true)).unwrap();
    assert!(directory.find(&"J".repeat(10 << 20)).is_none());
}

#[test]
fn an_address_of_two_users_is_refused_only_where_it_is_searched() {
    let users = || {
        vec![
            entry("john", "x@x.org", &[]),
            entry("harry", "X@x.org", &[]),
        ]
    };
    let refusal = directory(users(), matching(true, false)).unwrap_err();
    assert!(
        refusal.contains("users.john.email") && refusal.contains("`harry`"),
        "{refusal}"
    );
    assert!(directory(users(), matching(false, false)).is_ok());
    assert!(directory(users(), matching(false, true)).is_ok());
}

#[test]
fn an_address_that_is_another_users_name_is_refused_where_either_is_searched() {
    let users = || {
        vec![
            entry("john", "harry@x.org", &[]),
            entry("harry@x.org", "", &[]),
        ]
    };
    for (email, case) in [(true, false), (false, true)] {
        let refusal = directory(users(), matching(email, case)).unwrap_err();
        assert!(
            refusal.contains("users.john.email: `harry@x.org`"),
            "{refusal}"
        );
    }
    assert!(directory(users(), matching(false, false)).is_ok());
    let own = vec![entry("john@x.org", "John@x.org", &[])];
    assert!(directory(own, matching(true, true)).is_ok());
}

#[test]
fn names_in_upper_case_are_refused_where_case_is_disregarded() {
    let refusal = directory(vec![entry("John", "", &[])], matching(false, true)).unwrap_err();
    assert!(
        refusal.contains("users.John: ") && refusal.contains("`john`"),
        "{refusal}"
    );
}

#[test]
fn a_disabled_user_does_not_exist() {
    let mut gone = entry("john", "x@x.org", &[]);
    gone.disabled = true;
    let directory = directory(
        vec![gone, entry("harry", "x@x.org", &[])],
        matching(true, true),
    )
    .unwrap();
    assert_eq!(found(&directory, ["john", "x@x.org"]), ["-", "harry"]);
}

#[test]
fn names_that_no_header_or_record_can_carry_are_refused() {
    let long = "x".repeat(MAX_NAME + 1);
    for name in ["", "a\nb", "a\0b", " a", "a ", "a\u{a0}", &long] {
        assert!(
            directory(vec![entry(name, "", &[])], matching(false, false)).is_err(),
            "{name:?}"
        );
    }
    for name in ["a", "a b", "jörg", "a,b", "用户", &long[1..]] {
        assert!(
            directory(vec![entry(name, "", &[])], matching(false, false)).is_ok(),
            "{name:?}"
        );
    }
    let twice = directory(
        vec![entry("a", "", &[]), entry("a", "", &[])],
        matching(false, false),
    );
    assert!(twice.unwrap_err().contains("given twice"));
}

#[test]
fn groups_that_backends_would_read_as_others_are_refused() {
    for group in ["", " ", " admins", "admins\t"] {
        assert!(
            directory(vec![entry("a", "", &[group])], matching(false, false)).is_err(),
            "{group:?}"
        );
    }
    let long = vec!["g"; 1001];
    assert!(directory(vec![entry("a", "", &long)], matching(false, false)).is_err());
    let wide = vec![",".repeat(255); 100];
    let wide: Vec<_> = wide.iter().map(String::as_str).collect();
    assert!(
        directory(vec![entry("a", "", &wide)], matching(false, false))
            .unwrap_err()
            .contains("users.a.groups")
    );
}

#[test]
fn own_additions_win_then_those_of_the_first_group() {
    let mut john = entry("john", "", &["ops", "dev", "none"]);
    john.profile = profile(
        &[("team", "own")],
        &[("X-Team", "{attr:team}/{user}")],
        None,
    );
    let groups = [
        (
            "dev",
            profile(
                &[("team", "dev"), ("floor", "2"), ("desk", "9")],
                &[("X-Floor", "dev")],
                Some("http://dev"),
            ),
        ),
        (
            "ops",
            profile(
                &[("floor", "1")],
                &[("x_team", "ops"), ("X-Floor", "{attr:floor}\r\n")],
                Some("http://{attr:team}.ops"),
            ),
        ),
    ];
    let groups = groups
        .map(|(name, profile)| (name.to_owned(), profile))
        .into();
    let source = Source {
        users: vec![john, entry("bob", "", &[])],
        groups,
        backend_override: Some("http://{user}".into()),
    };
    let directory = Directory::new(source, &Matching::default()).unwrap();
    let john = directory.user("john").unwrap();
    let attributes: Vec<_> = john
        .attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(attributes, [("desk", "9"), ("floor", "1"), ("team", "own")]);
    let headers: Vec<_> = john
        .additional_headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(headers, [("X-Team", "own/john"), ("X-Floor", "1%0D%0A")]);
    assert_eq!(john.backend_override.as_deref(), Some("http://own.ops"));
    assert_eq!(
        directory.user("bob").unwrap().backend_override.as_deref(),
        Some("http://bob")
    );
    assert!(directory.remarks().is_empty());
    assert!(
        directory.header_names().contains(b"x-floor")
            && directory.header_names().contains(b"X_TEAM")
    );
}

#[test]
fn what_cannot_be_filled_in_is_sent_empty_and_remarked() {
    let mut john = entry("john", "", &["ops"]);
    john.profile = profile(
        &[],
        &[("X-Key", "key {attr:key}")],
        Some("http://{attr:host}"),
    );
    let groups = [("ops".to_owned(), profile(&[], &[], Some("http://ops")))].into();
    let source = Source {
        users: vec![john],
        groups,
        backend_override: None,
    };
    let directory = Directory::new(source, &Matching::default()).unwrap();
    let john = directory.user("john").unwrap();
    assert_eq!(
        john.additional_headers,
        [("X-Key".to_owned(), String::new())]
    );
    assert_eq!(john.backend_override, None);
    let remarks: Vec<_> = directory
        .remarks()
        .iter()
        .map(|remark| remark.path.join("."))
        .collect();
    assert_eq!(
        remarks,
        [
            "users.john.additionalHeaders",
            "users.john.backend_override"
        ]
    );
}

#[test]
fn additional_headers_replace_identity_headers_and_are_cleaned_for_everybody() {
    let mut john = entry("john", "j@x.org", &["a", "b"]);
    john.profile = profile(&[], &[("Remote_Name", "J"), ("X-Key", "1")], None);
    let mut gone = entry("gone", "", &[]);
    gone.disabled = true;
    gone.profile = profile(&[], &[("X-Gone", "1")], None);
    let directory = directory(vec![john, gone], Matching::default()).unwrap();
    let values: Vec<_> = HeaderSet::Remote.values(directory.user("john")).collect();
    let expected = [
        ("Remote-User", "john"),
        ("Remote-Groups", "a,b"),
        ("Remote-Email", "j@x.org"),
        ("Remote_Name", "J"),
        ("X-Key", "1"),
    ];
    assert_eq!(values, expected);
    assert!(directory.header_names().contains(b"x-gone"));
}

#[test]
fn headers_on_which_requests_depend_cannot_be_set() {
    let long = "x".repeat(200);
    for name in [
        "Host",
        "content_length",
        "Transfer-Encoding",
        "cookie",
        "",
        "-",
        "a b",
        "a:b",
        "ü",
        &long,
    ] {
        let mut john = entry("john", "", &[]);
        john.profile = profile(&[], &[(name, "1")], None);
        assert!(
            directory(vec![john], Matching::default()).is_err(),
            "{name:?}"
        );
    }
    let mut john = entry("john", "", &[]);
    john.profile = profile(&[], &[("X-A", "1"), ("x_a", "2")], None);
    assert!(
        directory(vec![john], Matching::default())
            .unwrap_err()
            .contains("`X-A`")
    );
}

#[test]
fn bad_values_name_their_keys() {
    let long = "x".repeat(8193);
    let mut john = entry("john", "", &[]);
    john.profile = profile(
        &[("a", &long), ("", "1")],
        &[("X", &long)],
        Some("http://a b"),
    );
    let groups = [("ops".to_owned(), profile(&[], &[], Some("")))].into();
    let source = Source {
        users: vec![john],
        groups,
        backend_override: Some(" ".into()),
    };
    let errors = Directory::new(source, &Matching::default()).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|error| error.path.join(".")).collect();
    let expected = [
        "users.john.attributes",
        "users.john.attributes.a",
        "users.john.additionalHeaders.X",
        "users.john.backend_override",
        "groups.ops.backend_override",
        "backend_override",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a57_the_decoy_costs_what_the_costliest_hash_costs() {
    let mut dear = entry("b", "", &[]);
    dear.password = PasswordHash::parse(DEAR).unwrap();
    let users = vec![entry("a", "", &[]), dear, entry("c", "", &[])];
    let directory = directory(users, Matching::default()).unwrap();
    let decoy = directory.decoy();
    assert_eq!(decoy.memory(), PasswordHash::parse(DEAR).unwrap().memory());
    assert!(!decoy.verify("correct horse ü 7".as_bytes()));
    assert_eq!(Directory::default().decoy().memory(), 64 << 20);
}
