//! `auth-gate init`: from an nginx with the module in it to a first sign-in.

mod answers;
mod content;
mod layout;
mod names;
mod owner;
mod paths;
mod plan;
mod terminal;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::config;

use crate::cli::Init;
use crate::{Report, disk};
use answers::{Answers, collect};
use owner::Owners;
use paths::Paths;
use plan::{Link, Plan, shut, taken};
use terminal::{confirm, is_answered};

/// The last line where it ends without a file.
const NOTHING: &str = "auth-gate: nothing was written";

pub fn run(flags: &Init) -> Result<Report, String> {
    let owners = Owners::find(flags.nginx_user.as_deref())?;
    let paths = Paths::new(flags)?;
    if is_answered() {
        // Nobody should answer ten questions to be told this.
        let known = [&paths.configuration, &paths.users, &paths.site];
        let obstacle = |path: &PathBuf| taken(path).or_else(|| shut(path));
        let mut obstacles: Vec<_> = known.into_iter().filter_map(obstacle).collect();
        obstacles.dedup();
        if !obstacles.is_empty() {
            return Ok(refused(obstacles));
        }
    }
    let answers = collect(flags)?;
    let link = link(flags, &paths)?;
    let is_read = link.is_some() || paths.enabled().is_none();
    let ports = (flags.https_port, flags.http_port);
    let plan = layout::plan(&answers, &paths, &owners, ports, link)?;
    let mut problems = plan.obstacles();
    if problems.is_empty() {
        problems = wrong(&plan, &answers, &paths);
    }
    if !problems.is_empty() {
        return Ok(refused(problems));
    }
    if flags.dry_run {
        return Ok(Report::well(plan.shown()));
    }
    show(&plan)?;
    if !flags.yes && !confirm("Write this?", false)? {
        return Ok(refused(Vec::new()));
    }
    let written = plan.write()?;
    // What stands on the disk by now is what counts.
    if let Err(problems) = disk::load(&paths.configuration) {
        return Ok(refused(problems));
    }
    written.keep();
    Ok(Report::well(next(&answers, &paths, is_read)))
}

fn refused(mut problems: Vec<String>) -> Report {
    problems.push(NOTHING.into());
    Report::bad(problems)
}

fn show(plan: &Plan) -> Result<(), String> {
    let mut out = io::stdout();
    let told = writeln!(out, "{}", plan.shown()).and_then(|()| out.flush());
    told.map_err(|error| format!("standard output: {error}; nothing was written"))
}

fn link(flags: &Init, paths: &Paths) -> Result<Option<Link>, String> {
    let Some(path) = paths.enabled() else {
        return Ok(None);
    };
    let asks = !flags.enable && !flags.yes && is_answered();
    let wanted = flags.enable || (asks && confirm("Switch the site on?", true)?);
    let to = paths.site.clone();
    Ok(wanted.then_some(Link { path, to }))
}

/// What is wrong with the configuration before it is written.
fn wrong(plan: &Plan, answers: &Answers, paths: &Paths) -> Vec<String> {
    let loaded = match config::load(&paths.configuration, plan) {
        Ok(loaded) => loaded,
        Err(problems) => return problems.iter().map(ToString::to_string).collect(),
    };
    let person = &answers.person;
    let user = loaded.config.directory.find(&person.name);
    let is_the_same =
        |name: &str, display_name: &str| name == person.name && display_name == person.display_name;
    match user.is_some_and(|user| is_the_same(&user.name, &user.display_name)) {
        true => Vec::new(),
        false => vec![format!(
            "the user {} cannot be written so that it is read again; write another name",
            person.name.escape_debug()
        )],
    }
}

fn next(answers: &Answers, paths: &Paths, is_read: bool) -> String {
    let link = match paths.enabled().filter(|_| !is_read) {
        Some(path) => format!("ln -s {} {} && ", paths.site.display(), path.display()),
        None => String::new(),
    };
    let first = answers.sites.first().map(|site| &site.host);
    // A reload is enough and cuts no connection, but needs an nginx that runs. Where there is no
    // systemd, in a container for instance, nobody can say how.
    let restart = match Path::new("/run/systemd/system").is_dir() {
        true => "systemctl reload-or-restart nginx",
        false => "reload or start nginx",
    };
    format!(
        "Written. What to do next:\n\
         1. {link}nginx -t\n\
         2. {restart}\n\
         3. open https://{}/ and sign in as {} (the names have to lead to this machine)\n",
        first.unwrap_or(&answers.portal),
        answers.person.name
    )
}
