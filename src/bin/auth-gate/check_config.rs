//! `auth-gate check-config`.

use ngx_http_auth_gate_module::config::{Config, CookieDomain};

use crate::cli::CheckConfig;
use crate::{Report, disk};

pub fn run(arguments: &CheckConfig) -> Result<Report, String> {
    let loaded = match disk::load(&arguments.file) {
        Ok(loaded) => loaded,
        Err(mut problems) => {
            let errors = count(problems.len(), "error");
            problems.push(format!(
                "auth-gate: {} has {errors}",
                arguments.file.display()
            ));
            return Ok(Report::bad(problems));
        }
    };
    let file = arguments.file.display();
    let warnings = match loaded.warnings.len() {
        0 => String::new(),
        warnings => format!(" ({})", count(warnings, "warning")),
    };
    let mut report = Report::well(format!(
        "{file} is good{warnings}: {}\n",
        summary(&loaded.config)
    ));
    report.remarks = loaded
        .warnings
        .iter()
        .map(|warning| format!("warning: {warning}"))
        .collect();
    Ok(report)
}

/// What was understood, in one line.
fn summary(config: &Config) -> String {
    let cookies: Vec<_> = config.session.cookies.iter().map(cookie).collect();
    let users = &config.users_file;
    let changes = if users.watch {
        ", watched for changes"
    } else {
        ""
    };
    format!(
        "{}, {} in {}{changes}, signing in for {}",
        count(config.rules.len(), "rule"),
        count(config.directory.len(), "user"),
        users.path.display(),
        cookies.join(" and "),
    )
}

fn cookie(cookie: &CookieDomain) -> String {
    match &cookie.authelia_url {
        Some(url) => format!("{} at {url}", cookie.realm.domain),
        None => format!("{} (without a portal)", cookie.realm.domain),
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
