use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine;

use super::fixture::{folder, run};

fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    base64::prelude::BASE64_STANDARD.decode(lines).unwrap()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_certificate_covers_the_names_and_what_is_below_them() {
    let dir = folder("certificate").join("new/folder");
    let ran = run(&[
        "certificate",
        "--host",
        "Example.com",
        "*.example.org",
        "127.0.0.1",
        "--dir",
        dir.to_str().unwrap(),
    ]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
    let (certificate, key) = (dir.join("example.com.crt"), dir.join("example.com.key"));
    let der = der(&fs::read_to_string(&certificate).unwrap());
    for name in [
        "example.com",
        "*.example.com",
        "example.org",
        "*.example.org",
    ] {
        let mut entry = vec![0x82, name.len() as u8];
        entry.extend(name.bytes());
        assert!(contains(&der, &entry), "{name}");
    }
    assert!(contains(&der, &[0x87, 4, 127, 0, 0, 1]));
    assert!(
        fs::read_to_string(&key)
            .unwrap()
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    for line in [
        format!("ssl_certificate     {};", certificate.display()),
        format!("ssl_certificate_key {};", key.display()),
    ] {
        assert!(
            ran.out.lines().any(|printed| printed == line),
            "{line} is not in {}",
            ran.out
        );
    }
}

#[test]
fn nothing_is_ever_overwritten() {
    for there in ["example.com.crt", "example.com.key"] {
        let dir = folder(&format!("certificate-{there}"));
        fs::write(dir.join(there), "precious").unwrap();
        let ran = run(&[
            "certificate",
            "--host",
            "example.com",
            "--dir",
            dir.to_str().unwrap(),
        ]);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""));
        assert!(ran.err.contains(there), "{}", ran.err);
        assert_eq!(fs::read_to_string(dir.join(there)).unwrap(), "precious");
        assert_eq!(
            fs::read_dir(&dir).unwrap().count(),
            1,
            "a file was written beside {there}"
        );
    }
}

#[test]
fn a_link_that_leads_nowhere_is_not_followed() {
    let dir = folder("certificate-link");
    std::os::unix::fs::symlink(dir.join("elsewhere"), dir.join("example.com.key")).unwrap();
    let ran = run(&[
        "certificate",
        "--host",
        "example.com",
        "--dir",
        dir.to_str().unwrap(),
    ]);
    assert_eq!(ran.status, 1);
    assert!(!dir.join("elsewhere").exists());
}

#[test]
fn paths_are_quoted_for_nginx() {
    let dir = folder("certificate-quote").join("a \"b\"");
    let ran = run(&[
        "certificate",
        "--host",
        "localhost",
        "--dir",
        dir.to_str().unwrap(),
    ]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.out.contains("a \\\"b\\\"/localhost.crt\";"),
        "{}",
        ran.out
    );
    let dollar = folder("certificate-dollar").join("a$b");
    let ran = run(&[
        "certificate",
        "--host",
        "localhost",
        "--dir",
        dollar.to_str().unwrap(),
    ]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains('$') && !dollar.join("localhost.key").exists(),
        "{}",
        ran.err
    );
}

#[test]
fn what_is_no_host_name_is_refused_before_anything_is_written() {
    let dir = folder("certificate-host");
    let long = "a".repeat(64);
    for host in [
        "https://example.com",
        "example.com:443",
        "",
        "a..b",
        "-a",
        "a b",
        "../x",
        "*",
        "ü.example",
        &long,
    ] {
        let ran = run(&[
            "certificate",
            "--dir",
            dir.to_str().unwrap(),
            "--host",
            "example.com",
            &format!("--host={host}"),
        ]);
        assert_eq!(ran.status, 1, "{host}: {ran:?}");
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}
