//! What is wanted: flags, and questions for the rest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ngx_http_auth_gate_module::users::{HashOptions, HashParameters};
use zeroize::Zeroizing;

use super::names;
use super::paths::absolute;
use super::terminal::{ask, given_or, is_answered, say};
use crate::cli::Init;
use crate::hash_password::{first_line, from_terminal};

/// Everything that the files say.
pub struct Answers {
    pub domain: String,
    pub portal: String,
    pub sites: Vec<Site>,
    pub person: Person,
    /// The hash of the password.
    pub hash: Zeroizing<String>,
    pub certificate: Certificate,
}

/// A guarded site.
pub struct Site {
    pub host: String,
    pub upstream: String,
}

/// The first user.
pub struct Person {
    pub name: String,
    pub display_name: String,
    pub email: Option<String>,
}

/// Where the certificate comes from.
pub enum Certificate {
    SelfSigned,
    Given { certificate: PathBuf, key: PathBuf },
}

/// The answers; asked for where a flag is missing.
pub fn collect(flags: &Init) -> Result<Answers, String> {
    let asks = is_answered();
    if !asks {
        complete(flags)?;
    }
    let domain = given_or(flags.domain.as_deref(), names::domain, || {
        ask(
            "Domain that portal and sites have in common",
            None,
            names::domain,
        )
    })?;
    let in_domain = |typed: &str| names::inside(typed, &domain, "the portal");
    let portal = given_or(flags.portal.as_deref(), in_domain, || {
        let usual = format!("auth.{domain}");
        match asks {
            true => ask("Host of the login portal", Some(&usual), in_domain),
            false => Ok(usual),
        }
    })?;
    let sites = sites(flags, &domain, &portal, asks)?;
    let person = person(flags, asks)?;
    let password = password(flags)?;
    Ok(Answers {
        hash: hash(&password)?,
        certificate: certificate(flags)?,
        domain,
        portal,
        sites,
        person,
    })
}

/// Nobody can be asked, so everything that has no default must be there; all that is missing is told
/// at once.
fn complete(flags: &Init) -> Result<(), String> {
    let needed = [
        ("--domain", flags.domain.is_some()),
        ("--user", flags.user.is_some()),
        (
            "--password-file",
            flags.dry_run || flags.password_file.is_some(),
        ),
        (
            "--self-signed (or --certificate and --key)",
            flags.self_signed || flags.certificate.is_some(),
        ),
        ("--yes (or --dry-run)", flags.yes || flags.dry_run),
    ];
    let missing: Vec<_> = needed
        .iter()
        .filter(|(_, given)| !given)
        .map(|(flag, _)| *flag)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "standard input is no terminal, so nothing can be asked; write {}",
        missing.join(", ")
    ))
}

fn sites(flags: &Init, domain: &str, portal: &str, asks: bool) -> Result<Vec<Site>, String> {
    if flags.site.len() != flags.upstream.len() {
        return Err(format!(
            "--site is given {} times and --upstream {} times; write one --upstream for each --site",
            flags.site.len(),
            flags.upstream.len()
        ));
    }
    let mut sites: Vec<Site> = Vec::new();
    let check = |typed: &str, sites: &[Site]| {
        let host = names::inside(typed, domain, "the site")?;
        if host == portal || sites.iter().any(|site| site.host == host) {
            return Err(format!(
                "`{host}` is taken already; write another host for each site and the portal"
            ));
        }
        Ok(host)
    };
    for (host, upstream) in flags.site.iter().zip(&flags.upstream) {
        let (host, upstream) = (check(host, &sites)?, names::upstream(upstream)?);
        sites.push(Site { host, upstream });
    }
    if asks && sites.is_empty() {
        let optional = |typed: &str| match typed.trim() {
            "" => Ok(None),
            typed => check(typed, &[]).map(Some),
        };
        if let Some(host) = ask("Host of a site to guard (empty: none yet)", None, optional)? {
            let usual = Some("http://127.0.0.1:8080");
            let upstream = ask("Where its application listens", usual, names::upstream)?;
            sites.push(Site { host, upstream });
        }
    }
    Ok(sites)
}

fn person(flags: &Init, asks: bool) -> Result<Person, String> {
    let check = |typed: &str| names::line(typed, "the user's name");
    let name = given_or(flags.user.as_deref(), check, || {
        ask("Name of the first user", None, check)
    })?;
    let check = |typed: &str| names::line(typed, "the display name");
    let display_name = given_or(flags.display_name.as_deref(), check, || match asks {
        true => ask("How the user is called", Some(&name), check),
        false => Ok(name.clone()),
    })?;
    let check = |typed: &str| match typed.trim() {
        "" => Ok(None),
        typed if typed.contains('@') => names::line(typed, "the e-mail address").map(Some),
        typed => Err(format!(
            "`{}` is no e-mail address; write for instance alice@example.com",
            typed.escape_debug()
        )),
    };
    let email = given_or(flags.email.as_deref(), check, || match asks {
        true => ask("E-mail address of the user (empty: none)", None, check),
        false => Ok(None),
    })?;
    Ok(Person {
        name,
        display_name,
        email,
    })
}

/// The password, or for a dry run without one something that nobody knows.
fn password(flags: &Init) -> Result<Zeroizing<Vec<u8>>, String> {
    match &flags.password_file {
        Some(file) if file == Path::new("-") => {
            first_line(io::stdin().lock()).map_err(|error| format!("standard input: {error}"))
        }
        Some(path) => {
            let failed = |error: String| format!("{}: {error}", path.display());
            let file = fs::File::open(path).map_err(|error| failed(error.to_string()))?;
            first_line(file).map_err(failed)
        }
        None if flags.dry_run => {
            let mut unknown = Zeroizing::new(vec![0; 32]);
            getrandom::fill(&mut unknown).map_err(|error| error.to_string())?;
            Ok(unknown)
        }
        None => loop {
            match from_terminal() {
                Err(error) if error.starts_with("the ") => say(&format!("{error}\n")),
                answer => return answer,
            }
        },
    }
}

fn hash(password: &[u8]) -> Result<Zeroizing<String>, String> {
    let parameters = HashParameters::new(HashOptions::default())
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<String>())?;
    let mut salt = vec![0; parameters.salt_len()];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let hash = parameters.hash(password, &salt);
    hash.map(Zeroizing::new).map_err(|error| error.to_string())
}

fn certificate(flags: &Init) -> Result<Certificate, String> {
    if flags.self_signed {
        return Ok(Certificate::SelfSigned);
    }
    let file = |typed: &str| {
        let path = absolute(Path::new(typed.trim()))?;
        match path.is_file() {
            true => Ok(path),
            false => Err(format!("{} is no file", path.display())),
        }
    };
    if let (Some(certificate), Some(key)) = (&flags.certificate, &flags.key) {
        return Ok(Certificate::Given {
            certificate: file(&certificate.display().to_string())?,
            key: file(&key.display().to_string())?,
        });
    }
    let optional = |typed: &str| match typed.trim() {
        "" => Ok(None),
        typed => file(typed).map(Some),
    };
    let question = "File with a certificate for all these hosts (empty: make a self-signed one)";
    Ok(match ask(question, None, optional)? {
        None => Certificate::SelfSigned,
        Some(certificate) => Certificate::Given {
            certificate,
            key: ask("File with its key", None, file)?,
        },
    })
}
