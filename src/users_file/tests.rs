use std::fs::{self, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Signal, getpid, kill_process};

use super::*;
use crate::config::{Loaded, load};
use crate::files::Disk;

const OLD: &str = "$argon2id$v=19$m=1024,t=1,p=1$pTOH29y4Ev9/Tx+L9UCoeQ$zpG/W7pTROaU1GhfdhzllAvX9BjmItZaOW0Y2pTEmPQ";
const NEW: &str = "$argon2id$v=19$m=1024,t=1,p=1$AhQkYiTfw1U8C71DDKRMvA$VsUqy8zzmGqUIicz7mGMz9X65zZ8kElo04KyXsbfRhU";
const STEPS: [Step; 7] = [
    Step::Locked,
    Step::Read,
    Step::Created,
    Step::HalfWritten,
    Step::Written,
    Step::Renamed,
    Step::Synced,
];

fn users() -> String {
    let person =
        |name: &str| format!("  {name}: {{displayname: '{name}', password: '{OLD}'}} # {name}\n");
    let people: String = ["alice", "bob", "carol", "dave"].map(person).concat();
    format!(
        "# people\nusers:\n{people}  gone:\n    displayname: G\n    password: {OLD}\n    disabled: yes\n"
    )
}

/// A new folder with a configuration and a users file.
fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("auth-gate-users-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("users.yml"), users()).unwrap();
    fs::write(
        folder.join("configuration.yml"),
        "authentication_backend: {file: {path: users.yml}}\nsession: {cookies: [{domain: example.com, authelia_url: 'https://auth.example.com'}]}\naccess_control: {rules: [{domain: a.example.com, policy: one_factor}]}\n",
    )
    .unwrap();
    folder
}

fn loaded(folder: &Path) -> Loaded {
    load(&folder.join("configuration.yml"), &Disk).unwrap()
}

fn print_of(folder: &Path, user: &str) -> u64 {
    let loaded = loaded(folder);
    loaded
        .config
        .directory
        .user(user)
        .unwrap()
        .password
        .fingerprint()
}

fn change_of(folder: &Path, user: &str, current: u64) -> Result<u64, NotWritten> {
    change_password(&loaded(folder).config.users_file, user, current, NEW)
}

fn left_behind(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            !matches!(
                name.as_str(),
                "users.yml" | "configuration.yml" | "users.yml.lock"
            )
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_change_keeps_everything_else() {
    let folder = folder("keeps");
    let path = folder.join("users.yml");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(12345), Some(54321)).unwrap();
    }
    let before = fs::metadata(&path).unwrap();
    let new = change_of(&folder, "bob", print_of(&folder, "bob")).unwrap();
    let expected = users().replacen(
        &format!("'bob', password: '{OLD}'"),
        &format!("'bob', password: '{NEW}'"),
        1,
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(new, print_of(&folder, "bob"));
    let after = fs::metadata(&path).unwrap();
    let kept = |m: &Metadata| (m.uid(), m.gid(), m.mode());
    assert_eq!(kept(&before), kept(&after));
    let lock = fs::metadata(folder.join("users.yml.lock")).unwrap();
    assert_eq!((lock.uid(), lock.gid()), (before.uid(), before.gid()));
    assert_eq!(left_behind(&folder), [""; 0]);
    assert_eq!(check(&path), Ok(()));
    assert_eq!(left_behind(&folder), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_password_that_is_no_longer_the_same_is_not_replaced() {
    let folder = folder("stale");
    let bob = print_of(&folder, "bob");
    assert_eq!(change_of(&folder, "bob", bob + 1), Err(NotWritten::Stale));
    assert_eq!(
        change_of(&folder, "gone", bob),
        Err(NotWritten::Stale),
        "disabled"
    );
    assert_eq!(change_of(&folder, "nobody", bob), Err(NotWritten::Stale));
    assert_eq!(
        fs::read_to_string(folder.join("users.yml")).unwrap(),
        users()
    );
    // A ticket that is used twice at once replaces it once.
    let results: Vec<_> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| change_of(&folder, "bob", bob));
        let threads: Vec<_> = (0..8).map(|_| start()).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let done = results.iter().filter(|result| result.is_ok()).count();
    let stale = results
        .iter()
        .filter(|result| **result == Err(NotWritten::Stale))
        .count();
    assert_eq!((done, stale), (1, 7), "{results:?}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn changes_at_once_lose_none() {
    let folder = folder("crowd");
    let old = print_of(&folder, "bob");
    std::thread::scope(|scope| {
        for user in ["alice", "bob", "carol", "dave"] {
            let folder = &folder;
            scope.spawn(move || change_of(folder, user, old).unwrap());
        }
    });
    let text = fs::read_to_string(folder.join("users.yml")).unwrap();
    assert_eq!(text.matches(NEW).count(), 4);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_editor_without_the_lock_wins() {
    let folder = folder("editor");
    let path = folder.join("users.yml");
    let edited = users() + "# edited\n";
    let file = loaded(&folder).config.users_file;
    let bob = print_of(&folder, "bob");
    let mut edit = |step| {
        if step == Step::HalfWritten {
            fs::write(&path, &edited).unwrap();
        }
    };
    assert_eq!(
        change(&file, "bob", bob, NEW, &mut edit),
        Err(NotWritten::Stale)
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    assert_eq!(left_behind(&folder), [""; 0]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn symbolic_links_lead_nowhere_new() {
    let folder = folder("links");
    let path = folder.join("users.yml");
    let real = folder.join("real");
    fs::create_dir(&real).unwrap();
    fs::rename(&path, real.join("people.yml")).unwrap();
    symlink("real/people.yml", &path).unwrap();
    let victim = folder.join("victim");
    fs::write(&victim, "untouched").unwrap();
    // What lies in the way of the new file is removed, not followed.
    symlink(&victim, real.join(".people.yml.auth-gate-new")).unwrap();
    change_of(&folder, "bob", print_of(&folder, "bob")).unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert!(
        fs::read_to_string(real.join("people.yml"))
            .unwrap()
            .contains(NEW)
    );
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    // A lock that is a link is none.
    fs::remove_file(real.join("people.yml.lock")).unwrap();
    symlink(&victim, real.join("people.yml.lock")).unwrap();
    let refused = change_of(&folder, "alice", print_of(&folder, "alice"));
    assert!(matches!(refused, Err(NotWritten::Failed(_))), "{refused:?}");
    assert!(check(&path).is_err());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_lock_that_somebody_holds_is_waited_for_and_then_told() {
    let folder = folder("held");
    let path = folder.join("users.yml");
    let place = Place::of(&path).unwrap();
    let (_, metadata) = place.open().unwrap();
    let held = place.lock(&metadata).unwrap();
    // Half written by whoever holds it.
    let draft = folder.join(".users.yml.auth-gate-new");
    fs::write(&draft, "half").unwrap();
    assert_eq!(check(&path), Ok(()), "that one can write");
    assert_eq!(fs::read_to_string(&draft).unwrap(), "half");
    let Err(NotWritten::Failed(said)) = change_of(&folder, "bob", print_of(&folder, "bob")) else {
        panic!("changed under the lock of another");
    };
    assert!(said.contains("another program holds its lock"), "{said}");
    drop(held);
    assert_eq!(check(&path), Ok(()));
    fs::remove_dir_all(folder).unwrap();
}

/// What runs where the users file is a mount of its own, with a mount namespace around it.
#[test]
fn mounted_child() {
    let Some(folder) = std::env::var_os(BOUND).map(PathBuf::from) else {
        return;
    };
    let said = check(&folder.join("users.yml")).unwrap_err();
    assert!(said.ends_with("mount the folder, not the file"), "{said}");
    let refused = change_of(&folder, "bob", print_of(&folder, "bob"));
    let Err(NotWritten::Failed(said)) = refused else {
        panic!("{refused:?}");
    };
    assert!(said.ends_with("mount the folder, not the file"), "{said}");
    assert_eq!(left_behind(&folder), [""; 0]);
}

const BOUND: &str = "AUTH_GATE_TEST_MOUNTED";

#[test]
fn a_file_that_is_a_mount_of_its_own_is_refused_with_what_to_do() {
    let folder = folder("mounted");
    let path = folder.join("users.yml");
    let inside = |command: &str| {
        Command::new("unshare")
            .args(["--mount", "sh", "-c"])
            .arg(format!("mount --bind \"$0\" \"$0\" && {command}"))
            .arg(&path)
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "users_file::tests::mounted_child"])
            .env(BOUND, &folder)
            .stderr(Stdio::null())
            .output()
    };
    // Only where mounts can be made: root, and no container that forbids it.
    if inside("true").is_ok_and(|output| output.status.success()) {
        let output = inside("exec \"$@\"").unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{told}");
        assert!(told.contains("1 passed"), "{told}");
    } else {
        eprintln!("no mount could be made: nothing was tried");
    }
    fs::remove_dir_all(folder).unwrap();
}

const FOLDER: &str = "AUTH_GATE_TEST_USERS";

/// What the children run: a change that kills its process after a step.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let last: usize = fs::read_to_string(folder.join("step"))
        .unwrap()
        .parse()
        .unwrap();
    let file = loaded(&folder).config.users_file;
    let bob = print_of(&folder, "bob");
    let _ = change(&file, "bob", bob, NEW, &mut |step| {
        if step == STEPS[last] {
            kill_process(getpid(), Signal::KILL).unwrap();
        }
    });
}

#[test]
fn a_writer_that_is_killed_leaves_a_readable_users_file() {
    for (last, step) in STEPS.iter().enumerate() {
        let folder = folder(&format!("killed-{last}"));
        fs::write(folder.join("step"), last.to_string()).unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "users_file::tests::child"])
            .env(FOLDER, &folder)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(9), "{step:?}");
        let text = fs::read_to_string(folder.join("users.yml")).unwrap();
        let is_new = matches!(step, Step::Renamed | Step::Synced);
        assert_eq!(text.matches(NEW).count(), usize::from(is_new), "{step:?}");
        assert_eq!(loaded(&folder).config.directory.len(), 4, "{step:?}");
        // The next one is not kept by the lock, and clears away what is left.
        change_of(&folder, "carol", print_of(&folder, "carol")).unwrap();
        assert_eq!(left_behind(&folder), ["step"], "{step:?}");
        fs::remove_dir_all(folder).unwrap();
    }
}
