//! Letters that must not leave, and servers that do not take them.

use std::io::Write;
use std::net::TcpListener;

use ngx_http_auth_gate_module::mail::Security;

use super::fixture::{PASSWORD, Server, USER, credentials, letter, post, smtp};

#[test]
fn without_starttls_nothing_is_sent() {
    let server = Server::start("downgrade", "plain", &[USER, PASSWORD]);
    let mut notifier = server.notifier(Security::StartTls);
    notifier.credentials = credentials(PASSWORD);
    let said = post(notifier).send(&letter()).unwrap_err().to_string();
    assert!(said.contains("offers no STARTTLS"), "{said}");
    let told = server.all();
    assert!(
        told.iter()
            .all(|event| event["event"] == "EHLO" || event["event"] == "QUIT"),
        "{told:?}"
    );
}

#[test]
fn a_password_never_goes_in_the_clear_by_itself() {
    for security in [Security::None, Security::Opportunistic] {
        let server = Server::start(&format!("leak-{security:?}"), "plain", &[USER, PASSWORD]);
        let mut notifier = server.notifier(security);
        notifier.credentials = credentials(PASSWORD);
        let said = post(notifier).send(&letter()).unwrap_err().to_string();
        assert!(said.contains("where everybody can read it"), "{said}");
        let told = server.all();
        assert!(
            told.iter().all(|event| event["event"] != "AUTH"),
            "{told:?}"
        );
    }
}

#[test]
fn a_certificate_of_somebody_else_is_refused() {
    let server = Server::start("forged", "starttls", &[USER, PASSWORD]);
    let mut stranger = server.notifier(Security::StartTls);
    stranger.credentials = credentials(PASSWORD);
    stranger.tls.certificates = None;
    let mut misnamed = server.notifier(Security::StartTls);
    misnamed.tls.server_name = "another.test".into();
    for notifier in [stranger, misnamed] {
        let said = post(notifier).send(&letter()).unwrap_err().to_string();
        assert!(said.contains("invalid peer certificate"), "{said}");
        assert!(said.contains("certificates_directory"), "{said}");
    }
    let told = server.all();
    assert!(
        told.iter().all(|event| event["event"] == "EHLO"),
        "{told:?}"
    );
}

#[test]
fn a_wrong_password_is_a_sentence_without_it() {
    let server = Server::start("wrong", "starttls", &[USER, PASSWORD]);
    let mut notifier = server.notifier(Security::StartTls);
    notifier.credentials = credentials("another");
    let said = post(notifier).check().unwrap_err().to_string();
    assert!(
        said.contains("does not take notifier.smtp.username and password"),
        "{said}"
    );
    assert!(!said.contains("another"), "{said}");
    let none = Server::start("no-auth", "starttls", &[]);
    let mut notifier = none.notifier(Security::StartTls);
    notifier.credentials = credentials(PASSWORD);
    let said = post(notifier).check().unwrap_err().to_string();
    assert!(said.contains("AUTH PLAIN or AUTH LOGIN"), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_a_sentence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let said = post(smtp(port, Security::None))
        .check()
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with(&format!(
            "the mail server 127.0.0.1:{port} cannot be reached: "
        )),
        "{said}"
    );
}

#[test]
fn a_server_that_says_nothing_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut notifier = smtp(listener.local_addr().unwrap().port(), Security::None);
    notifier.timeout = 1;
    let said = post(notifier).send(&letter()).unwrap_err().to_string();
    assert!(said.contains("did not answer within 1 seconds"), "{said}");
}

#[test]
fn a_server_that_talks_nonsense_is_left() {
    let endless = "x".repeat(1 << 20);
    for answer in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "220",
        "\0\0\0",
        &endless,
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = answer.to_owned();
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.write_all(answer.as_bytes());
        });
        let said = post(smtp(port, Security::None))
            .send(&letter())
            .unwrap_err();
        assert!(said.to_string().len() < 1000, "{said}");
        server.join().unwrap();
    }
}

#[test]
fn a_folder_of_certificates_that_cannot_be_read_is_told_at_once() {
    use ngx_http_auth_gate_module::mail::{Notifier, Post, Way};
    let folder = super::fixture::folder("broken-certificates");
    let mut notifier = smtp(25, Security::StartTls);
    notifier.tls.certificates = Some(folder.join("missing"));
    let new = |smtp| {
        let way = Way::Smtp(Box::new(smtp));
        Post::new(&Notifier {
            startup_check: true,
            way,
        })
        .err()
        .unwrap()
        .to_string()
    };
    let said = new(notifier.clone());
    assert!(said.contains("missing (certificates_directory)"), "{said}");
    std::fs::write(
        folder.join("trusted/broken.pem"),
        "-----BEGIN CERTIFICATE-----\nx",
    )
    .unwrap();
    notifier.tls.certificates = Some(folder.join("trusted"));
    let said = new(notifier);
    assert!(
        said.contains("broken.pem (certificates_directory)"),
        "{said}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}
