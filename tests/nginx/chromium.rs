//! A person with a browser: signs in, follows a deep link, is turned away, signs out; with and without JavaScript.

use super::harness::browser::Browser;
use super::harness::{Gate, Site};

const APP: &str = "app.example.com";
const PORTAL: &str = "auth.example.com";

/// Opens a deep link, signs in on the way, reads the page, meets a forbidden one, signs out.
fn goes_through(gate: &Gate, browser: &mut Browser) {
    let deep = gate.url(APP, "/deep/link?a=1&b=%26%20c");
    browser.open(&deep);
    browser.wait_for_url(&gate.url(PORTAL, "/?rd="));
    assert!(
        browser.text().contains(APP),
        "the page says what asks: {}",
        browser.text()
    );
    browser.sign_in("alice", "wrong");
    browser.wait("the error", "!!document.querySelector('[role=alert]')");
    let kept = browser.evaluate("document.querySelector('input[name=username]').value");
    assert_eq!(kept, "alice", "the typed name is kept");

    browser.click("input[type=password]");
    browser.write("password");
    browser.press("Enter");
    browser.wait_for_url(&deep);
    assert!(
        browser.text().contains("Remote-User: alice"),
        "{}",
        browser.text()
    );

    browser.open(&gate.url(APP, "/admin/x"));
    let text = browser.text();
    assert!(
        text.contains("Alice") || text.contains("alice"),
        "says who is signed in: {text}"
    );
    assert!(text.contains("/admin/x"), "says what was asked: {text}");
    assert!(!text.contains("Remote-User"), "{text}");

    browser.open(&gate.url(PORTAL, "/"));
    assert!(
        browser.text().contains("Alice Example"),
        "{}",
        browser.text()
    );
    browser.click("form button");
    browser.wait(
        "the signed-out page",
        "!document.querySelector('form[action$=logout]') && document.readyState === 'complete'",
    );
    browser.open(&deep);
    browser.wait_for_url(&gate.url(PORTAL, "/?rd="));
}

#[test]
fn a_person_signs_in_and_out_with_javascript() {
    let gate = Site::bed().start();
    goes_through(&gate, &mut Browser::start(&gate));
}

#[test]
fn a_person_signs_in_and_out_without_javascript() {
    let gate = Site::bed().start();
    goes_through(&gate, &mut Browser::start(&gate).without_javascript());
}

#[test]
fn the_keyboard_is_enough() {
    let gate = Site::bed().start();
    let mut browser = Browser::start(&gate);
    browser.open(&gate.url(APP, "/x"));
    browser.wait_for_url(&gate.url(PORTAL, "/"));
    assert_eq!(
        browser.evaluate("document.activeElement.name"),
        "username",
        "the first field has the focus"
    );
    browser.write("alice");
    browser.press("Tab");
    browser.write("password");
    browser.press("Enter");
    browser.wait_for_url(&gate.url(APP, "/x"));
}

#[test]
fn another_account_can_take_over_from_a_forbidden_page() {
    let gate = Site::bed().start();
    let mut browser = Browser::start(&gate);
    let wanted = gate.url(APP, "/admin/x?y=1");
    browser.open(&wanted);
    browser.wait_for_url(&gate.url(PORTAL, "/"));
    browser.sign_in("alice", "password");
    browser.wait_for_url(&wanted);
    browser.click("a.button, form button");
    browser.wait(
        "a login form",
        "!!document.querySelector('input[type=password], form[action$=logout], a.button')",
    );
    if browser.evaluate("!document.querySelector('input[type=password]')") == true {
        browser.click("form[action$=logout] button, a.button");
    }
    browser.wait(
        "a login form",
        "!!document.querySelector('input[type=password]')",
    );
    browser.sign_in("bob", "password");
    browser.wait_for_url(&wanted);
    assert!(
        browser.text().contains("Remote-User: bob"),
        "{}",
        browser.text()
    );
}

#[test]
fn pages_are_readable_for_everybody() {
    let gate = Site::bed().start();
    let mut browser = Browser::start(&gate);
    for (width, height) in [(320, 568), (1280, 800)] {
        let metrics = serde_json::json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
        browser.open(&gate.url(PORTAL, "/?rd=https%3A%2F%2Fapp.example.com%2F"));
        let fits = browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth");
        assert_eq!(fits, true, "no sideways scrolling at {width}");
        let small = "[...document.querySelectorAll('input:not([type=hidden]):not([type=checkbox]),button,a')].filter(e => e.getBoundingClientRect().height < 44).length";
        assert_eq!(
            browser.evaluate(small),
            0,
            "targets of 44 pixels at {width}"
        );
        let labels = "[...document.querySelectorAll('input:not([type=hidden])')].every(e => e.labels.length > 0)";
        assert_eq!(browser.evaluate(labels), true, "every field has a label");
    }
    assert_eq!(browser.evaluate("performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length"), 0);
    assert_eq!(browser.evaluate("!!document.documentElement.lang && !!document.title && !!document.querySelector('main')"), true);
}
