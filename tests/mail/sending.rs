//! Letters that arrive.

use ngx_http_auth_gate_module::mail::{Mailbox, Security};
use serde_json::Value;

use super::fixture::{PASSWORD, Server, USER, credentials, letter, post};

fn names(told: &[Value]) -> Vec<&str> {
    told.iter()
        .filter_map(|event| event["event"].as_str())
        .collect()
}

/// Header lines, folded ones joined.
fn headers(data: &str) -> Vec<String> {
    let (head, _) = data.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    head.split("\r\n").map(str::to_owned).collect()
}

fn header<'h>(headers: &'h [String], name: &str) -> &'h str {
    let front = format!("{name}: ");
    let found: Vec<_> = headers
        .iter()
        .filter_map(|line| line.strip_prefix(&front))
        .collect();
    assert_eq!(found.len(), 1, "{name} in {headers:?}");
    found[0]
}

#[test]
fn a_letter_goes_over_starttls_with_both_parts() {
    let mut server = Server::start("starttls", "starttls", &[USER, PASSWORD]);
    let mut notifier = server.notifier(Security::StartTls);
    notifier.credentials = credentials(PASSWORD);
    post(notifier).send(&letter()).unwrap();
    let told = server.conversation();
    assert_eq!(
        names(&told),
        ["EHLO", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    );
    assert_eq!(
        (&told[0]["name"], &told[0]["tls"]),
        (&"auth.example.com".into(), &false.into())
    );
    assert_eq!(told[1]["tls"], true);
    assert_eq!(
        (&told[2]["good"], &told[2]["tls"]),
        (&true.into(), &true.into())
    );
    assert_eq!(told[3]["address"], "sign-in@example.com");
    assert_eq!(told[4]["address"], "alice@example.com");
    let data = told[5]["data"].as_str().unwrap();
    let headers = headers(data);
    assert_eq!(header(&headers, "Subject"), "[Gate] Confirm it is you");
    assert!(header(&headers, "From").ends_with("<sign-in@example.com>"));
    assert!(header(&headers, "To").ends_with("<alice@example.com>"));
    assert!(header(&headers, "Message-ID").ends_with("@example.com>"));
    assert_eq!(header(&headers, "Auto-Submitted"), "auto-generated");
    assert!(header(&headers, "Date").ends_with("+0000"));
    assert!(header(&headers, "Content-Type").starts_with("multipart/alternative"));
    let plain = data
        .find("Content-Type: text/plain; charset=utf-8")
        .unwrap();
    let html = data.find("Content-Type: text/html; charset=utf-8").unwrap();
    assert!(plain < html, "the last part is the one that is shown");
    assert!(data.contains("Gr=C3=BC=C3=9Fe\r\n.\r\nA line"), "{data}");
    assert!(data.is_ascii());
}

#[test]
fn a_letter_goes_over_tls_from_the_first_byte() {
    let mut server = Server::start("implicit", "implicit", &[USER, PASSWORD]);
    let mut notifier = server.notifier(Security::Implicit);
    notifier.tls.only_newest = true;
    notifier.html = false;
    notifier.credentials = credentials(PASSWORD);
    post(notifier).send(&letter()).unwrap();
    let told = server.conversation();
    assert_eq!(
        names(&told),
        ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    );
    assert_eq!(told[0]["tls"], true);
    let data = told[4]["data"].as_str().unwrap();
    assert!(header(&headers(data), "Content-Type").starts_with("text/plain; charset=utf-8"));
    assert!(!data.contains("<b>"));
}

#[test]
fn whoever_wants_it_may_send_in_the_clear() {
    let mut server = Server::start("clear", "plain", &[USER, PASSWORD]);
    let mut notifier = server.notifier(Security::Opportunistic);
    notifier.clear_credentials = true;
    notifier.credentials = credentials(PASSWORD);
    post(notifier).send(&letter()).unwrap();
    let told = server.conversation();
    assert_eq!(
        names(&told),
        ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    );
    post(server.notifier(Security::None))
        .send(&letter())
        .unwrap();
    assert_eq!(
        names(&server.conversation()),
        ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    );
}

#[test]
fn tls_is_used_where_it_is_even_if_nobody_asks_for_it() {
    let mut server = Server::start("opportunistic", "starttls", &[]);
    post(server.notifier(Security::Opportunistic))
        .send(&letter())
        .unwrap();
    let told = server.conversation();
    assert_eq!(told[1]["tls"], true, "{told:?}");
}

#[test]
fn a_certificate_may_go_unchecked() {
    let mut server = Server::start("unchecked", "starttls", &[]);
    let mut notifier = server.notifier(Security::StartTls);
    notifier.tls.certificates = None;
    notifier.tls.server_name = "another.test".into();
    notifier.tls.verify = false;
    post(notifier).send(&letter()).unwrap();
    assert_eq!(server.conversation().len(), 6);
}

#[test]
fn the_check_signs_in_and_asks_but_sends_nothing() {
    let mut server = Server::start("check", "starttls", &[USER, PASSWORD]);
    let mut notifier = server.notifier(Security::StartTls);
    notifier.credentials = credentials(PASSWORD);
    post(notifier.clone()).check().unwrap();
    assert_eq!(
        names(&server.conversation()),
        ["EHLO", "EHLO", "AUTH", "RSET", "QUIT"]
    );
    notifier.check_recipient = Mailbox::parse("test@example.org");
    post(notifier.clone()).check().unwrap();
    let told = server.conversation();
    assert_eq!(
        names(&told),
        ["EHLO", "EHLO", "AUTH", "MAIL", "RCPT", "RSET", "QUIT"]
    );
    assert_eq!(told[4]["address"], "test@example.org");
    notifier.check_recipient = Mailbox::parse("nobody@example.org");
    let said = post(notifier).check().unwrap_err().to_string();
    assert!(
        said.contains("does not take mail for notifier.smtp.startup_check_address"),
        "{said}"
    );
    assert!(!said.contains('\u{7}'), "{said:?}");
}

#[test]
fn nothing_in_a_letter_begins_a_header_of_its_own() {
    let mut server = Server::start("injection", "starttls", &[]);
    let mut letter = letter();
    letter.title = "Hi\r\nBcc: victim@example.org\r\n\r\nBody".into();
    letter.name = "Alice\r\nX-Injected: yes\n\"<eve@example.org>, ".into();
    let post = post(server.notifier(Security::StartTls));
    post.send(&letter).unwrap();
    let told = server.conversation();
    let recipients = told.iter().filter(|event| event["event"] == "RCPT");
    assert_eq!(
        recipients
            .map(|event| &event["address"])
            .collect::<Vec<_>>(),
        ["alice@example.com"]
    );
    let data = told
        .iter()
        .find_map(|event| event["data"].as_str())
        .unwrap();
    let headers = headers(data);
    assert!(
        headers
            .iter()
            .all(|line| !line.starts_with("Bcc") && !line.starts_with("X-Inj")),
        "{headers:?}"
    );
    assert_eq!(
        header(&headers, "Subject"),
        "[Gate] Hi  Bcc: victim@example.org    Body"
    );
    for address in [
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a@b c",
        "a@example.org\n",
        "",
    ] {
        letter.address = address.into();
        assert!(post.send(&letter).is_err(), "{address:?}");
    }
}
