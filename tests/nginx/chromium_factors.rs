//! A person with a browser, a telephone, security keys and a mailbox: enrols second factors, proves them, signs in with
//! a passkey, gets a new password, ends a session that was forgotten somewhere.

use serde_json::{Value, json};

use super::harness::browser::Browser;
use super::harness::mail::MailServer;
use super::harness::place::give;
use super::harness::site::USERS;
use super::harness::{Gate, Site};
use super::second_factor::code_of;
use super::storage::bed as stored;

const APP: &str = "app.example.com";
const PORTAL: &str = "auth.example.com";
const RULES: &str = "access_control:
  default_policy: deny
  rules:
    - domain: app.example.com
      resources: '^/two/'
      policy: two_factor
    - domain: app.example.com
      policy: one_factor
";
const PASSKEYS: &str = "webauthn:
  enable_passkey_login: true
  selection_criteria: { discoverability: required, user_verification: preferred }
";

const PLAIN_KEYS: &str = "webauthn:
  selection_criteria: { discoverability: discouraged, user_verification: discouraged }
";

/// A store, a mailbox, passkeys, and users whom the workers may change.
fn bed(mail: &MailServer) -> Site {
    bed_with(mail, PASSKEYS)
}

fn bed_with(mail: &MailServer, keys: &str) -> Site {
    stored()
        .rules(RULES)
        .yaml(keys)
        .yaml(&mail.notifier())
        .backend(
            "authentication_backend:
  file:
    path: people/users.yml
    watch: true
    password: { algorithm: argon2, argon2: { memory: 1024, iterations: 1, parallelism: 1 } }",
        )
        .file("people/users.yml", USERS)
        .prepare(|prefix| {
            for path in ["people", "people/users.yml"] {
                give(&prefix.join(path));
            }
        })
}

/// Opens what asks for two factors, and signs in with the password on the way there.
fn come_for_two(gate: &Gate, browser: &mut Browser) -> String {
    let wanted = gate.url(APP, "/two/x?y=1");
    browser.open(&wanted);
    browser.wait_for_url(&gate.url(PORTAL, "/?rd="));
    browser.sign_in("alice", "password");
    browser.wait_for_url(&gate.url(PORTAL, "/2fa"));
    wanted
}

/// Has a code mailed and enters it, where the page asks for that before anything is changed.
pub fn may_change(browser: &mut Browser, mail: &MailServer) {
    browser.click("form:has(input[name=send]) button");
    browser.wait(
        "a field for the code",
        "!!document.querySelector('input#code')",
    );
    browser.click("input#code");
    browser.write(&mail.code());
    browser.press("Enter");
}

/// An authenticator that answers by itself, as one does whose owner touches it.
fn plug_in(browser: &mut Browser, kind: &str, finger: bool) -> Value {
    browser.call("WebAuthn.enable", json!({"enableUI": false}));
    let options = json!({
        "protocol": "ctap2", "transport": kind, "hasResidentKey": true, "hasUserVerification": finger,
        "isUserVerified": finger, "automaticPresenceSimulation": true,
    });
    browser.call(
        "WebAuthn.addVirtualAuthenticator",
        json!({"options": options}),
    )["authenticatorId"]
        .clone()
}

/// Adds a key in the settings, with a code by mail on the way.
fn add_key(gate: &Gate, browser: &mut Browser, mail: &MailServer) {
    browser.open(&gate.url(PORTAL, "/settings/two-factor"));
    browser.click("a[href*='/settings/two-factor/key']");
    may_change(browser, mail);
    browser.wait(
        "a field for the name",
        "!!document.querySelector('input#name')",
    );
    browser.click("input#name");
    browser.write("On my chain <b>");
    browser.press("Enter");
    browser.wait(
        "the question for the key",
        "!!document.querySelector('form#webauthn')",
    );
    browser.click("form#webauthn button:enabled");
    browser.wait("the list", "!!document.querySelector('[role=status]')");
    assert!(
        browser.text().contains("On my chain <b>"),
        "{}",
        browser.text()
    );
}

fn sign_out(gate: &Gate, browser: &mut Browser) {
    browser.open(&gate.url(PORTAL, "/logout"));
    browser.open(&gate.url(PORTAL, "/"));
    browser.wait(
        "a login form",
        "!!document.querySelector('input[type=password]')",
    );
}

/// Enrols an app on the way to a page that wants two factors, and goes on there; gives the secret.
fn enrol(gate: &Gate, browser: &mut Browser, mail: &MailServer) -> Vec<u8> {
    let wanted = come_for_two(gate, browser);
    browser.click("a[href*='/settings/two-factor']");
    browser.click("a[href*='/settings/two-factor/totp']");
    may_change(browser, mail);
    browser.wait(
        "a field for the name",
        "!!document.querySelector('input#name')",
    );
    browser.click("input#name");
    browser.write("Telephone");
    browser.press("Enter");
    browser.wait("the key to type", "!!document.querySelector('.secret')");
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.qr svg').length"),
        1
    );
    let shown = browser.evaluate("document.querySelector('.secret').innerText");
    let shown = shown.as_str().unwrap().replace(char::is_whitespace, "");
    let secret = data_encoding::BASE32_NOPAD
        .decode(shown.as_bytes())
        .unwrap();
    browser.click("input#code");
    browser.write("000000");
    browser.press("Enter");
    browser.wait("the error", "!!document.querySelector('#code-error')");
    browser.click("input#code");
    browser.evaluate("document.querySelector('input#code').value = ''");
    browser.write(&code_of(&secret, -1));
    browser.press("Enter");
    browser.wait("the list", "!!document.querySelector('[role=status]')");
    mail.letter("Telephone");

    browser.open(&wanted);
    browser.wait_for_url(&gate.url(PORTAL, "/2fa"));
    browser.click("input#code");
    browser.write(&code_of(&secret, 0));
    browser.press("Enter");
    browser.wait_for_url(&wanted);
    assert!(
        browser.text().contains("Remote-User: alice"),
        "{}",
        browser.text()
    );
    secret
}

#[test]
fn a_person_enrols_an_app_and_proves_it() {
    let mail = MailServer::start("app");
    let gate = bed(&mail).workers(2).start();
    let mut browser = Browser::start(&gate);
    let secret = enrol(&gate, &mut browser, &mail);

    sign_out(&gate, &mut browser);
    let wanted = come_for_two(&gate, &mut browser);
    browser.click("input#code");
    browser.write(&code_of(&secret, 0));
    browser.press("Enter");
    browser.wait(
        "the error: a code counts once",
        "!!document.querySelector('#code-error')",
    );
    browser.click("input#code");
    browser.evaluate("document.querySelector('input#code').value = ''");
    browser.write(&code_of(&secret, 1));
    browser.press("Enter");
    browser.wait_for_url(&wanted);
}

#[test]
fn an_app_is_enrolled_and_proven_without_javascript() {
    let mail = MailServer::start("plain");
    let gate = bed(&mail).start();
    let mut browser = Browser::start(&gate).without_javascript();
    enrol(&gate, &mut browser, &mail);
}

#[test]
fn a_person_adds_a_security_key_and_proves_it() {
    let mail = MailServer::start("key");
    let gate = bed_with(&mail, PLAIN_KEYS).workers(2).start();
    let mut browser = Browser::start(&gate);
    plug_in(&mut browser, "usb", false);
    browser.open(&gate.url(PORTAL, "/"));
    browser.sign_in("alice", "password");
    browser.wait(
        "the signed-in page",
        "!!document.querySelector('form[action$=logout]')",
    );
    add_key(&gate, &mut browser, &mail);

    sign_out(&gate, &mut browser);
    let wanted = come_for_two(&gate, &mut browser);
    browser.click("form#webauthn button:enabled");
    browser.wait_for_url(&wanted);
    assert!(
        browser.text().contains("Remote-User: alice"),
        "{}",
        browser.text()
    );
}

#[test]
fn a_person_signs_in_with_a_passkey_alone() {
    let mail = MailServer::start("passkey");
    let gate = bed(&mail).start();
    let mut browser = Browser::start(&gate);
    plug_in(&mut browser, "internal", true);
    browser.open(&gate.url(PORTAL, "/"));
    browser.sign_in("alice", "password");
    browser.wait(
        "the signed-in page",
        "!!document.querySelector('form[action$=logout]')",
    );
    add_key(&gate, &mut browser, &mail);

    sign_out(&gate, &mut browser);
    let one = gate.url(APP, "/x");
    browser.open(&one);
    browser.wait_for_url(&gate.url(PORTAL, "/?rd="));
    browser.click("form#webauthn button:enabled");
    browser.wait_for_url(&one);
    assert!(
        browser.text().contains("Remote-User: alice"),
        "{}",
        browser.text()
    );

    // One factor: the password is asked for where two are wanted.
    let two = gate.url(APP, "/two/x");
    browser.open(&two);
    browser.wait_for_url(&gate.url(PORTAL, "/2fa"));
    browser.click("input[type=password]");
    browser.write("password");
    browser.press("Enter");
    browser.wait_for_url(&two);
}

#[test]
fn a_person_who_lost_the_password_gets_a_new_one_by_mail() {
    let mail = MailServer::start("reset");
    let gate = bed(&mail).workers(2).start();
    let mut elsewhere = gate.signed_in("alice");
    let mut browser = Browser::start(&gate);
    browser.open(&gate.url(PORTAL, "/"));
    browser.click("a[href$='/reset-password']");
    browser.wait("the question", "!!document.querySelector('input#username')");
    browser.click("input#username");
    browser.write("alice");
    browser.press("Enter");
    let letter = mail.letter("/reset-password?token=");
    let link = letter
        .split_whitespace()
        .find(|word| word.contains("/reset-password?token="))
        .unwrap()
        .to_owned();
    for round in 0..2 {
        browser.open(&link);
        if round == 1 {
            assert_eq!(
                browser.evaluate("!document.querySelector('input#new')"),
                true,
                "the link works once"
            );
            break;
        }
        browser.click("input#new");
        browser.write("A much better one, 7");
        browser.click("input#again");
        browser.write("A much better one, 7");
        browser.press("Enter");
        browser.wait("the end", "!document.querySelector('input#new')");
    }
    assert!(!elsewhere.reaches("/x"), "the old session has ended");
    assert_eq!(gate.visitor().sign_in("alice", "password").status, 401);
    mail.letter("assword");

    let wanted = gate.url(APP, "/x");
    browser.open(&wanted);
    browser.wait_for_url(&gate.url(PORTAL, "/?rd="));
    browser.sign_in("alice", "A much better one, 7");
    browser.wait_for_url(&wanted);
}

#[test]
fn a_person_ends_a_session_that_was_left_open_elsewhere() {
    let mail = MailServer::start("sessions");
    let gate = bed(&mail).workers(2).start();
    let (mut left, mut bob) = (gate.signed_in("alice"), gate.signed_in("bob"));
    let mut browser = Browser::start(&gate);
    browser.open(&gate.url(PORTAL, "/"));
    browser.sign_in("alice", "password");
    browser.wait(
        "the signed-in page",
        "!!document.querySelector('form[action$=logout]')",
    );
    browser.click("a[href$='/settings']");
    browser.click("a[href$='/settings/sessions']");
    browser.wait(
        "both sessions",
        "document.querySelectorAll('ul.list li').length === 2",
    );
    assert!(
        browser.text().contains("Chrome on Linux"),
        "{}",
        browser.text()
    );
    browser.click("ul.list form button");
    browser.wait(
        "one session",
        "document.querySelectorAll('ul.list li').length === 1",
    );
    assert!(!left.reaches("/x"), "it has ended");
    assert!(bob.reaches("/x"));
    browser.open(&gate.url(APP, "/x"));
    assert!(
        browser.text().contains("Remote-User: alice"),
        "{}",
        browser.text()
    );
}
