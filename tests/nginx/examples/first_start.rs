//! What `auth-gate init` writes, on the real nginx: signed in, with nothing changed but addresses and ports.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::sites::proves_a_second_factor;
use super::{ADMIN, NGINX, PASSWORD, WIKI};
use crate::nginx::harness::nginx::module;
use crate::nginx::harness::visitor::PORTAL;
use crate::nginx::harness::{Ask, Site};

/// Lines of the written files, and what stands in their place here.
const PLACES: &str = "\
listen 443 ssl;\t@listen@
listen [::]:443 ssl;\t
listen 8443 ssl;\t@listen@
listen [::]:8443 ssl;\t
listen 8080;\t@clear@
listen [::]:8080;\t
listen 80;\t@clear@
listen [::]:80;\t
http://127.0.0.1:8080\thttp://@backend@
https://auth.example.com\thttps://auth.example.com@port@
https://wiki.example.com\thttps://wiki.example.com@port@
";

/// An nginx as Debian lays it out, with nothing of ours but the module.
fn installed() -> Site {
    let nginx = NGINX.replace("@front@", "");
    Site::bed()
        .file(
            "nginx.conf",
            &nginx.replace("conf.d/*.conf", "sites-enabled/*"),
        )
        .file(
            "modules-enabled/90-auth-gate.conf",
            &format!("load_module {};", module().display()),
        )
        .file("sites-available/.keep", "")
        .file("sites-enabled/.keep", "")
        .file("password", PASSWORD)
        .file("places", PLACES)
}

/// Runs `auth-gate init` there, and fits what it wrote to the addresses of the test.
fn set_up(prefix: &Path, flags: &[&str]) {
    let place = |flag: &str, path: &str| format!("--{flag}={}", prefix.join(path).display());
    let output = Command::new(env!("CARGO_BIN_EXE_auth-gate"))
        .args(["init", "--yes", "--enable", "--domain=example.com"])
        .args([
            "--site=wiki.example.com",
            "--upstream=http://127.0.0.1:8080",
        ])
        .args(["--user=alice", "--display-name=Alice: \"Liddell\""])
        .args(["--email=alice@example.com"])
        .arg(place("password-file", "password"))
        .arg(place("dir", "auth-gate"))
        .arg(place("data-dir", "lib/auth-gate"))
        .arg(place("site-file", "sites-available/auth-gate.conf"))
        .args(flags)
        .output()
        .expect("auth-gate runs");
    assert!(output.status.success(), "{output:?}");
    let places = fs::read_to_string(prefix.join("places")).expect("the places");
    for path in [
        "sites-available/auth-gate.conf",
        "auth-gate/configuration.yml",
    ] {
        let path = prefix.join(path);
        let text = fs::read_to_string(&path).expect("a file that was written");
        let fitted = places.lines().fold(text, |text, line| {
            let (said, here) = line.split_once('\t').expect("two columns");
            text.replace(said, here)
        });
        // Written in place: owner and mode stay what init made them.
        fs::write(&path, fitted).expect("a file of ours");
    }
}

fn with_certificate(prefix: &Path) {
    let file = |name: &str| prefix.join(name).display().to_string();
    let (pem, key) = (file("site.pem"), file("site.key"));
    set_up(prefix, &["--certificate", &pem, "--key", &key]);
}

#[test]
fn what_init_writes_signs_in() {
    let site = installed().prepare(with_certificate);
    let checked = site.clone().check();
    checked.warned(&["notifier: is missing"]);
    assert_eq!(checked.text.matches("[warn]").count(), 1, "{checked:?}");

    let gate = site.start();
    let mut alice = gate.visitor();
    let challenge = alice.page(WIKI, "/page?a=1");
    assert_eq!(challenge.status, 302);
    let back = alice.sign_in_by_form(challenge.location(), "alice", PASSWORD);
    assert_eq!(back.location(), gate.url(WIKI, "/page?a=1"));
    let seen = alice.is_let_in(WIKI, "/page?a=1");
    assert_eq!(
        (seen.one("Remote-User"), seen.one("Remote-Groups")),
        ("alice", "admins")
    );
    assert_eq!(seen.one("Remote-Name"), "Alice: \"Liddell\"");

    let health = gate.page(PORTAL, "/api/health");
    assert_eq!(health.status, 200);
    let plain = Ask::page(WIKI, "/x").bytes(&[]);
    let moved = gate.connect_plain().send(plain).answer();
    assert_eq!(moved.location(), "https://wiki.example.com/x");

    // The store is the workers', who have made it by now.
    proves_a_second_factor(&gate, &mut alice);
    gate.restart();
    alice.is_let_in(WIKI, "/after");
}

#[test]
fn two_sites_without_a_store_behind_the_ports_of_a_container_sign_in() {
    let gate = installed()
        .prepare(|prefix| {
            let file = |name: &str| prefix.join(name).display().to_string();
            let (pem, key) = (file("site.pem"), file("site.key"));
            set_up(
                prefix,
                &[
                    "--no-store",
                    "--certificate",
                    &pem,
                    "--key",
                    &key,
                    "--https-port=8443",
                    "--http-port=8080",
                    "--site=admin.example.com",
                    "--upstream=http://127.0.0.1:8080/",
                ],
            );
        })
        .start();
    let mut alice = gate.visitor();
    assert_eq!(alice.sign_in("alice", PASSWORD).status, 200);
    alice.is_let_in(WIKI, "/");
    alice.is_let_in(ADMIN, "/");
    gate.visitor().is_refused(ADMIN, "/");
}

#[test]
fn a_self_signed_start_is_taken_by_nginx() {
    let site = installed().prepare(|prefix| set_up(prefix, &["--self-signed"]));
    site.check().taken();
}

#[test]
fn the_container_starts_with_what_init_writes() {
    let conf = include_str!("../../../packaging/docker/nginx.conf")
        .replace("/etc/nginx/conf.d/", "@prefix@/sites-enabled/")
        .replace("/etc/nginx/modules-enabled/", "@prefix@/modules-enabled/")
        .replace("/tmp/", "@prefix@/")
        .replace("stderr", "@prefix@/error.log")
        .replace("/dev/stdout", "@prefix@/access.log")
        .replace("worker_processes auto", "worker_processes 1");
    let gate = installed()
        .file("nginx.conf", &format!("@user@ daemon off;\n{conf}"))
        .prepare(with_certificate)
        .start();
    let mut alice = gate.visitor();
    assert_eq!(alice.sign_in("alice", PASSWORD).status, 200);
    alice.is_let_in(WIKI, "/");
}
