//! The blocks of README.md. What a block of nginx or YAML is stands in its first line: `file=` (a whole file of the
//! five-minute start), `in=` (a piece of that context), `part=` (a piece of that file). Commands are run and print
//! what stands below them, `…` standing for anything; those of `part=folders` make what its configuration names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ADMIN, FASTCGI, PASSWORD, WIKI, fitted, installed, signed_in};
use crate::nginx::harness::Site;
use crate::nginx::harness::place::is_root;
use crate::nginx::harness::tls::authority;

const README: &str = include_str!("../../../README.md");

/// Where the README keeps the files of the gate.
const FOLDER: &str = "/etc/nginx/auth-gate";

/// A fenced block.
pub(super) struct Block {
    line: usize,
    language: &'static str,
    mark: &'static str,
    pub(super) text: String,
}

pub(super) fn blocks(language: &str) -> Vec<Block> {
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    for (number, line) in (1..).zip(README.lines()) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                let (language, mark) = info.split_once(' ').unwrap_or((info, ""));
                open = Some(Block {
                    line: number,
                    language,
                    mark,
                    text: String::new(),
                });
            }
            (None, Some(block)) => block.text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks.retain(|block| block.language == language);
    blocks
}

/// The files of the five-minute start, their paths below /etc/nginx.
fn start() -> Vec<(String, String)> {
    let all = blocks("nginx").into_iter().chain(blocks("yaml"));
    all.filter_map(|block| {
        Some((
            block.mark.strip_prefix("file=/etc/nginx/")?.to_owned(),
            block.text,
        ))
    })
    .collect()
}

fn file_of_the_start(path: &str) -> String {
    let found = start().into_iter().find(|(name, _)| name == path);
    found
        .unwrap_or_else(|| panic!("README.md has no block for /etc/nginx/{path}"))
        .1
}

#[test]
fn the_five_minute_start_works() {
    let site = installed(&start(), "");
    site.clone().check().taken_silently();

    let gate = site.start();
    let mut bob = gate.visitor();
    let challenge = bob.page(WIKI, "/page?a=1");
    assert_eq!(challenge.status, 302);
    let back = bob.sign_in_by_form(challenge.location(), "bob", PASSWORD);
    assert_eq!(back.location(), gate.url(WIKI, "/page?a=1"));
    assert_eq!(bob.is_let_in(WIKI, "/page?a=1").one("Remote-User"), "bob");
    assert_eq!(bob.is_refused(ADMIN, "/").status, 403);
    assert_eq!(
        signed_in(&gate, "alice")
            .is_let_in(ADMIN, "/")
            .one("Remote-Groups"),
        "admins,readers"
    );
    gate.visitor().is_let_in(WIKI, "/static/a.css");
    gate.visitor().is_refused(WIKI, "/static/..%2fsecret");
}

#[test]
fn every_piece_of_nginx_configuration_is_taken() {
    for block in blocks("nginx") {
        let text = fitted(&block.text);
        let site = Site::bed()
            .file("fastcgi.conf", FASTCGI)
            .file("uwsgi_params", "")
            .file("auth-gate/example.com.crt", &authority().chain_pem)
            .file(
                "auth-gate/configuration.yml",
                &fitted(&file_of_the_start("auth-gate/configuration.yml")),
            )
            .file(
                "auth-gate/users_database.yml",
                &file_of_the_start("auth-gate/users_database.yml"),
            );
        let server =
            |inside: &str| format!("server {{ @listen@ server_name piece.example.com; {inside} }}");
        let site = match block.mark {
            "in=http" if text.contains("auth_gate_config") => site.http_only(&text),
            "in=http" => site.http(&text),
            "in=server" => site.server(&server(&text)),
            "in=location" => site.server(&server(&format!("location / {{ {text} }}"))),
            mark => {
                assert!(
                    mark.starts_with("file="),
                    "README.md:{}: say how this is tested",
                    block.line
                );
                continue;
            }
        };
        let checked = site.check();
        assert!(checked.ok, "README.md:{}: {}", block.line, checked.text);
    }
}

#[test]
fn every_piece_of_yaml_is_taken_without_a_word() {
    let folder = folder("yaml");
    for block in blocks("yaml") {
        let (mut configuration, mut users) = (
            file_of_the_start("auth-gate/configuration.yml"),
            file_of_the_start("auth-gate/users_database.yml"),
        );
        match block.mark {
            "part=configuration" => {
                let part = block.text.replace("/var/lib/auth-gate/users/", "");
                configuration = with_part(&configuration, &part);
            }
            "part=users" => users = block.text,
            mark => assert!(
                mark.starts_with("file="),
                "README.md:{}: say how this is tested",
                block.line
            ),
        }
        write(&folder, "configuration.yml", &configuration);
        write(&folder, "users_database.yml", &users);
        let said = shell(&folder, "auth-gate check-config configuration.yml");
        let fine = said.starts_with("configuration.yml is good: ") && said.lines().count() == 1;
        assert!(fine, "README.md:{}: {said}", block.line);
    }
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn folders_as_the_readme_makes_them_suit_the_workers() {
    if !is_root() {
        return;
    }
    let part = blocks("yaml")
        .into_iter()
        .find(|block| block.mark == "part=configuration" && block.text.contains("\nstorage:"));
    let part = part.expect("README.md configures a store").text;
    let mut files = start();
    for (path, text) in &mut files {
        if path == "auth-gate/configuration.yml" {
            *text = with_part(text, &part);
        }
    }
    let site = installed(&files, "").prepare(make_folders);
    site.check().taken_silently();
}

/// What the README says to type, as far as it is about files.
fn make_folders(prefix: &Path) {
    let commands = blocks("sh")
        .into_iter()
        .find(|block| block.mark == "part=folders");
    let commands = commands.expect("README.md makes folders").text;
    let here = prefix.display().to_string();
    for line in commands.lines().filter(|line| !line.contains(" nginx ")) {
        let line = line
            .replace("sudo ", "")
            .replace("/var/lib/", &format!("{here}/lib/"))
            .replace("/etc/nginx/", &format!("{here}/"));
        assert_eq!(shell(prefix, &line), "", "{line}");
    }
}

#[test]
fn commands_print_what_stands_below_them() {
    let folder = folder("console");
    let here = folder.display().to_string();
    for file in ["configuration.yml", "users_database.yml"] {
        write(
            &folder,
            file,
            &file_of_the_start(&format!("auth-gate/{file}")),
        );
    }
    write(&folder, "password.txt", "a password for this test\n");
    for block in blocks("console") {
        let mut lines = block.text.lines().peekable();
        while let Some(line) = lines.next() {
            let command = line
                .strip_prefix("$ ")
                .expect("a command before its output");
            let mut wanted = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                wanted.push(line);
            }
            let said = shell(&folder, &command.replace(FOLDER, &here)).replace(&here, FOLDER);
            let told: Vec<&str> = said.lines().collect();
            let fits = told.len() == wanted.len()
                && wanted
                    .iter()
                    .zip(&told)
                    .all(|(wanted, told)| fits(wanted, told));
            assert!(fits, "README.md:{}: {command} prints\n{said}", block.line);
        }
    }
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn every_directive_and_every_variable_is_described() {
    let directives = include_str!("../../../src/nginx/directives.rs");
    let names: Vec<&str> = quoted(directives, " c\"")
        .filter(|name| name.starts_with("auth_gate"))
        .collect();
    assert!(names.len() >= 11, "{names:?}");
    for name in names {
        let (_, section) = README
            .split_once(&format!("\n### {name}\n"))
            .unwrap_or_else(|| panic!("README.md does not describe {name}"));
        let section = section.split("\n### ").next().unwrap_or_default();
        let syntax = format!("- **Syntax:** `{name}");
        for part in [&syntax[..], "- **Default:**", "- **Context:**"] {
            assert!(section.contains(part), "{name} lacks {part}");
        }
    }
    let variables = include_str!("../../../src/nginx/variables.rs");
    let names: Vec<&str> = quoted(variables, "(\"")
        .filter(|name| name.starts_with("remote_") || name.starts_with("auth_gate_"))
        .collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        assert!(
            README.contains(&format!("\n| `${name}` |")),
            "README.md does not describe ${name}"
        );
    }
}

/// What follows `open` up to the next quote, wherever it stands.
fn quoted<'t>(text: &'t str, open: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

/// Top-level keys of a YAML text, each with all its lines.
fn sections(yaml: &str) -> Vec<(&str, String)> {
    let mut sections: Vec<(&str, String)> = Vec::new();
    for line in yaml.lines() {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            sections.push((line.split(':').next().unwrap_or_default(), String::new()));
        }
        if let Some((_, text)) = sections.last_mut() {
            *text += &format!("{line}\n");
        }
    }
    sections
}

/// `whole` with its sections replaced by those of `part`.
fn with_part(whole: &str, part: &str) -> String {
    let part = sections(part);
    let kept = sections(whole)
        .into_iter()
        .filter(|(key, _)| part.iter().all(|(other, _)| other != key));
    kept.chain(part.clone()).map(|(_, text)| text).collect()
}

/// Whether `text` is `pattern`, in which `…` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = if part.is_empty() { "" } else { after };
    }
    rest.is_empty()
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("auth-gate-readme-{}-{name}", std::process::id()));
    fs::create_dir_all(&path).expect("a folder");
    path
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}

/// All that a line of shell prints in that folder, `auth-gate` being ours.
fn shell(folder: &Path, line: &str) -> String {
    let ours = Path::new(env!("CARGO_BIN_EXE_auth-gate"))
        .parent()
        .expect("a folder with the program");
    let path = format!(
        "{}:{}",
        ours.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("exec 2>&1\n{line}"))
        .current_dir(folder)
        .env("PATH", path)
        .output()
        .expect("a shell");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
