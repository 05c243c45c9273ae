//! `auth-gate certificate`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use zeroize::Zeroizing;

use crate::Report;
use crate::cli::Certificate;

/// For how long a certificate is good unless told.
pub const DAYS: u16 = 365;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub fn run(arguments: &Certificate) -> Result<Report, String> {
    let hosts = arguments
        .host
        .iter()
        .map(|host| name(host))
        .collect::<Result<Vec<_>, _>>()?;
    let (certificate, key) = make(&hosts, arguments.days)
        .map_err(|error| format!("the certificate cannot be made: {error}"))?;
    fs::create_dir_all(&arguments.dir)
        .map_err(|error| format!("{}: {error}", arguments.dir.display()))?;
    // What nginx writes its paths relative to is nothing that can be known here.
    let dir = fs::canonicalize(&arguments.dir)
        .map_err(|error| format!("{}: {error}", arguments.dir.display()))?;
    if dir.display().to_string().contains('$') {
        let dir = dir.display();
        return Err(format!(
            "{dir}: nginx would read the `$` as the start of a variable; choose another folder"
        ));
    }
    let file = |ending: &str| dir.join(format!("{}.{ending}", hosts[0].replace(':', "_")));
    let (certificate_file, key_file) = (file("crt"), file("key"));
    if let Some(there) = [&certificate_file, &key_file]
        .into_iter()
        .find(|file| file.symlink_metadata().is_ok())
    {
        return Err(format!(
            "{} is there already, and nothing is overwritten; take it away first",
            there.display()
        ));
    }
    write(&key_file, key.as_bytes(), 0o600)?;
    if let Err(error) = write(&certificate_file, certificate.as_bytes(), 0o644) {
        // A key without its certificate would stand in the way of the next try.
        let _ = fs::remove_file(&key_file);
        return Err(error);
    }
    Ok(Report::well(lines(
        &hosts,
        arguments.days,
        &certificate_file,
        &key_file,
    )))
}

/// A host as certificates have it: lower case, without `*.` in front and a dot at the end.
fn name(host: &str) -> Result<String, String> {
    let lower = host.to_ascii_lowercase();
    let name = lower.strip_prefix("*.").unwrap_or(&lower);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.parse::<IpAddr>().is_ok() {
        return Ok(name.into());
    }
    let label = |label: &str| {
        let inner = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
        };
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= 250 && name.split('.').all(label) {
        return Ok(name.into());
    }
    Err(format!(
        "`{host}` is no host name; write it without scheme and port, for instance example.com"
    ))
}

/// Certificate and key as PEM.
pub fn make(hosts: &[String], days: u16) -> Result<(String, Zeroizing<String>), rcgen::Error> {
    let mut names = Vec::new();
    for host in hosts {
        names.push(host.clone());
        if host.parse::<IpAddr>().is_err() {
            names.push(format!("*.{host}"));
        }
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, hosts[0].as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = SystemTime::now();
    params.not_before = now.into();
    params.not_after = (now + DAY * days.into()).into();
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

fn write(file: &Path, content: &[u8], mode: u32) -> Result<(), String> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(file)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

fn lines(hosts: &[String], days: u16, certificate: &Path, key: &Path) -> String {
    let names: Vec<_> = hosts
        .iter()
        .map(|host| {
            if host.parse::<IpAddr>().is_ok() {
                host.clone()
            } else {
                format!("{host} and *.{host}")
            }
        })
        .collect();
    format!(
        "# For {}, {days} days. Browsers warn until {} is one of their trusted certificates.\n\
         ssl_certificate     {};\n\
         ssl_certificate_key {};\n",
        names.join(", "),
        certificate.display(),
        quoted(certificate),
        quoted(key),
    )
}

/// A path as a parameter in nginx's configuration; one with `$` cannot be written.
pub fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    if path.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || b"/._-+@:,=".contains(&byte) || !byte.is_ascii()
    }) {
        return path;
    }
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}
