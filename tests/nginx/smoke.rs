//! The harness itself, on an nginx without the module: if this fails, look nowhere else.

use bytes::Bytes;

use super::harness::browser::Browser;
use super::harness::{Ask, Site};

#[test]
fn bytes_reach_the_backend_and_come_back() {
    let gate = Site::bare().start();
    let answer = gate.raw(
        "app.example.com",
        "GET /a%2Fb?x=1 HTTP/1.1\r\nHost: app.example.com\r\nX-Odd: 1\r\n\r\n",
    );
    assert_eq!(answer.status, 200);
    assert!(
        answer.text().starts_with("GET /a%2Fb?x=1 HTTP/1.1\n"),
        "{}",
        answer.text()
    );
    let seen = gate.backend().take_one();
    assert_eq!(
        (seen.target(), seen.one("x-odd"), seen.one("Host")),
        ("/a%2Fb?x=1", "1", "app.example.com")
    );
}

#[test]
fn requests_share_a_connection_and_a_pipeline() {
    let gate = Site::bare().start();
    let one = "GET /1 HTTP/1.1\r\nHost: app.example.com\r\n\r\n";
    let mut connection = gate.connect("app.example.com");
    connection.send(format!("{one}{one}")).send(one);
    let answers = [
        connection.answer(),
        connection.answer(),
        connection.answer(),
    ];
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(gate.backend().take().len(), 3);
}

#[test]
fn http2_carries_authority_and_host() {
    let gate = Site::bare().start();
    let request = http::Request::get("https://app.example.com/x")
        .header("x-a", "b")
        .body(Bytes::new())
        .unwrap();
    let answers = gate.http2("app.example.com", vec![request]);
    assert_eq!(answers[0].as_ref().unwrap().status, 200);
    assert_eq!(gate.backend().take_one().one("x-a"), "b");
}

#[test]
fn cgi_like_backends_echo_their_parameters() {
    let app = "location /f { fastcgi_pass @fastcgi@; fastcgi_param REQUEST_URI $request_uri; }
        location /u { uwsgi_pass @uwsgi@; uwsgi_param REQUEST_URI $request_uri; }
        location /g { grpc_pass grpc://@grpc@; }";
    let gate = Site::bare().app(app).start();
    for (target, wanted) in [("/f", "REQUEST_URI=/f"), ("/u", "REQUEST_URI=/u")] {
        let text = gate
            .send(&Ask::page("app.example.com", target).with("X-Extra", "seen"))
            .text();
        assert!(
            text.contains(wanted) && text.contains("HTTP_X_EXTRA=seen"),
            "{text}"
        );
    }
    let call = http::Request::post("https://app.example.com/g")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(super::harness::grpc::framed(b"hello"))
        .unwrap();
    let answer = gate.http2("app.example.com", vec![call]).remove(0).unwrap();
    assert!(answer.text().contains("message: hello"), "{answer:?}");
    assert_eq!(answer.header("grpc-status"), Some("0"));
}

#[test]
fn workers_can_be_reloaded_and_killed() {
    let mut gate = Site::bare().workers(2).start();
    let first = gate.workers();
    gate.reload().unwrap();
    assert!(gate.workers().is_disjoint(&first));
    gate.tolerate("exited on signal 9");
    let victim = *gate.workers().first().unwrap();
    gate.kill_worker(victim);
    assert_eq!(gate.page("app.example.com", "/").status, 200);
}

#[test]
fn configuration_errors_are_shown() {
    Site::bare()
        .app("nonsense on;")
        .check()
        .refused(&["unknown directive \"nonsense\"", "@prefix@/nginx.conf:"]);
    Site::bare().check().taken();
}

#[test]
fn a_browser_shows_a_page() {
    let page = "default_type text/html; return 200 '<p id=a>hello</p><a href=/next>on</a><script>document.title=1</script>'";
    let gate = Site::bare()
        .app(&format!(
            "location = /page {{ {page}; }} location = /next {{ {page}; }}"
        ))
        .start();
    let mut browser = Browser::start(&gate);
    browser.open(&gate.url("app.example.com", "/page"));
    assert_eq!(
        (browser.text().trim(), browser.evaluate("document.title")),
        ("hello\n\non", "1".into())
    );
    browser.click("a");
    browser.wait_for_url(&gate.url("app.example.com", "/next"));
    drop(browser);
    let mut browser = Browser::start(&gate).without_javascript();
    browser.open(&gate.url("app.example.com", "/page"));
    assert_eq!(browser.evaluate("document.title"), "");
}

#[test]
fn the_module_loads_signs_in_and_denies() {
    let gate = Site::bed().start();
    let mut alice = gate.visitor();
    assert_eq!(alice.page("app.example.com", "/x").status, 302);
    assert_eq!(alice.sign_in("alice", "password").status, 200);
    assert!(alice.reaches("/x"));
    assert_eq!(alice.page("app.example.com", "/admin/x").status, 403);
}
