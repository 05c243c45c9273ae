use super::*;

fn find(path: &str) -> &'static Key {
    let mut key = table();
    for name in path.split('.') {
        key = key
            .below(name)
            .unwrap_or_else(|| panic!("{path}: no {name}"));
    }
    key
}

#[test]
fn the_table_says_what_its_lines_say() {
    assert_eq!(
        find("theme").shape,
        Shape::One(kind("auto|light|dark|grey|oled"))
    );
    assert_eq!(
        find("totp.period").shape,
        Shape::One(Type::Int(range("15..86400 or 0")))
    );
    assert_eq!(find("duo_api").fate, Fate::Later("Duo is not built"));
    assert_eq!(find("log_level").fate, Fate::Old("log.level"));
    assert!(matches!(
        find("access_control.rules.query").shape,
        Shape::NestedItems(_)
    ));
    assert!(matches!(
        find("access_control.rules.subject").shape,
        Shape::Nested(Type::Text(0))
    ));
    assert!(matches!(find("definitions.network").shape, Shape::Named(_)));
    assert_eq!(
        find("storage.encryption_key").shape,
        Shape::One(Type::Text(20))
    );
    assert_eq!(
        find("notifier.smtp.tls.skip_verify").shape,
        Shape::One(Type::Bool)
    );
    assert_eq!(
        find("server.endpoints.authz.any.authn_strategies.schemes").shape,
        Shape::Many(kind("~basic|bearer"))
    );
}

#[test]
fn every_new_spelling_exists_and_no_key_stands_twice() {
    fn visit(key: &Key, path: &str) {
        if let Fate::Old(new) | Fate::Part(new) = key.fate
            && new.contains('.')
        {
            find(new);
        }
        let below = match &key.shape {
            Shape::Keys(keys) | Shape::Items(keys) | Shape::NestedItems(keys) => &keys[..],
            Shape::Named(key) => std::slice::from_ref(&**key),
            _ => &[],
        };
        for (n, key) in below.iter().enumerate() {
            let path = format!("{path}.{}", key.name);
            assert!(
                !below[..n].iter().any(|other| other.name == key.name),
                "{path} twice"
            );
            visit(key, &path);
        }
    }
    visit(table(), "");
}
