//! `auth-gate user`, `session` and `ban`: what an administrator sees and changes in the storage.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ngx_http_auth_gate_module::factors::totp::{Key, Parameters, Secret};
use ngx_http_auth_gate_module::store::{
    AppPasswords, Command, Event, Factors, Ledger, LedgerSession, Mark, NewCredential, Sqlite,
    StorageKey, Target,
};
use ngx_http_auth_gate_module::users::app_password::Token;

use super::fixture::{Ran, configuration, run};

const KEY: &str = "a-storage-key-of-some-length-for-the-tests";

struct Site {
    config: String,
    file: PathBuf,
}

/// A configuration with a storage.
fn site(test: &str) -> Site {
    let config = configuration(test, |text| {
        format!("{text}storage:\n  encryption_key: {KEY}\n  local:\n    path: db.sqlite3\n")
    });
    let file = Path::new(&config).with_file_name("db.sqlite3");
    Site { config, file }
}

impl Site {
    fn run(&self, arguments: &[&str]) -> Ran {
        run(&[arguments, &["--config", &self.config]].concat())
    }

    /// What a command prints that must end well.
    fn well(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "{arguments:?}: {}", ran.err);
        ran.out
    }

    /// What a command says that must not.
    fn bad(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.status, &*ran.out), (1, ""), "{arguments:?}");
        ran.err
    }

    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let out = self.well(&[arguments, &["--format", "json"]].concat());
        serde_json::from_str(&out).unwrap()
    }

    fn store(&self) -> Sqlite {
        let key = StorageKey::derive(KEY.as_bytes());
        Sqlite::open(&self.file, key, &mut |bytes: &mut [u8]| {
            getrandom::fill(bytes).unwrap();
        })
        .unwrap()
    }
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// Sessions as workers write them down.
fn sign_in(store: &Sqlite, sessions: &[(u8, &str)]) {
    let events: Vec<_> = sessions
        .iter()
        .map(|(number, user)| Event::Started {
            replaces: None,
            session: LedgerSession {
                key: [*number; 32],
                user: (*user).into(),
                domain: "example.com".into(),
                address: "192.0.2.7".parse().unwrap(),
                device: "Firefox on Linux".into(),
                methods: vec!["password".into(), "totp".into()],
                remember: false,
                created: now(),
                last_used: now(),
                ends: now() + 3600,
                record: vec![*number; 184],
            },
        })
        .collect();
    store.record(&events, 1, now()).unwrap();
}

#[test]
fn a_totp_device_that_is_added_makes_the_codes_that_count() {
    let site = site("people_totp");
    assert_eq!(
        site.well(&["user", "totp", "list"]),
        "there are no TOTP devices\n"
    );
    assert!(!site.file.exists(), "looking makes no storage");
    let out = site.well(&["user", "totp", "add", "--user", "john", "--name", "Phone"]);
    let line = |begin: &str| {
        let found = out.lines().find_map(|line| line.strip_prefix(begin));
        found.unwrap_or_else(|| panic!("{begin} is not in {out}"))
    };
    let base32 = line("key:     ");
    let uri = line("address: ");
    assert!(uri.starts_with("otpauth://totp/Authelia:john?"), "{uri}");
    assert!(uri.contains(&format!("secret={base32}")), "{uri}");
    assert!(out.contains('█') && out.contains('▀'), "no QR code: {out}");

    let devices = site.store().totp_devices("john").unwrap();
    let key = |secret| Key {
        secret,
        parameters: Parameters::default(),
    };
    use secrecy::ExposeSecret;
    let shown = key(Secret::parse(base32).unwrap());
    let kept = devices[0].device.secret.expose_secret().to_vec();
    let kept = key(Secret::new(kept).unwrap());
    let at = 1_800_000_000;
    assert!(kept.check(shown.code(at).expose_secret(), 0, at).is_some());

    let listed = site.well(&["user", "totp", "list"]);
    assert!(listed.contains("john  1   Phone"), "{listed}");
    assert!(!listed.contains(base32));
    let listed = site.json(&["user", "totp", "list", "--user", "john"]);
    assert_eq!(listed[0]["name"], "Phone");
    assert_eq!(listed[0]["algorithm"], "SHA1");
    assert_eq!(listed[0]["last_used"], serde_json::Value::Null);
}

#[test]
fn devices_get_a_free_name_and_go_by_name_number_or_all_at_once() {
    let site = site("people_totp_remove");
    let add = ["user", "totp", "add", "--user", "john"];
    (0..4).for_each(|_| _ = site.well(&add));
    let names = || -> Vec<String> {
        let devices = site.json(&["user", "totp", "list"]);
        let names = devices.as_array().unwrap().iter();
        names
            .map(|device| device["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let app = |number| format!("Authenticator app {number}");
    assert_eq!(
        names(),
        ["Authenticator app".into(), app(2), app(3), app(4)]
    );
    let remove = |more: &[&str]| {
        let arguments = ["user", "totp", "remove", "--user", "john"];
        [&arguments[..], more].concat().join("\n")
    };
    let run = |arguments: String| site.run(&arguments.split('\n').collect::<Vec<_>>());
    assert_eq!(run(remove(&["--name", "Authenticator app 3"])).status, 0);
    assert_eq!(run(remove(&["--id", "1"])).status, 0);
    assert_eq!(names(), [app(2), app(4)]);
    let err = run(remove(&["--name", "Phone"])).err;
    assert!(err.contains("john has no such TOTP device"), "{err}");
    let out = run(remove(&["--all"])).out;
    assert_eq!(
        out,
        "removed 2 TOTP devices of john: Authenticator app 2, Authenticator app 4\n"
    );
    assert!(names().is_empty());
    let err = site.bad(&[&add[..], &["--name", "two\nlines"]].concat());
    assert!(err.contains("a device's name has 1 to 64"), "{err}");
}

#[test]
fn security_keys_are_listed_and_removed_and_added_in_the_browser() {
    let site = site("people_webauthn");
    let key = NewCredential {
        user: "john".into(),
        name: "Blue key".into(),
        rp_id: "auth.example.com".into(),
        credential_id: vec![1; 16],
        public_key: vec![2; 77],
        aaguid: None,
        attestation_format: "none".into(),
        attestation_type: "none".into(),
        attestation: None,
        attachment: "cross-platform".into(),
        transports: "usb".into(),
        sign_count: 1,
        clone_warning: false,
        legacy: false,
        discoverable: true,
        present: true,
        verified: true,
        backup_eligible: false,
        backup_state: false,
    };
    let random = &mut |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
    site.store().add_credential(&key, now(), random).unwrap();
    let listed = site.well(&["user", "webauthn", "list", "--user", "john"]);
    assert!(listed.contains("Blue key"), "{listed}");
    let listed = site.json(&["user", "webauthn", "list"]);
    assert_eq!(listed[0]["rp_id"], "auth.example.com");
    let added = site.well(&["user", "webauthn", "add", "--user", "john"]);
    assert!(
        added.contains("\n  https://auth.example.com/settings/two-factor\n"),
        "{added}"
    );
    let remove = ["user", "webauthn", "remove", "--user", "john"];
    site.well(&[&remove[..], &["--name", "Blue key"]].concat());
    assert_eq!(
        site.well(&["user", "webauthn", "list"]),
        "there are no security keys\n"
    );
}

#[test]
fn only_users_of_the_users_file_are_changed() {
    let site = site("people_unknown");
    for arguments in [
        &["user", "totp", "add", "--user", "nobody"][..],
        &["user", "totp", "list", "--user", "nobody"],
        &["user", "totp", "remove", "--user", "nobody", "--all"],
        &["user", "webauthn", "add", "--user", "nobody"],
        &["session", "end", "--user", "nobody"],
        &["ban", "add", "--user", "nobody"],
        &["ban", "revoke", "--user", "nobody"],
    ] {
        let err = site.bad(arguments);
        assert!(
            err.contains("users.yml: has no enabled user \"nobody\""),
            "{err}"
        );
    }
    // The name of somebody who is known by another.
    site.well(&["ban", "add", "--user", "john@example.com"]);
    assert_eq!(site.json(&["ban", "list"])[0]["user"], "john");
}

#[test]
fn sessions_are_listed_and_end_by_id_by_user_and_all_at_once() {
    let site = site("people_sessions");
    let nobody = "nobody is signed in\n";
    assert_eq!(site.well(&["session", "list"]), nobody);
    let store = site.store();
    sign_in(
        &store,
        &[
            (1, "john"),
            (2, "mallory"),
            (3, "john"),
            (4, "john"),
            (5, "gone"),
        ],
    );
    let listed = site.well(&["session", "list", "--user", "john"]);
    for part in [
        "0404040404040404",
        "Firefox on Linux",
        "192.0.2.7",
        "password, totp",
        " UTC",
    ] {
        assert!(listed.contains(part), "{listed}");
    }
    assert!(!listed.contains("mallory"));
    let ids = || -> Vec<String> {
        let sessions = site.json(&["session", "list"]);
        let sessions = sessions.as_array().unwrap().iter();
        let mut ids: Vec<String> = sessions
            .map(|session| session["id"].as_str().unwrap()[..2].to_owned())
            .collect();
        ids.sort();
        ids
    };
    let out = site.well(&["session", "end", "0404040404040404"]);
    assert!(out.starts_with("ended 1 session of john;"), "{out}");
    assert_eq!(ids(), ["01", "02", "03", "05"]);
    let err = site.bad(&["session", "end", "0404040404040404"]);
    assert!(err.contains("there is no session 0404"), "{err}");
    let err = site.bad(&["session", "end", "0"]);
    assert!(err.contains("several sessions begin with 0"), "{err}");
    // Whoever was taken out of the users file may still be signed in.
    site.well(&["session", "end", "--user", "gone"]);
    let out = site.well(&["session", "end", "--user", "john"]);
    assert!(out.starts_with("ended 2 sessions of john;"), "{out}");
    assert_eq!(ids(), ["02"]);
    site.well(&["session", "end", "--all"]);
    assert_eq!(site.well(&["session", "list"]), nobody);
    let orders = store.orders_after(Mark::default(), 10, Duration::ZERO);
    let told: Vec<_> = orders
        .unwrap()
        .orders
        .into_iter()
        .map(|order| order.command)
        .collect();
    let end_user = |name: &str| Command::EndUser {
        user: name.into(),
        except: None,
    };
    assert_eq!(
        told,
        [
            Command::EndSession([4; 32]),
            end_user("gone"),
            end_user("john"),
            Command::EndAll
        ]
    );
}

#[test]
fn bans_are_added_listed_and_taken_back() {
    let site = site("people_bans");
    assert_eq!(site.well(&["ban", "list"]), "nobody is banned\n");
    let before = now();
    site.well(&["ban", "add", "--user", "john"]);
    site.well(&["ban", "add", "--ip", "2001:db8::7:1", "--for", "2 days"]);
    let store = site.store();
    let bans = store.bans(now()).unwrap();
    let (address, user) = (&bans[0], &bans[1]);
    assert_eq!(user.target, Target::User("john".into()));
    assert!((before + 3600..=now() + 3600).contains(&user.until));
    assert_eq!(
        address.target,
        Target::Address("2001:db8::".parse().unwrap())
    );
    assert!((before + 172_800..=now() + 172_800).contains(&address.until));
    let listed = site.well(&["ban", "list"]);
    assert!(listed.contains("user  john"), "{listed}");
    assert!(listed.contains("ip    2001:db8::/64"), "{listed}");
    assert!(listed.contains("administrator"), "{listed}");
    let out = site.well(&["ban", "revoke", "--ip", "2001:db8::9"]);
    assert!(
        out.starts_with("took back the ban of 2001:db8::/64"),
        "{out}"
    );
    let out = site.well(&["ban", "revoke", "--ip", "192.0.2.1"]);
    assert!(out.starts_with("192.0.2.1 was not banned"), "{out}");
    site.well(&["ban", "revoke", "--user", "john"]);
    assert_eq!(site.json(&["ban", "list"]), serde_json::json!([]));
}

#[test]
fn what_root_makes_belongs_to_who_runs_the_workers() {
    const WORKER: u32 = 65534;
    let site = site("people_root");
    let folder = site.file.parent().unwrap();
    if chown(folder, Some(WORKER), Some(WORKER)).is_err() {
        // Only root can give files away.
        return;
    }
    site.well(&["ban", "add", "--user", "john"]);
    assert_eq!(fs::metadata(&site.file).unwrap().uid(), WORKER);
    // While somebody has it open, the files beside it are there, too.
    let open = site.store();
    open.bans(now()).unwrap();
    site.well(&["ban", "add", "--ip", "192.0.2.1"]);
    let beside = ["-wal", "-shm"].map(|ending| format!("{}{ending}", site.file.display()));
    for file in beside {
        assert_eq!(fs::metadata(&file).unwrap().uid(), WORKER, "{file}");
    }
    chown(&site.file, Some(0), Some(0)).unwrap();
    let err = site.run(&["ban", "add", "--user", "john"]).err;
    assert!(err.contains("belongs to root"), "{err}");
}

#[test]
fn without_a_storage_it_is_said_what_to_write() {
    let config = configuration("people_none", |text| text);
    for arguments in [
        &["session", "list"][..],
        &["ban", "add", "--ip", "192.0.2.1"],
        &["user", "totp", "add", "--user", "john"],
    ] {
        let ran = run(&[arguments, &["--config", &config]].concat());
        assert_eq!(ran.status, 1);
        assert!(
            ran.err
                .contains("names no storage; write storage.local.path"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn half_a_command_ends_with_2() {
    for arguments in [
        &["user"][..],
        &["user", "totp"],
        &["user", "totp", "add"],
        &["user", "totp", "remove", "--user", "john"],
        &[
            "user", "totp", "remove", "--user", "john", "--all", "--id", "1",
        ],
        &["session"],
        &["session", "end"],
        &["session", "end", "--all", "--user", "john"],
        &["ban", "add"],
        &["ban", "add", "--user", "john", "--ip", "192.0.2.1"],
        &["ban", "add", "--user", "john", "--for", "0"],
        &["ban", "add", "--user", "john", "--for", "soon"],
        &["ban", "add", "--ip", "192.0.2"],
        &["session", "list", "--format", "xml"],
    ] {
        let ran = run(&[arguments, &["--config", "x"]].concat());
        assert_eq!((ran.status, &*ran.out), (2, ""), "{arguments:?}");
    }
}

#[test]
fn an_app_password_is_made_printed_once_listed_and_revoked() {
    let site = site("people_app_password");
    let list = ["user", "app-password", "list"];
    assert_eq!(site.well(&list), "there are no app passwords\n");
    assert!(!site.file.exists(), "looking makes no storage");
    let add = ["user", "app-password", "add", "--user", "john", "--name"];
    let with = |more: &[&'static str]| [&add[..], more].concat();
    let scope = [
        "Backup",
        "--expires",
        "90d",
        "--host",
        "Dav.example.com",
        "--host",
        "*.b.example.com",
    ];
    let out = site.well(&with(&scope));
    assert!(
        out.starts_with("added \"Backup\" for john; this is shown once:\n\nagp_"),
        "{out}"
    );
    let token = Token::read(out.trim_end().rsplit('\n').next().unwrap()).unwrap();
    let id = token.id().to_string();
    let kept = site
        .store()
        .app_password(token.id().bytes())
        .unwrap()
        .unwrap();
    assert_eq!(kept.verifier, token.verifier().bytes());
    assert_eq!(kept.hosts, ["dav.example.com", "*.b.example.com"]);
    assert_eq!(kept.expires, Some(kept.created + 90 * 86_400));
    site.well(&with(&["Phone"]));

    let listed = site.well(&[&list[..], &["--user", "john"]].concat());
    assert!(listed.contains(&format!("john  {id}  Backup")), "{listed}");
    assert!(!listed.contains(&token.reveal()[20..]), "{listed}");
    let listed = site.json(&list);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(
        (&listed[0]["expired"], &listed[0]["last_used"]),
        (&false.into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&listed[1]["name"], &listed[1]["expires"]),
        (&"Phone".into(), &serde_json::Value::Null)
    );

    for (more, wrong) in [
        (&["Phone"][..], "of that name already"),
        (&[" Phone "], "of that name already"),
        (&["two\nlines"], "name has 1 to 64 characters"),
        (
            &["x", "--host", "https://a"],
            "--host: \"https://a\" is no host; write",
        ),
        // A variable of a script that is empty must not mean all hosts.
        (&["x", "--host", ""], "--host: \"\" is no host; write"),
        (
            &["x", "--host", "a.example.com", "--host", " "],
            "--host: \" \" is no host; write",
        ),
        (
            &["x", "--expires", "soon"],
            "--expires: `soon` is not a duration",
        ),
        (
            &["x", "--expires", "0"],
            "--expires: leaves no time to use it",
        ),
    ] {
        let err = site.bad(&with(more));
        assert!(err.contains(wrong), "{more:?}: {err}");
    }
    let revoke = ["user", "app-password", "revoke", "--user", "john"];
    let revoke = |more: &[&str]| site.run(&[&revoke[..], more].concat());
    let err = revoke(&["--name", "Tablet"]).err;
    assert!(
        err.contains("john has no such app password; `auth-gate user app-password list"),
        "{err}"
    );
    assert_eq!(
        revoke(&["--id", &id]).out,
        "revoked 1 app password of john: Backup\n"
    );
    assert_eq!(
        revoke(&["--all"]).out,
        "revoked 1 app password of john: Phone\n"
    );
    assert_eq!(site.json(&list), serde_json::json!([]));
}

#[test]
fn an_app_password_keeps_to_the_configuration() {
    let site = site("people_app_password_limits");
    let text = fs::read_to_string(&site.config).unwrap();
    let add = [
        "user",
        "app-password",
        "add",
        "--user",
        "john",
        "--name",
        "x",
    ];
    let set = |section: &str| fs::write(&site.config, format!("{text}{section}")).unwrap();
    let err = site.bad(&[&add[..], &["--expires", "101y"]].concat());
    assert!(err.contains("more than a hundred years"), "{err}");
    set("app_passwords: {maximum_lifetime: 30d}\n");
    for more in [&[][..], &["--expires", "31d"]] {
        let err = site.bad(&[&add[..], more].concat());
        assert!(err.contains("allows no more than 2592000 seconds"), "{err}");
    }
    site.well(&[&add[..], &["--expires", "30d"]].concat());
    set("app_passwords: {disable: true}\n");
    let err = site.bad(&add);
    assert!(err.contains("app_passwords.disable is true"), "{err}");
    let gone = site.well(&["user", "app-password", "revoke", "--user", "john", "--all"]);
    assert_eq!(gone, "revoked 1 app password of john: x\n");
}
