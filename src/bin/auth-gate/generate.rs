//! `auth-gate generate`: the manual and what shells complete, made from the command line itself.

mod fish;

use std::fs;
use std::io;
use std::path::Path;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::{Shell, generate_to};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::Report;
use crate::cli::{Generate, Line};

const NAME: &str = "auth-gate";

pub fn run(arguments: &Generate) -> Result<Report, String> {
    let dir = &arguments.dir;
    write(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    Ok(Report::well(""))
}

fn write(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut completed = hinted(Line::command());
    completed.build();
    for shell in [Shell::Bash, Shell::Zsh] {
        generate_to(shell, &mut completed, NAME, dir)?;
    }
    fs::write(dir.join("auth-gate.fish"), fish::completions(&completed))?;
    // There is no page on `help`, which says what the pages say.
    let mut line = Line::command().disable_help_subcommand(true);
    line.build();
    pages(&line, NAME, dir)
}

/// Says of every value what it is: a shell offers files for what it knows nothing of.
fn hinted(command: Command) -> Command {
    command
        .mut_args(|argument| {
            let hint = hint(&argument);
            argument.value_hint(hint)
        })
        .mut_subcommands(hinted)
}

fn hint(argument: &Arg) -> ValueHint {
    let is_folder = || {
        let mut names = argument.get_value_names().into_iter().flatten();
        names.any(|name| name == "DIR")
    };
    match argument.get_value_hint() {
        ValueHint::AnyPath if is_folder() => ValueHint::DirPath,
        ValueHint::AnyPath => ValueHint::FilePath,
        ValueHint::Unknown if argument.get_action().takes_values() => ValueHint::Other,
        known => known,
    }
}

/// A page for a command and for each one below it.
fn pages(command: &Command, name: &str, dir: &Path) -> io::Result<()> {
    fs::write(dir.join(format!("{name}.1")), page(command, name)?)?;
    for below in command.get_subcommands() {
        pages(below, &format!("{name}-{}", below.get_name()), dir)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let page = Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("Auth Gate ", env!("CARGO_PKG_VERSION")))
        .manual("Auth Gate");
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut text)?;
    }
    if let Some(notes) = command.get_after_help() {
        notes_section(&notes.to_string()).to_writer(&mut text)?;
    }
    Ok(text)
}

/// What stands below the options in the help, line by line as it stands there.
fn notes_section(notes: &str) -> Roff {
    let examples = notes
        .strip_prefix("Examples:\n")
        .or_else(|| notes.strip_prefix("Example: "));
    let (heading, notes) = examples.map_or(("NOTES", notes), |rest| ("EXAMPLES", rest));
    let mut section = Roff::new();
    section.control("SH", [heading]).control("nf", []);
    for line in notes.lines() {
        section.text([roman(line)]);
    }
    section.control("fi", []);
    section
}
