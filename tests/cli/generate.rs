//! `auth-gate generate`: what packages ship beside the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixture::{folder, run};

fn generated(test: &str) -> BTreeMap<String, String> {
    let dir = folder(test).join("made");
    let ran = run(&["generate", "--dir", dir.to_str().unwrap()]);
    assert_eq!(
        (ran.status, &*ran.out, &*ran.err),
        (0, "", ""),
        "the command has nothing to say"
    );
    let entries = fs::read_dir(dir).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        (entry.file_name().into_string().unwrap(), text)
    });
    entries.collect()
}

#[test]
fn every_command_has_a_page_and_the_same_program_writes_the_same_bytes() {
    let files = generated("generate");
    for name in [
        "auth-gate.1",
        "auth-gate-init.1",
        "auth-gate-user-totp-add.1",
        "auth-gate.bash",
        "_auth-gate",
        "auth-gate.fish",
    ] {
        assert!(files.contains_key(name), "{name}: {:?}", files.keys());
    }
    // A page that another names is there.
    for line in files.values().flat_map(|text| text.lines()) {
        if let Some(name) = line.strip_suffix("(1)") {
            let page = format!("{}.1", name.replace('\\', ""));
            assert!(files.contains_key(&page), "there is no {page}");
        }
    }
    assert!(files["auth-gate-init.1"].contains(".SH EXAMPLES"));
    assert_eq!(files, generated("generate-again"));
}

#[test]
fn the_pages_are_read_without_a_warning() {
    let files = generated("generate-man");
    let dir = folder("generate-man-read");
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".1")) {
        let page = dir.join(name);
        fs::write(&page, text).unwrap();
        // As lintian reads it.
        let read = Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"])
            .arg(&page)
            .envs([
                ("LC_ALL", "C.UTF-8"),
                ("MANROFFSEQ", ""),
                ("MANWIDTH", "80"),
            ])
            .output();
        let Ok(read) = read else {
            eprintln!("not run: there is no man here");
            return;
        };
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success() && said.is_empty(), "{name}: {said}");
    }
}

/// What each shell offers after a line, beginning with what its last word has already.
const OFFERED: [(&str, &[&str]); 10] = [
    ("auth-gate in", &["init"]),
    ("auth-gate init --self", &["--self-signed"]),
    ("auth-gate user totp a", &["add"]),
    ("auth-gate user totp add --us", &["--user"]),
    ("auth-gate user totp add --user list --na", &["--name"]),
    ("auth-gate user app-password add --exp", &["--expires"]),
    ("auth-gate help user totp r", &["remove"]),
    ("auth-gate user totp list --format ", &["json", "text"]),
    // A folder and no file of the two that begin so; a name is no file.
    ("auth-gate init --dir ./x", &["x-folder"]),
    ("auth-gate init --user ./x", &[]),
];

/// The generated files, and folders in which a shell finds its own as if a package had put it there.
fn installed(test: &str) -> PathBuf {
    let files = generated(test);
    let root = folder(&format!("{test}-installed"));
    for (name, place) in [
        ("auth-gate.bash", "bash-completion/completions/auth-gate"),
        ("_auth-gate", "zsh/_auth-gate"),
        ("auth-gate.fish", "fish/vendor_completions.d/auth-gate.fish"),
    ] {
        let place = root.join(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, &files[name]).unwrap();
    }
    fs::create_dir(root.join("x-folder")).unwrap();
    fs::write(root.join("x-file"), "").unwrap();
    root
}

/// Asks a shell about every line; nothing where the shell is missing.
fn asked(shell: &str, test: &str, ask: impl Fn(&Path, &mut Command, &str)) {
    if Command::new(shell).args(["-c", "exit"]).output().is_err() {
        eprintln!("not run: there is no {shell} here");
        return;
    }
    let root = installed(test);
    let program = Path::new(env!("CARGO_BIN_EXE_auth-gate"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    for (line, wanted) in OFFERED {
        let mut command = Command::new(shell);
        command
            .current_dir(&root)
            .env("HOME", &root)
            .env("PATH", &path);
        ask(&root, &mut command, line);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let text = text.lines().map(|offer| {
            // What it means stands behind it; a folder may be shown with its path.
            let offer = offer.split('\t').next().unwrap_or_default();
            let offer = offer.trim().trim_end_matches('/');
            offer.strip_prefix("./").unwrap_or(offer)
        });
        let mut offers: Vec<&str> = text.filter(|offer| !offer.is_empty()).collect();
        offers.sort_unstable();
        offers.dedup();
        assert_eq!(offers, wanted, "{line}: {output:?}");
    }
}

/// Prints what is offered after the line `$1`, through the loader that Debian's bash has. Only
/// readline has `compopt`; with `plusdirs` it adds the folders.
const BASH: &str = r#"
source /usr/share/bash-completion/bash_completion
compopt() { [[ $2 != plusdirs ]] || folders=yes; }
read -ra COMP_WORDS <<<"$1"
[[ $1 != *' ' ]] || COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_completion_loader auth-gate
made=$(complete -p auth-gate)
made=${made##*-F }
"${made%% *}" auth-gate "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
[[ -z ${folders:-} ]] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
# Where nothing is to be offered, the word itself is.
[[ ${COMPREPLY[*]} == "${COMP_WORDS[COMP_CWORD]}" ]] || printf '%s\n' "${COMPREPLY[@]}"
"#;

#[test]
fn bash_offers_commands_options_and_values() {
    if !Path::new("/usr/share/bash-completion/bash_completion").exists() {
        eprintln!("not run: there is no bash-completion here");
        return;
    }
    asked("bash", "generate-bash", |root, bash, line| {
        bash.args(["-c", BASH, "bash", line])
            .env("BASH_COMPLETION_USER_DIR", root.join("bash-completion"));
    });
}

/// Prints what is offered after the line `$2` with the functions in the folder `$1`. There is
/// nothing to complete without a terminal, so zsh is asked through one of its own.
const ZSH: &str = r#"
zmodload zsh/zpty
out=$PWD/offered
: >$out
until_said() { for ((i = 0; i < 600; i++)); do grep -q $1 $out && return; sleep .05; zpty -r -t shell x; done; exit 1 }
zpty -b shell zsh -f -i
zpty -w shell "fpath=($1 \$fpath); out=$out; autoload -Uz compinit; compinit -u -D
compadd() {
    if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd \"\$@\"; return; fi
    local -a hits
    builtin compadd -O hits \"\$@\"
    (( ! \$#hits )) || print -rl -- \$hits >>\$out
    builtin compadd \"\$@\"
}
ask() { zle complete-word; print END-OF-ANSWER >>\$out }
zle -N ask
bindkey '^I' ask
print READY-TO-ANSWER >>\$out"
until_said READY-TO-ANSWER
zpty -w -n shell "$2"$'\t'
until_said END-OF-ANSWER
zpty -d shell
grep -vE '^(READY-TO|END-OF)-ANSWER$' $out || true
"#;

#[test]
fn zsh_offers_commands_options_and_values() {
    asked("zsh", "generate-zsh", |root, zsh, line| {
        zsh.args(["-f", "-c", ZSH, "zsh"])
            .arg(root.join("zsh"))
            .arg(line);
    });
}

#[test]
fn fish_offers_commands_options_and_values() {
    asked("fish", "generate-fish", |root, fish, line| {
        let dirs = format!("{}:/usr/local/share:/usr/share", root.display());
        fish.args(["-c", "complete -C $argv[1]", line])
            .env("XDG_DATA_DIRS", dirs);
    });
}
