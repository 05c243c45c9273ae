//! The command line, where sessions and bans are in Redis.

use std::fs;
use std::process::{Command, Output};

use ngx_http_auth_gate_module::store::{Event, Ledger};

use super::fixture::{BY, session, store};
use super::servers::{Kind, Servers};

const USERS: &str = "users:\n  alice:\n    displayname: Alice\n    password: $argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU\n    email: alice@example.com\n";

/// Runs the command with a configuration that has no other storage.
fn run(servers: &Servers, arguments: &[&str]) -> Output {
    let folder = servers.folder();
    let file = folder.join("configuration.yml");
    fs::write(folder.join("users.yml"), USERS).unwrap();
    let configuration = format!(
        "authentication_backend:\n  file:\n    path: users.yml\n\
        session:\n  secret: a-session-secret-of-some-length\n  redis: {}\n  \
        cookies:\n    - domain: example.com\n      authelia_url: https://auth.example.com\n\
        access_control:\n  default_policy: one_factor\ncertificates_directory: {}\n",
        servers.yaml(),
        servers.authority().display()
    );
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-gate"));
    command.args(arguments).arg("--config").arg(&file);
    command.output().unwrap()
}

fn well(servers: &Servers, arguments: &[&str]) -> String {
    let output = run(servers, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn sessions_and_bans_are_those_that_all_machines_share() {
    for kind in [
        Kind::Tcp,
        Kind::Unix,
        Kind::Tls,
        Kind::Sentinel,
        Kind::Cluster,
    ] {
        let servers = Servers::start(kind);
        let ledger = store(&servers);
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let now = now.as_secs();
        let begun = [1, 2].map(|number| {
            let mut session = session(number, "alice");
            (session.created, session.last_used, session.ends) = (now, now, now + 600);
            Event::Started {
                session,
                replaces: None,
            }
        });
        ledger.record(&begun, BY, now).unwrap();
        let listed = well(&servers, &["session", "list"]);
        assert!(
            listed.contains("0101010101010101") && listed.contains("alice"),
            "{listed}"
        );
        let ended = well(&servers, &["session", "end", "0101010101010101"]);
        assert!(ended.starts_with("ended 1 session of alice"), "{ended}");
        assert!(ledger.fetch(&[1; 32], now).unwrap().is_none());
        let ended = well(&servers, &["session", "end", "--user", "alice"]);
        assert!(ended.starts_with("ended 1 session of alice"), "{ended}");
        well(&servers, &["ban", "add", "--user", "alice"]);
        assert!(well(&servers, &["ban", "list"]).contains("administrator"));
        assert_eq!(ledger.bans(now).unwrap().len(), 1);
        well(&servers, &["ban", "revoke", "--user", "alice"]);
        assert_eq!(well(&servers, &["ban", "list"]), "nobody is banned\n");
    }
}

#[test]
fn a_server_that_is_gone_is_named() {
    let mut servers = Servers::start(Kind::Tcp);
    servers.first().kill();
    let output = run(&servers, &["session", "list"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    let named = format!("Redis at {}:6379: cannot be reached", servers.host());
    assert!(error.contains(&named), "{error}");
}
