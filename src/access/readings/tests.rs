use super::*;

fn read(target: &str) -> Result<Vec<String>, BadObject> {
    read_bytes(target.as_bytes())
}

fn read_bytes(target: &[u8]) -> Result<Vec<String>, BadObject> {
    let mark = target.iter().position(|byte| *byte == b'?');
    let readings = Readings::of(target, mark)?;
    Ok(readings
        .as_slice()
        .iter()
        .map(|r| String::from_utf8(r.text().to_vec()).unwrap())
        .collect())
}

#[test]
fn the_first_reading_is_authelias() {
    for (target, path) in [
        ("", "."),
        ("?x=1", ".?x=1"),
        ("?", "."),
        ("/", "/"),
        ("/?a=1", "/?a=1"),
        ("/a/../b/", "/b/"),
        ("/%2e%2e/x", "/x"),
        ("/a%2Fb", "/a/b"),
        ("/a%2Fb?c=%2F", "/a/b?c=%2F"),
        ("//", "//"),
        ("/x/../", "//"),
        ("/a/.", "/a"),
        ("/a/b/..", "/a"),
        ("/..", "/"),
        ("/a?", "/a"),
        ("/%252e", "/%2e"),
        ("/%C3%BC", "/ü"),
        ("/\\..\\x", "/\\..\\x"),
        ("/a;v=1", "/a;v=1"),
        ("/a//b", "/a/b"),
        ("/a?/../b", "/a?/../b"),
        ("/a%3fb", "/a?b"),
    ] {
        assert_eq!(read(target).unwrap()[0], path, "{target}");
    }
}

#[test]
fn an_ordinary_path_is_read_once_and_not_copied() {
    for target in [
        "/",
        "/a/b.c/d e/",
        "/a..b/.c/..d?x=//..%2f",
        "/a?b",
        "/-_~!$&'()*+,=:@|{}<>\"^`",
    ] {
        let mark = target.find('?');
        let readings = Readings::of(target.as_bytes(), mark).unwrap();
        let Readings::One(Reading {
            text: Cow::Borrowed(text),
            path,
        }) = readings
        else {
            panic!("{target} is ordinary")
        };
        assert_eq!(
            (text, path),
            (target.as_bytes(), mark.unwrap_or(target.len()))
        );
    }
}

#[test]
fn ambiguous_paths_are_read_in_every_way() {
    for (target, reading) in [
        ("/public/../admin/x", "/public/../admin/x"),
        ("/public/%252e%252e/admin/x", "/admin/x"),
        ("/public/%25252e%25252e/admin/x", "/admin/x"),
        ("/public/..;/admin/x", "/admin/x"),
        ("/public;/../admin", "/admin"),
        ("/admin;v=1/x", "/admin/x"),
        ("/public/..\\admin\\x", "/admin/x"),
        ("/public/..%5cadmin", "/admin"),
        ("/public/..%20/admin", "/admin"),
        ("/public/%c0%ae%c0%ae/admin", "/admin"),
        ("/public/%e0%80%ae%e0%80%ae%e0%80%afadmin", "/admin"),
        ("/public/%f0%80%80%ae./admin", "/admin"),
        ("/public/%25c0%25ae./admin", "/admin"),
        ("/public%2f..%3b\\admin", "/admin"),
        ("/assets/x;/..;v=1%5cadmin;/x.js", "/assets/admin/x.js"),
        ("/public%2fx/../admin", "/admin"),
        ("/admin%2f../public", "/admin/../public"),
        ("/admin%2e", "/admin"),
        ("/admin%20", "/admin"),
        ("/admin/.", "/admin/"),
        ("//admin//x", "//admin//x"),
        ("//admin//x", "/admin/x"),
        ("/x/..//admin/", "/admin/"),
        ("/x/..//admin/", "//admin/"),
        ("//x/../admin/.", "/admin/"),
        ("/a//../b", "/a/b"),
        ("/public/.../admin", "/admin"),
        ("/public/.. ./admin", "/admin"),
        ("/public/..;x=%2e%2e/%2e%2e;/admin", "/admin"),
    ] {
        let all = read(target).unwrap();
        assert!(all.iter().any(|path| path == reading), "{target}: {all:?}");
        assert!(all.len() <= MOST_READINGS, "{target}: {}", all.len());
    }
}

#[test]
fn usual_encodings_have_one_reading() {
    for (target, reading) in [
        ("/caf%C3%A9?x=%0a", "/café?x=%0a"),
        ("/a%20b/c%2Bd", "/a b/c+d"),
        ("/50%25", "/50%"),
        ("/50%25%20off", "/50% off"),
        ("/é", "/é"),
        ("/a%2fb", "/a/b"),
    ] {
        assert_eq!(read(target).unwrap(), [reading], "{target}");
    }
}

#[test]
fn a_reading_that_cannot_be_is_no_target() {
    for target in [
        "x",
        "%2Fa",
        "*",
        "https://a/b",
        "/a#b",
        "/a?b#c",
        "/%",
        "/%2",
        "/%zz",
        "/a%00.png",
        "/%0a",
        "/%7f",
        "/%2500",
        "/%25250a",
        "/a\tb",
        "/a?b\nc",
        "/%c0%80",
        "/%c0%8a",
        "/a\u{7f}",
    ] {
        assert_eq!(read(target), Err(BadObject::Target), "{target}");
    }
}

#[test]
fn too_many_readings_are_no_target() {
    let layers = format!("/a%{}2e", "25".repeat(300));
    let mixed = "/a;b=%2e%2e%2f..;c\\..%5c.%20/%252e%c0%ae//%25c0%25af;x%255c";
    for target in [
        layers.as_str(),
        mixed,
        &format!("/{}", "%2525;//./".repeat(3000)),
    ] {
        assert!(read(target) == Err(BadObject::Target), "{target:.60}");
    }
}

#[test]
fn stray_bytes_read_as_go_reads_them() {
    assert_eq!(read_bytes(b"/a%ffb").unwrap(), ["/a\u{FFFD}b"]);
    assert_eq!(
        read_bytes(b"/a\xffb?\xfe").unwrap(),
        ["/a\u{FFFD}b?\u{FFFD}"]
    );
    assert_eq!(read_bytes(b"/ab?\xfe").unwrap(), ["/ab?\u{FFFD}"]);
}

#[test]
fn a18_long_targets_are_judged_whole() {
    let long = format!("/{}%20end", "a/".repeat(4000));
    assert!(read(&long).unwrap()[0].ends_with("/ end"));
    let query = format!("/a%20b?{}", "x=1&".repeat(16 << 10));
    assert_eq!(read(&query).unwrap()[0].len(), query.len() - 2);
}

#[test]
fn an_encoded_question_mark_may_end_the_path() {
    for target in ["/admin/x%3f/public/", "/admin/x%253f/public/"] {
        let readings = read(target).unwrap();
        assert!(
            readings.iter().any(|reading| reading == "/admin/x"),
            "{target}: {readings:?}"
        );
    }
}

#[test]
fn an_encoded_hash_ends_the_path_only_before_dot_segments() {
    for target in [
        "/public/../admin/x%23/../../public/y",
        "/public/../admin/x%2523/../../public/y",
        "/public/..%2Fadmin%2Fx%23%2F..%2F..%2Fpublic%2Fy",
    ] {
        let readings = read(target).unwrap();
        assert!(
            readings.iter().any(|reading| reading == "/admin/x"),
            "{target}: {readings:?}"
        );
    }
    let readings = read("/files/C%23/x").unwrap();
    assert_eq!(readings, ["/files/C#/x"]);
}
