//! Questions to whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

/// Whether somebody is there to answer.
pub fn is_answered() -> bool {
    io::stdin().is_terminal()
}

/// What the flag says, or what else is to be done.
pub fn given_or<T>(
    flag: Option<&str>,
    check: impl Fn(&str) -> Result<T, String>,
    otherwise: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    flag.map_or_else(otherwise, check)
}

/// Asks until the answer is good.
pub fn ask<T>(
    question: &str,
    usual: Option<&str>,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    let offer = usual.map_or_else(String::new, |usual| format!(" [{usual}]"));
    loop {
        say(&format!("{question}{offer}: "));
        let line = line()?;
        let typed = match (line.trim(), usual) {
            ("", Some(usual)) => usual,
            (typed, _) => typed,
        };
        match check(typed) {
            Ok(answer) => return Ok(answer),
            Err(error) => say(&format!("  {error}\n")),
        }
    }
}

/// A question that an empty answer answers with `usual`.
pub fn confirm(question: &str, usual: bool) -> Result<bool, String> {
    let offer = if usual { "[Y/n]" } else { "[y/N]" };
    say(&format!("{question} {offer} "));
    Ok(match line()?.trim().to_ascii_lowercase().as_str() {
        "" => usual,
        answer => matches!(answer, "y" | "yes"),
    })
}

fn line() -> Result<String, String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(0) => Err("nothing was written: the answers ended".into()),
        Ok(_) => Ok(line),
        Err(error) => Err(format!("standard input: {error}")),
    }
}

/// Questions go where they are seen although the output may be kept.
pub fn say(text: &str) {
    let mut stderr = io::stderr();
    // Nobody is left to be asked when standard error is closed; reading will find that, too.
    let _ = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
}
