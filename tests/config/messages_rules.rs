//! The exact words about rules, their patterns and networks.

use super::fixture::{LEAST, Memory};
use super::messages::{errors, warnings, with};

/// [`LEAST`] with another rule.
fn rule(rule: &str) -> String {
    let at = LEAST.find("    - domain: app").expect("a rule");
    let indented: String = rule.lines().map(|line| format!("      {line}\n")).collect();
    format!("{}    - {}", &LEAST[..at], indented.trim_start())
}

#[test]
fn rules() {
    errors(
        &with("one_factor", "one-factor"),
        &[
            "configuration.yml:12: access_control.rules#1.policy: `one-factor` is no policy; write `one_factor`",
        ],
    );
    errors(
        &rule("domain: a\n"),
        &[
            "configuration.yml:11: access_control.rules#1: has no policy; write `policy: ` with bypass, one_factor, two_factor or deny",
        ],
    );
    errors(
        &rule("policy: deny\n"),
        &[
            "configuration.yml:11: access_control.rules#1: has neither domain nor domain_regex; write for instance `domain: app.example.com`",
        ],
    );
    errors(
        &rule("domain: a\npolicy: bypass\nsubject: user:john\n"),
        &[
            "configuration.yml:13: access_control.rules#1.subject: has no place beside policy `bypass`, which asks nobody who he is; write one_factor, or take it out",
        ],
    );
    errors(
        &rule("domain_regex: '^(?P<User>\\w+)$'\npolicy: bypass\n"),
        &[
            "configuration.yml:11: access_control.rules#1.domain_regex: names a `User` or `Group`, but policy `bypass` asks nobody who he is; write one_factor, or take the names out",
        ],
    );
    errors(
        &rule("domain: a\npolicy: deny\nmethods: [get, GET, GET, BREW]\n"),
        &[
            "configuration.yml:13: access_control.rules#1.methods#1: `get` is no method; write `GET`",
            "configuration.yml:13: access_control.rules#1.methods#3: `GET` is given twice; keep one of them",
            "configuration.yml:13: access_control.rules#1.methods#4: `BREW` is no method; rules know GET, HEAD, POST, PUT, PATCH, DELETE, TRACE, CONNECT, OPTIONS, COPY, LOCK, MKCOL, MOVE, PROPFIND, PROPPATCH and UNLOCK",
        ],
    );
    errors(
        &rule(
            "domain: a\npolicy: deny\nsubject:\n  - User:john\n  - - group:a\n    - oauth2:client:x\n",
        ),
        &[
            "configuration.yml:14: access_control.rules#1.subject#1: `User:john` names nobody; write user:NAME or group:NAME",
            "configuration.yml:16: access_control.rules#1.subject#2#2: `oauth2:client:x` names an OpenID Connect client, which is not built yet; write user:NAME or group:NAME",
        ],
    );
    errors(
        &rule("domain: a\npolicy: deny\nsubject: ['user:a', ~, []]\n"),
        &[
            "configuration.yml:13: access_control.rules#1.subject#2: is empty; write a value or take the line out",
            "configuration.yml:13: access_control.rules#1.subject#3: is empty; write a value or take the line out",
        ],
    );
    errors(
        &rule(
            "domain: a\npolicy: deny\nquery:\n  - key: a\n    value: 5\n  - operator: equal\n    value: x\n",
        ),
        &[
            "configuration.yml:15: access_control.rules#1.query#1.value: must be a text; put it in quotes: value: '5'",
            "configuration.yml:16: access_control.rules#1.query#2: a query condition needs a `key`",
        ],
    );
    warnings(
        &rule("domain: a\npolicy: deny\nsubject:\n"),
        &[
            "configuration.yml:13: access_control.rules#1.subject: has no value and counts as absent, so that the rule holds for more; write a value or take it out",
        ],
    );
    warnings(
        &rule("domain: a\npolicy: two_factor\n"),
        &[
            "configuration.yml:11: access_control.rules#1: asks for a second factor, but there is no storage to keep one in: nobody gets in there; write storage.local.path and storage.encryption_key",
        ],
    );
}

#[test]
fn a74_a_rule_that_can_never_be_reached_is_an_error() {
    let twice = format!(
        "{LEAST}    - policy: deny\n      domain: [app.example.com]\n    - domain: app.example.com\n      policy: deny\n      methods: GET\n"
    );
    errors(
        &twice,
        &[
            "configuration.yml:13: access_control.rules#2: asks for the same as rule 1, which stands before it and wins; take one of them out",
        ],
    );
}

#[test]
fn a11_a_bypass_that_matches_anywhere_is_told_with_the_form_to_write() {
    warnings(
        &rule("domain: a\npolicy: bypass\nresources: /public\n"),
        &[
            "configuration.yml:13: access_control.rules#1.resources: `/public` matches anywhere in a path, so the rule opens more than it seems to; write `^/public`",
        ],
    );
}

#[test]
fn patterns() {
    let memory = Memory::new(&rule("domain: a\npolicy: deny\nresources: ['a**', '']\n"));
    let errors = memory.errors();
    let lines: Vec<&str> = errors.lines().collect();
    assert!(lines[0].starts_with("configuration.yml:13: access_control.rules#1.resources#1: `a**` is no regular expression: "), "{errors}");
    assert_eq!(
        lines[1],
        "configuration.yml:13: access_control.rules#1.resources#2: is an empty pattern; write one or take it out"
    );
    let open = |pattern: &str, anchored: &str| {
        let expected = format!(
            "configuration.yml:13: access_control.rules#1.resources: `{pattern}` matches anywhere in a path, so the rule opens more than it seems to; write `{anchored}`"
        );
        warnings(
            &rule(&format!(
                "domain: a\npolicy: bypass\nresources: '{pattern}'\n"
            )),
            &[&expected],
        );
    };
    open("/api/.*", "^/api/.*");
    open("\\.css$", "^[^?]*\\.css$");
    open("/a|/b", "^(?:/a|/b)");
    open("a|b", "^[^?]*(?:a|b)");
    warnings(
        &rule("domain: a\npolicy: bypass\nresources: '^/api/'\n"),
        &[],
    );
    warnings(
        &rule("domain: '*example.com'\npolicy: deny\n"),
        &[
            "configuration.yml:11: access_control.rules#1.domain: `*example.com` matches no host: a `*` stands only at the beginning and before a dot, as in `*.example.com`",
        ],
    );
}

#[test]
fn networks() {
    errors(&rule("domain: a\npolicy: deny\nnetworks: [10.0.0.0/33, intrenal, '::1']\n").replace("access_control:", "definitions:\n  network:\n    internal: 10.0.0.0/8\n    bad: [x]\naccess_control:\n  networks:\n    - name: internal\n      networks: 10.0.0.0/8"), &[
        "configuration.yml:12: definitions.network.bad#1: `x` is no network; write for instance 10.0.0.0/8 or 10.1.2.3",
        "configuration.yml:15: access_control.networks#1.name: the network `internal` is defined twice; keep one of them",
        "configuration.yml:20: access_control.rules#1.networks#1: `10.0.0.0/33` is neither a network nor the name of one; write for instance 10.0.0.0/8, or define the name in definitions.network",
        "configuration.yml:20: access_control.rules#1.networks#2: `intrenal` is neither a network nor the name of one; did you mean `internal`?",
    ]);
}

#[test]
fn a_network_without_addresses_would_open_a_rule() {
    errors(
        &format!("{LEAST}definitions:\n  network:\n    internal: []\n    lan:\n"),
        &[
            "configuration.yml:15: definitions.network.internal: the network `internal` has no addresses, so that a rule that names it would hold everywhere; write for instance 10.0.0.0/8",
            "configuration.yml:16: definitions.network.lan: the network `lan` has no addresses, so that a rule that names it would hold everywhere; write for instance 10.0.0.0/8",
        ],
    );
}
