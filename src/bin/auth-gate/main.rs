//! `auth-gate`: the command line, a thin face on the rooms of the library.
//!
//! Exit status: 0 when all is well, 1 when something is wrong with what was looked at, 2 when the
//! command itself was misunderstood.
#![forbid(unsafe_code)]

mod ban;
mod certificate;
mod check_config;
mod check_policy;
mod cli;
mod desk;
mod disk;
mod generate;
mod hash_password;
mod init;
mod session;
mod storage;
mod table;
mod target;
mod user;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::{Command, Line};

/// What a command came to.
struct Report {
    /// For standard output.
    text: String,
    /// For standard error, one line each.
    remarks: Vec<String>,
    /// Whether all is well.
    well: bool,
}

impl Report {
    fn well(text: impl Into<String>) -> Report {
        Report {
            text: text.into(),
            remarks: Vec::new(),
            well: true,
        }
    }

    fn bad(remarks: Vec<String>) -> Report {
        Report {
            text: String::new(),
            remarks,
            well: false,
        }
    }
}

fn main() -> ExitCode {
    let report = match Line::parse().command {
        Command::Init(arguments) => init::run(&arguments),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::CheckPolicy(arguments) => check_policy::run(&arguments),
        Command::HashPassword(arguments) => hash_password::run(&arguments),
        Command::Certificate(arguments) => certificate::run(&arguments),
        Command::Storage(arguments) => storage::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Session(arguments) => session::run(&arguments),
        Command::Ban(arguments) => ban::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
    };
    let report =
        report.unwrap_or_else(|failure| Report::bad(vec![format!("auth-gate: {failure}")]));
    for remark in &report.remarks {
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(io::stderr(), "{remark}");
    }
    match io::stdout().write_all(report.text.as_bytes()) {
        // A reader that has seen enough (`| head`) is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ if report.well => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
