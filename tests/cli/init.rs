//! `auth-gate init`: what is written, whose it is, and that it is all or nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::fixture::{Ran, folder, run, run_with_input};

/// A machine with an nginx as Debian lays it out.
struct Machine(PathBuf);

impl Machine {
    fn new(test: &str) -> Machine {
        let root = folder(test);
        for folder in ["nginx/sites-available", "nginx/sites-enabled"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("password"), "correct horse battery staple\n").unwrap();
        Machine(root)
    }

    fn path(&self, path: &str) -> String {
        self.0.join(path).to_str().unwrap().to_owned()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The flags that say where everything lies.
    fn places(&self) -> Vec<String> {
        vec![
            "init".into(),
            format!("--dir={}", self.path("nginx/auth-gate")),
            format!("--data-dir={}", self.path("lib/auth-gate")),
            format!(
                "--site-file={}",
                self.path("nginx/sites-available/auth-gate.conf")
            ),
        ]
    }

    fn init_with_input(&self, flags: &[&str], input: &[u8]) -> Ran {
        let places = self.places();
        let all: Vec<&str> = places
            .iter()
            .map(String::as_str)
            .chain(flags.iter().copied())
            .collect();
        run_with_input(&all, input)
    }

    fn init(&self, flags: &[&str]) -> Ran {
        self.init_with_input(flags, b"")
    }

    /// The same with everything that has to be given, and these flags besides.
    fn unattended(&self, flags: &[&str]) -> Ran {
        let password = format!("--password-file={}", self.path("password"));
        let all = [
            &["--yes", "--self-signed", "--domain=example.com", &password],
            flags,
        ];
        self.init(&all.concat())
    }

    /// Everything below the folders that belong to nginx and the gate.
    fn found(&self) -> Vec<String> {
        fn walk(folder: &Path, to: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                to.push(path.clone());
                if path.symlink_metadata().unwrap().is_dir() {
                    walk(&path, to);
                }
            }
        }
        let mut paths = Vec::new();
        walk(&self.0, &mut paths);
        let mut paths: Vec<_> = paths
            .iter()
            .map(|path| path.strip_prefix(&self.0).unwrap().display().to_string())
            .filter(|path| path != "password")
            .collect();
        paths.sort();
        paths
    }
}

const BARE: [&str; 3] = ["nginx", "nginx/sites-available", "nginx/sites-enabled"];

const ALICE: &str = "--user=alice";

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Number of the user of nginx's workers, who are we where we are not root.
fn worker() -> u32 {
    if !is_root() {
        return fs::metadata("/proc/self").unwrap().uid();
    }
    let output = Command::new("id").args(["-u", "www-data"]).output();
    String::from_utf8(output.unwrap().stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn everything_is_written_with_its_owner_and_mode() {
    let machine = Machine::new("init-modes");
    let ran = machine.unattended(&[
        ALICE,
        "--enable",
        "--site=wiki.example.com",
        "--upstream=http://127.0.0.1:8080",
    ]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
    let me = fs::metadata("/proc/self").unwrap().uid();
    for (path, owner, mode) in [
        ("nginx/auth-gate", me, 0o755),
        ("nginx/auth-gate/configuration.yml", me, 0o600),
        ("nginx/auth-gate/example.com.crt", me, 0o644),
        ("nginx/auth-gate/example.com.key", me, 0o600),
        ("nginx/sites-available/auth-gate.conf", me, 0o644),
        ("lib/auth-gate", me, 0o755),
        ("lib/auth-gate/store", worker(), 0o700),
        ("lib/auth-gate/users", worker(), 0o700),
        ("lib/auth-gate/users/users_database.yml", worker(), 0o600),
    ] {
        let found = fs::metadata(machine.path(path)).unwrap();
        let is = (found.uid(), found.permissions().mode() & 0o7777);
        assert_eq!(is, (owner, mode), "{path}");
        assert!(ran.out.contains(&machine.path(path)), "{path} is not shown");
    }
    let link = fs::read_link(machine.path("nginx/sites-enabled/auth-gate.conf")).unwrap();
    assert_eq!(
        link,
        Path::new(&machine.path("nginx/sites-available/auth-gate.conf"))
    );
    let checked = run(&[
        "check-config",
        &machine.path("nginx/auth-gate/configuration.yml"),
    ]);
    assert_eq!(checked.status, 0, "{checked:?}");
    assert_eq!(checked.err.matches("warning:").count(), 1, "{checked:?}");
    assert!(
        checked.err.contains("notifier: is missing"),
        "{}",
        checked.err
    );
    let steps: Vec<&str> = ran
        .out
        .lines()
        .skip_while(|line| !line.starts_with("Written"))
        .collect();
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(steps[1].ends_with("nginx -t") && steps[2].contains("nginx"));
    assert!(steps[3].contains("https://wiki.example.com/ and sign in as alice"));
}

#[test]
fn no_secret_is_shown() {
    let machine = Machine::new("init-secrets");
    let ran = machine.unattended(&[ALICE]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let mut secrets = Vec::new();
    for (file, key) in [
        ("nginx/auth-gate/configuration.yml", " secret: "),
        ("nginx/auth-gate/configuration.yml", "encryption_key: "),
        ("lib/auth-gate/users/users_database.yml", "password: "),
    ] {
        let text = machine.read(file);
        let secret = text.lines().find_map(|line| line.split_once(key));
        secrets.push(secret.unwrap().1.trim_matches('\'').to_owned());
    }
    assert!(secrets[2].starts_with("$argon2id$"));
    assert!(
        secrets[..2].iter().all(|secret| secret.len() == 64) && secrets[0] != secrets[1],
        "{secrets:?}"
    );
    secrets.push("correct horse".into());
    secrets.push("BEGIN PRIVATE KEY".into());
    for secret in secrets {
        assert!(!ran.out.contains(&secret), "{secret} is shown");
    }
    // Everything else is, as it was written.
    for line in machine.read("nginx/sites-available/auth-gate.conf").lines() {
        assert!(ran.out.contains(line), "{line} is not shown");
    }
}

#[test]
fn nothing_is_overwritten_and_all_that_is_there_is_named() {
    let all = [
        "nginx/auth-gate/configuration.yml",
        "nginx/auth-gate/example.com.crt",
        "nginx/auth-gate/example.com.key",
        "nginx/sites-available/auth-gate.conf",
        "nginx/sites-enabled/auth-gate.conf",
        "lib/auth-gate/users/users_database.yml",
        "lib/auth-gate/store/db.sqlite3",
        "lib/auth-gate/store/db.sqlite3-wal",
    ];
    let sets = all.iter().map(std::slice::from_ref).chain([&all[..]]);
    for (number, there) in sets.enumerate() {
        let machine = Machine::new(&format!("init-there-{number}"));
        for path in there {
            fs::create_dir_all(Path::new(&machine.path(path)).parent().unwrap()).unwrap();
            // A link that leads nowhere is there, too.
            symlink("/nowhere/precious", machine.path(path)).unwrap();
        }
        let before = machine.found();
        let ran = machine.unattended(&[ALICE, "--enable"]);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{there:?}");
        for path in there {
            assert!(ran.err.contains(&machine.path(path)), "{}", ran.err);
        }
        assert!(ran.err.ends_with("nothing was written\n"), "{}", ran.err);
        assert_eq!(machine.found(), before);
    }
}

#[test]
fn what_cannot_be_finished_is_taken_back() {
    let machine = Machine::new("init-undo");
    // A name that no file can have, which shows when it is written.
    let site = format!("--site-file={}", machine.path(&"x".repeat(300)));
    let mut all = machine.places();
    all.pop();
    let password = format!("--password-file={}", machine.path("password"));
    let flags = ["--yes", "--self-signed", "--domain=example.com", ALICE];
    let mut line: Vec<&str> = all.iter().map(String::as_str).collect();
    line.extend(flags);
    line.extend([site.as_str(), password.as_str()]);
    let ran = run(&line);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.err.contains("too long"), "{}", ran.err);
    assert_eq!(machine.found(), BARE);
}

#[test]
fn a_dry_run_shows_and_writes_nothing() {
    let machine = Machine::new("init-dry");
    let ran = machine.init(&["--dry-run", "--self-signed", "--domain=example.com", ALICE]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
    for shown in ["auth_gate_portal;", "mode 0600", "displayname: alice"] {
        assert!(ran.out.contains(shown), "{shown} is not in {}", ran.out);
    }
    assert_eq!(machine.found(), BARE);
}

#[test]
fn any_name_is_written_so_that_it_is_read_again() {
    let names = [
        "a: b",
        "'",
        "\"x\" # y",
        "true",
        "12",
        "- [a, {b",
        "\u{e4}\u{1f511}",
        "*x",
        "~",
    ];
    for (number, name) in names.iter().enumerate() {
        let machine = Machine::new(&format!("init-names-{number}"));
        let ran = machine.unattended(&[
            &format!("--user={name}"),
            &format!("--display-name={name} {name}"),
            &format!("--email={name}@example.com"),
        ]);
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        let config = machine.path("nginx/auth-gate/configuration.yml");
        let asked = [
            "check-policy",
            "--config",
            &config,
            "--url=https://wiki.example.com/",
            &format!("--username={name}"),
            "--format=json",
        ];
        let policy = run(&asked);
        assert!(
            policy.out.contains("\"admins\""),
            "{name} is no user: {policy:?}"
        );
    }
}

#[test]
fn what_cannot_be_is_said_with_what_to_write() {
    for (flags, said) in [
        (&["--domain=192.0.2.1"][..], "write a domain of yours"),
        (&["--domain=localhost"], "write for instance home.localhost"),
        (&["--domain=co.uk"], "your own domain below it"),
        (&["--domain=example.com.."], "is no host name"),
        (&["--domain=home.7"], "is no host name"),
        (&["--domain=https://example.com/"], "write `example.com`"),
        (
            &["--portal=auth.example.org"],
            "a name that ends with `.example.com`",
        ),
        (&["--site=a.example.com"], "one --upstream for each --site"),
        (
            &["--site=auth.example.com", "--upstream=http://127.0.0.1:1"],
            "is taken already",
        ),
        (
            &["--site=a.example.com", "--upstream=127.0.0.1:8080"],
            "http://127.0.0.1:8080",
        ),
        (&["--user="], "is empty"),
        (&["--user=a\nb"], "control characters"),
        (&["--email=alice"], "is no e-mail address"),
        (&["--site-file=/etc/x.conf", "--enable"], "sites-available"),
        (&["--dir=/tmp/a$b"], "without `$`"),
        (&["--password-file=/nowhere"], "/nowhere"),
        (&["--password-file=/dev/null"], "the password is empty"),
        (
            &["--nginx-user=no-such-user"],
            if is_root() {
                "write --nginx-user"
            } else {
                "sudo"
            },
        ),
    ] {
        let machine = Machine::new("init-wrong");
        let mut line = machine.places();
        let flag_of = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
        let password = format!("--password-file={}", machine.path("password"));
        for usual in ["--domain=example.com", ALICE, &password] {
            line.push(usual.to_owned());
        }
        line.retain(|usual| !flags.iter().any(|flag| flag_of(flag) == flag_of(usual)));
        line.extend(["--yes", "--self-signed"].map(str::to_owned));
        line.extend(flags.iter().map(|flag| (*flag).to_owned()));
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let ran = run(&line);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (1, ""),
            "{flags:?}: {ran:?}"
        );
        assert!(ran.err.contains(said), "{flags:?}: {}", ran.err);
        assert_eq!(machine.found(), BARE, "{flags:?}");
    }
}

#[test]
fn without_a_terminal_all_that_is_missing_is_named() {
    let machine = Machine::new("init-missing");
    let ran = machine.init(&[]);
    assert_eq!(ran.status, 1);
    for flag in [
        "--domain",
        "--user",
        "--password-file",
        "--self-signed",
        "--yes",
    ] {
        assert!(ran.err.contains(flag), "{flag}: {}", ran.err);
    }
    assert_eq!(machine.found(), BARE);
}

#[test]
fn the_password_comes_from_standard_input_never_from_the_command_line() {
    let machine = Machine::new("init-stdin");
    let flags = [
        "--yes",
        "--self-signed",
        "--domain=example.com",
        ALICE,
        "--password-file=-",
    ];
    let ran = machine.init_with_input(&flags, b"swordfish\nmore\n");
    assert_eq!(ran.status, 0, "{ran:?}");
    let typed = run(&["init", "--password", "swordfish"]);
    assert_eq!(typed.status, 2, "{typed:?}");
}

#[test]
fn without_a_store_the_workers_only_read() {
    let machine = Machine::new("init-no-store");
    let ran = machine.unattended(&[ALICE, "--no-store"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let users = fs::metadata(machine.path("nginx/auth-gate/users_database.yml")).unwrap();
    assert_eq!(users.permissions().mode() & 0o777, 0o640);
    assert_eq!(users.uid(), fs::metadata("/proc/self").unwrap().uid());
    let configuration = machine.read("nginx/auth-gate/configuration.yml");
    assert!(!configuration.contains("storage:"), "{configuration}");
    assert!(!Path::new(&machine.path("lib")).exists());
}

#[test]
fn a_certificate_that_is_there_is_used_as_it_is() {
    let machine = Machine::new("init-certificate");
    let (pem, key) = (machine.path("nginx/a.crt"), machine.path("nginx/a.key"));
    fs::write(&pem, "x").unwrap();
    let flags = [
        "--yes",
        "--domain=example.com",
        ALICE,
        "--password-file=-",
        "--certificate",
        &pem,
        "--key",
        &key,
    ];
    let missing = machine.init_with_input(&flags, b"swordfish\n");
    assert!(missing.err.contains("a.key is no file"), "{missing:?}");
    fs::write(&key, "x").unwrap();
    let ran = machine.init_with_input(&flags, b"swordfish\n");
    assert_eq!(ran.status, 0, "{ran:?}");
    let site = machine.read("nginx/sites-available/auth-gate.conf");
    assert!(site.contains(&format!("ssl_certificate {pem};")), "{site}");
    assert!(
        site.contains(&format!("ssl_certificate_key {key};")),
        "{site}"
    );
    assert!(!ran.out.contains("example.com.crt"), "{}", ran.out);
}

#[test]
fn a_folder_of_somebody_else_is_not_taken_for_the_workers() {
    if !is_root() {
        eprintln!("not run: only root can make a folder that is somebody else's");
        return;
    }
    let machine = Machine::new("init-foreign");
    fs::create_dir_all(machine.path("lib/auth-gate/users")).unwrap();
    let ran = machine.unattended(&[ALICE]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("chown www-data:www-data '"), "{}", ran.err);
    std::os::unix::fs::chown(machine.path("lib/auth-gate/users"), Some(worker()), None).unwrap();
    let ran = machine.unattended(&[ALICE]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn a_folder_in_which_everybody_writes_is_not_taken_by_root() {
    if !is_root() {
        eprintln!("not run: only root refuses such a folder");
        return;
    }
    for path in [
        "nginx/auth-gate",
        "lib/auth-gate",
        "lib/auth-gate/store",
        "lib/auth-gate/users",
    ] {
        let machine = Machine::new("init-open");
        for place in [
            "nginx/auth-gate",
            "lib/auth-gate/store",
            "lib/auth-gate/users",
        ] {
            fs::create_dir_all(machine.path(place)).unwrap();
            if place.starts_with("lib") {
                std::os::unix::fs::chown(machine.path(place), Some(worker()), None).unwrap();
            }
        }
        let mode = |mode| fs::set_permissions(machine.path(path), fs::Permissions::from_mode(mode));
        mode(0o777).unwrap();
        let before = machine.found();
        let ran = machine.unattended(&[ALICE]);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{path}: {ran:?}");
        let said = format!("chmod o-w '{}'", machine.path(path));
        assert!(ran.err.contains(&said), "{path}: {}", ran.err);
        assert_eq!(machine.found(), before);
        mode(0o755).unwrap();
        let ran = machine.unattended(&[ALICE]);
        assert_eq!(ran.status, 0, "{path}: {ran:?}");
    }
}

#[test]
fn who_cannot_write_is_told_before_anything_is_asked() {
    let machine = Machine::new("init-shut");
    let folder = machine.path("nginx");
    let mode = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode));
    mode(0o555).unwrap();
    let mut line = String::new();
    if is_root() {
        // Without this power root is kept out, too.
        line += "setpriv --bounding-set=-dac_override ";
    }
    line += env!("CARGO_BIN_EXE_auth-gate");
    for place in machine.places() {
        line += &format!(" '{place}'");
    }
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::null())
        .output()
        .expect("script (util-linux) runs");
    mode(0o755).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(!said.contains("Domain"), "{said}");
    let wanted = format!("nothing can be written in {folder}");
    assert!(said.contains(&wanted), "{said}");
    assert!(is_root() || said.contains("sudo"), "{said}");
}

#[test]
fn somebody_at_a_terminal_is_asked() {
    let machine = Machine::new("init-terminal");
    let mut line = env!("CARGO_BIN_EXE_auth-gate").to_owned();
    for place in machine.places() {
        line += &format!(" '{place}'");
    }
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script (util-linux) runs");
    let answers = [
        "localhost",
        "example.com",
        "auth.example.org",
        "",
        "wiki.example.com",
        "",
        "alice",
        "Alice Liddell",
        "",
        "swordfish",
        "swordfisch",
        "swordfish",
        "swordfish",
        "",
        "",
        "y",
    ];
    use std::io::Write as _;
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all((answers.join("\n") + "\n").as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    for sentence in [
        "has no dot",
        "lies outside the domain",
        "the two passwords differ",
        "[http://127.0.0.1:8080]",
        "Write this? [y/N]",
        "and sign in as alice",
    ] {
        assert!(said.contains(sentence), "{sentence} is not in {said}");
    }
    let users = machine.read("lib/auth-gate/users/users_database.yml");
    assert!(
        users.contains("displayname: 'Alice Liddell'") && !users.contains("email:"),
        "{users}"
    );
    assert!(Path::new(&machine.path("nginx/sites-enabled/auth-gate.conf")).exists());
}
