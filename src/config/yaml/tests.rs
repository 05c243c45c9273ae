use super::*;

fn text(node: &Node) -> &str {
    match &node.value {
        Value::Scalar(scalar) => &scalar.text,
        other => panic!("{other:?}"),
    }
}

fn map(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        other => panic!("{other:?}"),
    }
}

fn refused(yaml: &str) -> (Option<usize>, String) {
    let error = parse(yaml).expect_err("must be refused");
    (error.line, error.message)
}

#[test]
fn scalars_stay_as_written() {
    let root = parse(
        "a: yes\nb: 017\nc: +49123\nd: 1.10\ne: 0x1F\nf: 'true'\ng: True\nh: 1e3\ni: ~\nj: \"x\\ty\"\nk: |\n  two\n  lines\n5: five\n",
    )
    .expect("must be there");
    let entries = map(&root);
    let expected = [
        ("a", "yes", Kind::Text),
        ("b", "017", Kind::Text),
        ("c", "+49123", Kind::Integer),
        ("d", "1.10", Kind::Float),
        ("e", "0x1F", Kind::Integer),
        ("f", "true", Kind::Text),
        ("g", "True", Kind::Bool),
        ("h", "1e3", Kind::Float),
    ];
    for (entry, (key, value, kind)) in entries.iter().zip(expected) {
        assert_eq!(entry.key, key);
        assert_eq!(
            entry.value.value,
            Value::Scalar(Scalar {
                text: value.into(),
                kind
            })
        );
    }
    assert_eq!(entries[8].value.value, Value::Null);
    assert_eq!(text(&entries[9].value), "x\ty");
    assert_eq!(text(&entries[10].value), "two\nlines\n");
    assert_eq!(entries[11].key, "5");
}

#[test]
fn every_key_and_value_has_its_line() {
    let yaml = "\u{feff}# comment\na: 1\nb:\n  - x\n  - c: |\n      block\n    d: [p,\n      q]\né: \"ü\"\n";
    let root = parse(yaml).expect("must be there");
    let entries = map(&root);
    let line = |id| line_of(yaml, id).expect("must be there");
    assert_eq!((line(entries[0].key_id), line(entries[0].value.id)), (2, 2));
    assert_eq!(line(entries[1].key_id), 3);
    let Value::List(items) = &entries[1].value.value else {
        panic!()
    };
    assert_eq!((line(items[0].id), line(items[1].id)), (4, 5));
    let inner = map(&items[1]);
    assert_eq!((line(inner[0].key_id), line(inner[1].key_id)), (5, 7));
    let Value::List(flow) = &inner[1].value.value else {
        panic!()
    };
    assert_eq!(line(flow[1].id), 8);
    assert_eq!(line(entries[2].key_id), 9);
}

#[test]
fn duplicates_and_merge_keys_stay() {
    let yaml = "a: 1\nx: &x {level: warn}\na: 2\nlog:\n  <<: *x\n";
    let root = parse(yaml).expect("must be there");
    let entries = map(&root);
    assert_eq!(
        (entries[0].key.as_str(), entries[2].key.as_str()),
        ("a", "a")
    );
    assert_eq!(line_of(yaml, entries[2].key_id), Some(3));
    assert_eq!(map(&entries[3].value)[0].key, "<<");
}

#[test]
fn documents() {
    assert_eq!(parse("").expect("must be there").value, Value::Null);
    assert_eq!(
        parse("# nothing\n").expect("must be there").value,
        Value::Null
    );
    assert!(parse("---\na: 1\n...\n").is_ok());
    assert!(parse("a: 1\n---\n").is_ok());
    let (line, message) = refused("a: 1\n---\nb: 2\n");
    assert_eq!(line, Some(3));
    assert!(
        message.starts_with("a second YAML document begins here"),
        "{message}"
    );
}

#[test]
fn syntax_errors_are_sentences_with_a_line() {
    let (line, message) = refused("a:\n\t- b\n");
    assert_eq!(line, Some(2));
    assert!(message.contains("indent with spaces"), "{message}");
    let (line, message) = refused("a: b: c\n");
    assert_eq!(line, Some(1));
    assert!(
        message.starts_with("not valid YAML: mapping values are not allowed"),
        "{message}"
    );
    let (line, _) = refused("a: 1\nb: [1,\nc: 2\n");
    assert!(line.is_some());
    let (line, message) = refused("a: !secret x\n");
    assert_eq!(line, Some(1));
    assert!(message.contains("a tag such as"), "{message}");
    let (line, message) = refused("? [a]\n: b\n");
    assert_eq!(line, Some(1));
    assert!(message.contains("a key must be a text"), "{message}");
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..9 {
        let one = format!("*a{}", n - 1);
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![one; 10].join(", "));
    }
    assert!(refused(&bomb).1.contains("aliases"), "{}", refused(&bomb).1);
    let large = format!("[{}]", vec!["x"; 1000].join(", "));
    let many = format!("a: &a {large}\nb: [{}]\n", vec!["*a"; 100].join(", "));
    assert!(refused(&many).1.contains("aliases"), "{}", refused(&many).1);
    let (_, message) = refused(&format!("a: {}{}", "[".repeat(200), "]".repeat(200)));
    assert!(message.contains("nested too deeply"), "{message}");
    assert!(parse("a: &a [*a]\n").is_err());
}
