use super::super::Pattern;
use super::*;

fn holds(go: &str, text: &str) -> bool {
    Pattern::compile(go).unwrap().is_match(text.as_bytes())
}

fn refused(go: &str) -> String {
    Pattern::compile(go)
        .map(|_| go.to_owned())
        .unwrap_err()
        .to_string()
}

#[test]
fn perl_classes_are_ascii() {
    for (go, yes, no) in [
        (r"^\d$", "7", "٣"),
        (r"^\w$", "_", "é"),
        (r"^\s$", " ", "\u{b}"),
        (r"^[\w-]+$", "a-b", "é"),
        (r"^\D$", "é", "1"),
        (r"^[^\D]$", "1", "a"),
        (r"^[\S]$", "\u{b}", "\t"),
        (r"^a\b", "aé", "ab"),
        (r"a\B", "ab", "a"),
        (r"^\W$", "é", "a"),
    ] {
        assert!(holds(go, yes), "{go} on {yes}");
        assert!(!holds(go, no), "{go} on {no}");
    }
}

#[test]
fn set_operations_are_literals_in_a_class() {
    for (go, members, others) in [
        (r"^[a&&b]$", "a&b", "c"),
        (r"^[a--b]$", "", "c"),
        (r"^[a~~b]$", "a~b", "c"),
        (r"^[[a]$", "[a", "]"),
        (r"^[]a]$", "]a", "["),
        (r"^[^]a]$", "[b", "]a"),
        (r"^[a-]$", "a-", "b"),
        (r"^[\d-a]$", "5-a", "b"),
        (r"^[[:alpha:]1]$", "aZ1", "2:"),
        (r"^[[:^alpha:]]$", "1-", "a"),
        (r"^[[:]$", "[:", "a"),
        (r"^[\]\-\\]$", "]-\\", "a"),
        (r"^[.*+?(){}|^$]$", ".*+?(){}|^$", "a"),
        (r"^[\x41-\x43\104]$", "ABCD", "E"),
        (r"^[#&-]$", "#&-", "'"),
    ] {
        if go == r"^[a--b]$" {
            assert!(refused(go).contains("backwards"));
            continue;
        }
        members
            .chars()
            .for_each(|c| assert!(holds(go, &c.to_string()), "{go} on {c}"));
        others
            .chars()
            .for_each(|c| assert!(!holds(go, &c.to_string()), "{go} on {c}"));
    }
}

#[test]
fn escapes_mean_what_go_means() {
    for (go, yes, no) in [
        (r"^\<a\>$", "<a>", "a"),
        (r"^\b{start}$", "b{start}", "start"),
        (r"^\Qa.b(c\E+$", "a.b(cc", "axb(c"),
        (r"^\Q\E$", "", "a"),
        (r"^\Qa*", "a*", "aa"),
        (r"^\101\060$", "A0", "a"),
        (r"^\x{2F}\x2e$", "/.", "//"),
        (r"^\/\-\_\%\@$", "/-_%@", "/"),
        (r"^\p{Greek}+$", "αβ", "ab"),
        (r"^\p{^Greek}+$", "ab", "αβ"),
        (r"^\P{^Greek}+$", "αβ", "ab"),
        (r"^\pL\PL$", "a1", "aa"),
        (r"^[\pN]$", "1", "a"),
        (r"\Aa\z", "a", "a\n"),
        (r"^a$", "a", "a\n"),
        (r"(?m)^a$", "b\na\n", "ba"),
        (r"^.$", "é", "\n"),
        (r"(?s)^.$", "\n", ""),
        (r"(?i)^/ADMIN$", "/admin", "/admi"),
        (r"^(?i:A)b$", "ab", "aB"),
        (r"(?i-s)^a.$", "AB", "a\n"),
        (r"^(?)a$", "a", "b"),
    ] {
        let both = if go == r"^\b{start}$" {
            (false, false)
        } else {
            (true, false)
        };
        assert_eq!((holds(go, yes), holds(go, no)), both, "{go}");
    }
}

#[test]
fn braces_that_count_nothing_are_literal() {
    for (go, yes, no) in [
        (r"^a{2}$", "aa", "a"),
        (r"^a{2,}?$", "aaa", "a"),
        (r"^a{0,1}$", "", "aa"),
        (r"^a{,2}$", "a{,2}", "aa"),
        (r"^{$", "{", "a"),
        (r"^a{x}$", "a{x}", "a"),
        (r"^a{02}$", "a{02}", "aa"),
        (r"^a{2$", "a{2", "aa"),
        (r"^a}$", "a}", "a"),
        (r"^(a|)$", "", "b"),
        (r"^(?:a*)*$", "aaa", "b"),
    ] {
        assert!(holds(go, yes), "{go} on {yes}");
        assert!(!holds(go, no), "{go} on {no}");
    }
}

#[test]
fn what_go_refuses_is_refused_with_a_way_out() {
    for (go, word) in [
        ("", "empty"),
        (r"^\K(public|public2)", r"`\K` does not exist"),
        ("a**", "repeats a repetition"),
        ("a+*", "repeats a repetition"),
        ("a{2}{3}", "repeats a repetition"),
        ("a*??", "repeats a repetition"),
        ("*a", "nothing before it"),
        ("(+a)", "nothing before it"),
        ("a|*", "nothing before it"),
        ("a{1001}", "above 1000"),
        ("a{3,2}", "below the first"),
        ("a{99999999999}", "above 1000"),
        ("(a", "never closed"),
        ("a)", "closes nothing"),
        ("[a", "never closed"),
        ("[a-", "never closed"),
        ("[]", "never closed"),
        ("[b-a]", "backwards"),
        (r"[a-\d]", "single characters"),
        ("[[:letter:]]", "no class"),
        (r"a\", "ends in"),
        (r"(a)\1", "back-references"),
        (r"\8", "back-references"),
        (r"\u0041", r"\x{…}"),
        (r"\Z", r"\z"),
        (r"\C", "does not exist"),
        (r"[\b]", "single characters"),
        ("a(?=b)", "look-ahead"),
        ("(?<!a)b", "look-behind"),
        ("(?x)a", "flags are"),
        ("(?i-)a", "flags are"),
        ("(?P<a b>c)", "no name"),
        ("(?P<>c)", "no name"),
        ("(?P<a", "never closed"),
        ("(?P<(?<a>b)", "no name"),
        ("(?P=a)", "flags are"),
        (r"\x{110000}", "no character"),
        (r"\x{}", "by number"),
        (r"\xZ1", "by number"),
        (r"\p{Greek", "Unicode class"),
        (r"\p{Nonsense}", "Unicode"),
        ("(((a{1000}){1000}){1000})", "large"),
    ] {
        let message = refused(go);
        assert!(message.contains(word), "{go}: {message}");
    }
}

#[test]
fn notices_a_literal_question_mark() {
    for (go, names) in [
        (r"\?", true),
        (r"^/public([/?].*)?$", true),
        (r"[^/?]+", false),
        (r"\Qa?\E", true),
        (r"\x3f", true),
        (r"[!-~]", false),
        (r"a?", false),
        (r"a??", false),
        (r"(?i)a", false),
        (r"\.css$", false),
    ] {
        assert_eq!(translate(go).unwrap().names_question_mark, names, "{go}");
    }
}

#[test]
fn the_first_group_of_a_name_counts() {
    let found = translate(r"(a)(?P<User>b)(?P<User>c)(?<Group>d)(?P<Other>e)").unwrap();
    assert_eq!((found.user, found.group), (Some(2), Some(4)));
    Pattern::compile("(?P<a>x)(?P<a>y)(?P<1>z)").unwrap();
}
