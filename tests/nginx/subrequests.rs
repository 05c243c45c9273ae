//! Subrequests skip the access phase: what they can reach, and what is said about it.

use super::harness::{Ask, Site, until};

const APP: &str = "app.example.com";

#[test]
fn a17_nothing_guarded_appears_inside_a_public_page() {
    let app = "ssi on;
        location = /public/page { default_type text/html; root @prefix@/html; ssi on; }
        location = /public/mirrored { mirror /admin/mirror; @proxy@ }
        location = /public/added { add_after_body /admin/added; addition_types *; @proxy@ }
        location /admin/ { @proxy@ }";
    let site = Site::bed().app(app).file(
        "html/public/page",
        "before <!--# include virtual=\"/admin/included\" --> after",
    );
    let checked = site.clone().check();
    let warned = checked
        .text
        .lines()
        .any(|line| line.contains("[warn]") && line.contains("subrequest"));
    if !checked.ok {
        return;
    }
    let gate = site.start();
    for target in ["/public/page", "/public/mirrored", "/public/added"] {
        let text = gate.page(APP, target).text();
        assert!(
            warned || !text.contains("GET /admin/"),
            "{target}: neither guarded nor warned about: {text}"
        );
    }
}

#[test]
fn a32_subrequests_carry_no_claims() {
    let app = "location = /public/page { default_type text/html; root @prefix@/html; ssi on; }
        location = /public/mirrored { mirror /public/mirror; @proxy@ }
        location = /mirrored { mirror /mirror; @proxy@ }
        location = /public/added { add_after_body /public/addition; addition_types *; @proxy@ }";
    let gate = Site::bed()
        .app(app)
        .file(
            "html/public/page",
            "<!--# include virtual=\"/public/included\" -->",
        )
        .start();
    let claim = |target: &str| {
        Ask::page(APP, target)
            .with("Remote-User", "claimed")
            .with("Remote_Groups", "claimed")
    };
    for (target, inner) in [
        ("/public/page", "/public/included"),
        ("/public/mirrored", "/public/mirror"),
        ("/public/added", "/public/addition"),
    ] {
        let answer = gate.send(&claim(target));
        assert!(!answer.text().contains("claimed"), "{}", answer.text());
        let seen = gate.backend().wait_for(inner);
        assert!(!format!("{seen:?}").contains("claimed"), "{seen:?}");
        until("quiet", || Some(gate.backend().take()));
    }
    let alice = gate.signed_in("alice");
    gate.connect(APP)
        .send(claim("/mirrored").bytes(&alice.cookie_header(APP)))
        .answer();
    let seen = gate.backend().wait_for("/mirror");
    assert!(
        !format!("{seen:?}").contains("claimed") && seen.all("Remote-User").len() <= 1,
        "{seen:?}"
    );
}
