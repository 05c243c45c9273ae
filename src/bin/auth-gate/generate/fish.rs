//! Completions for fish. Those that clap makes offer the options of commands two words deep at most, and
//! `user totp add` has three.

use clap::{Arg, Command, ValueHint};

use super::NAME;

/// Which command has been typed: the longest run of words that is one. The value of an option may
/// be called like a command, but a command that takes such a value has none below it.
const FUNCTION: &str = "\
# Whether the words before the cursor make this command.
function __auth_gate_at
    set -l command ''
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        set -l longer (string trim -- \"$command $word\")
        contains -- $longer $__auth_gate_commands
        and set command $longer
    end
    test \"$command\" = \"$argv\"
end

complete -c auth-gate -f
";

/// The file for fish. `line` has been built.
pub fn completions(line: &Command) -> String {
    let mut lines = String::new();
    let mut names = Vec::new();
    command(line, "", &mut names, &mut lines);
    let names: Vec<_> = names.iter().map(|name| quoted(name)).collect();
    format!(
        "set -g __auth_gate_commands {}\n\n{FUNCTION}{lines}",
        names.join(" ")
    )
}

/// What can follow a command, and then the same for those below it.
fn command(shown: &Command, name: &str, names: &mut Vec<String>, lines: &mut String) {
    let begin = match name {
        "" => format!("complete -c {NAME} -n __auth_gate_at"),
        name => format!(
            "complete -c {NAME} -n {}",
            quoted(&format!("__auth_gate_at {name}"))
        ),
    };
    for below in shown.get_subcommands() {
        *lines += &format!("{begin} -a {}", below.get_name());
        *lines += &described(below.get_about());
    }
    for argument in shown.get_arguments() {
        if argument.is_positional() {
            // A file is the only thing that stands without an option.
            if argument.get_value_hint() == ValueHint::FilePath {
                *lines += &format!("{begin} -F\n");
            }
            continue;
        }
        *lines += &begin;
        if let Some(short) = argument.get_short() {
            *lines += &format!(" -s {short}");
        }
        if let Some(long) = argument.get_long() {
            *lines += &format!(" -l {long}");
        }
        *lines += &value(argument);
        *lines += &described(argument.get_help());
    }
    for below in shown.get_subcommands() {
        let name = format!("{name} {}", below.get_name()).trim().to_owned();
        names.push(name.clone());
        command(below, &name, names, lines);
    }
}

/// What follows an option.
fn value(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values = argument.get_possible_values();
    if !values.is_empty() {
        let offered: Vec<_> = values
            .iter()
            .map(|value| {
                let help = value.get_help().map(ToString::to_string);
                format!(
                    "{}\\t{}",
                    value.get_name(),
                    quoted(&help.unwrap_or_default())
                )
            })
            .collect();
        return format!(" -x -a {}", quoted(&offered.join("\n")));
    }
    match argument.get_value_hint() {
        ValueHint::FilePath => " -r -F".to_owned(),
        ValueHint::DirPath => " -x -a '(__fish_complete_directories)'".to_owned(),
        _ => " -x".to_owned(),
    }
}

/// The help beside it, and the end of the line.
fn described(help: Option<&clap::builder::StyledStr>) -> String {
    match help {
        Some(help) => format!(" -d {}\n", quoted(&help.to_string())),
        None => "\n".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
