//! App passwords in the hands of a person with a browser, who has a program use one.

use super::app_passwords::{APP, asked, bearer, bed, told};
use super::chromium_factors::may_change;
use super::harness::browser::Browser;
use super::harness::mail::MailServer;
use super::harness::visitor::PORTAL;

#[test]
fn a_person_makes_one_for_a_program_and_takes_it_away() {
    for script in [true, false] {
        let mail = MailServer::start(&format!("app-password-{script}"));
        let gate = bed().yaml(&mail.notifier()).workers(2).start();
        let mut browser = Browser::start(&gate);
        if !script {
            browser = browser.without_javascript();
        }
        browser.open(&gate.url(PORTAL, "/"));
        browser.sign_in("alice", "password");
        browser.wait(
            "the signed-in page",
            "!!document.querySelector('form[action$=logout]')",
        );
        browser.click("a[href$='/settings']");
        browser.click("a[href$='/settings/app-passwords']");
        browser.click("a[href$='/settings/app-passwords/new']");
        may_change(&mut browser, &mail);
        browser.wait(
            "a field for the name",
            "!!document.querySelector('input#name')",
        );
        browser.click("input#name");
        browser.write("Calendar <b> on my phone");
        browser.click("input#hosts");
        browser.write("https://app.example.com/");
        browser.press("Enter");
        browser.wait("the error", "!!document.querySelector('#hosts-error')");
        browser.evaluate("document.querySelector('input#hosts').value = ''");
        browser.click("input#hosts");
        browser.write(APP);
        browser.press("Enter");
        browser.wait(
            "the app password",
            "!!document.querySelector('textarea#made')",
        );
        let token = browser.evaluate("document.querySelector('textarea#made').value");
        let token = token.as_str().unwrap().to_owned();
        // All of it can be seen, however small the window is.
        let hidden = "(t => t.scrollHeight > t.clientHeight || t.scrollWidth > t.clientWidth)(document.querySelector('textarea#made'))";
        assert_eq!(browser.evaluate(hidden), false);
        mail.letter("App password added");
        assert_eq!(
            told(&asked(&gate, "auth-request", APP, &bearer(&token))),
            (200, Some("alice"))
        );
        browser.click("nav a.button");
        browser.wait("the list", "!!document.querySelector('ul.list')");
        let text = browser.text();
        assert!(
            text.contains("Calendar <b> on my phone") && text.contains(APP),
            "{text}"
        );
        assert!(!text.contains(&token[24..]));
        browser.click("ul.list a");
        browser.wait("the one", "!!document.querySelector('h2')");
        browser.click("form button");
        browser.wait(
            "the word for it",
            "!!document.querySelector('[role=status]')",
        );
        mail.letter("App password revoked");
        assert_eq!(
            told(&asked(&gate, "auth-request", APP, &bearer(&token))),
            (401, None)
        );
        let log = gate.log();
        for event in ["add_app_password", "revoke_app_password"] {
            let line = format!(
                "event={event} result=success client=127.0.0.1 user=\"alice\" name=\"Calendar <b> on my phone\""
            );
            assert!(log.contains(&line), "{log}");
        }
    }
}
