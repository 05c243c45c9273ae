//! `auth-gate generate`: what packages ship beside the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
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

/// What bash offers after these words.
fn offered(script: &Path, words: &[&str]) -> Vec<String> {
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let ask = format!(
        "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; \
         $(complete -p auth-gate | grep -oE '\\-F [^ ]+' | cut -c4-) auth-gate '{last}' '{before}'; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        words.join(" "),
        words.len() - 1,
    );
    let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let files = generated("generate-bash");
    let script = folder("generate-bash-read").join("auth-gate.bash");
    fs::write(&script, &files["auth-gate.bash"]).unwrap();
    assert_eq!(offered(&script, &["auth-gate", "in"]), ["init"]);
    assert_eq!(
        offered(&script, &["auth-gate", "init", "--self"]),
        ["--self-signed"]
    );
    assert_eq!(
        offered(&script, &["auth-gate", "user", "totp", "a"]),
        ["add"]
    );
}
