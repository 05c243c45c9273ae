//! One mail server: connecting, TLS, signing in.

use std::error::Error as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials as Written, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, SmtpConnection, TlsParameters, TlsParametersBuilder, TlsVersion,
};
use lettre::transport::smtp::commands::{Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;

use super::MailError;
use super::message::address;
use super::settings::{Credentials, Security, Smtp, Tls};

const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// What a certificate's file is called.
const EXTENSIONS: [&str; 3] = ["crt", "cer", "pem"];

/// A mail server that can be spoken to.
pub(super) struct Server {
    settings: Smtp,
    tls: TlsParameters,
    hello: ClientId,
}

impl Server {
    pub(super) fn new(settings: &Smtp) -> Result<Server, MailError> {
        Ok(Server {
            tls: trust(&settings.tls)?,
            hello: hello(&settings.identifier),
            settings: settings.clone(),
        })
    }

    pub(super) fn settings(&self) -> &Smtp {
        &self.settings
    }

    pub(super) fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut connection = self.connect()?;
        connection
            .send(message.envelope(), &message.formatted())
            .map_err(|error| self.failed("does not take the letter", &error))?;
        // It has the letter; how it says goodbye does not matter.
        let _ = connection.quit();
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), MailError> {
        let mut connection = self.connect()?;
        if let Some(recipient) = &self.settings.check_recipient {
            let sender = address(&self.settings.sender.address)?;
            let recipient = address(&recipient.address)?;
            connection
                .command(Mail::new(Some(sender), Vec::new()))
                .map_err(|error| {
                    self.failed("does not take mail from notifier.smtp.sender", &error)
                })?;
            connection
                .command(Rcpt::new(recipient, Vec::new()))
                .map_err(|error| {
                    let doing = "does not take mail for notifier.smtp.startup_check_address";
                    self.failed(doing, &error)
                })?;
        }
        connection
            .command(Rset)
            .map_err(|error| self.failed("goes away", &error))?;
        let _ = connection.quit();
        Ok(())
    }

    /// A connection over which mail can be sent.
    fn connect(&self) -> Result<SmtpConnection, MailError> {
        let Smtp { host, port, .. } = &self.settings;
        let implicit = self.settings.security == Security::Implicit;
        let mut connection = SmtpConnection::connect(
            (host.as_str(), *port),
            Some(Duration::from_secs(self.settings.timeout)),
            &self.hello,
            implicit.then_some(&self.tls),
            None,
        )
        .map_err(|error| self.failed("cannot be reached", &error))?;
        self.secure(&mut connection)?;
        if let Some(credentials) = &self.settings.credentials {
            self.sign_in(&mut connection, credentials)?;
        }
        Ok(connection)
    }

    fn secure(&self, connection: &mut SmtpConnection) -> Result<(), MailError> {
        match self.settings.security {
            Security::Implicit | Security::None => return Ok(()),
            Security::Opportunistic if !connection.can_starttls() => return Ok(()),
            Security::StartTls if !connection.can_starttls() => {
                connection.abort();
                return Err(self.sentence(
                    "offers no STARTTLS, so that everybody on the way could read the letter; \
                    write a submissions:// address, or disable_require_tls: true where the server \
                    is on this machine",
                ));
            }
            Security::Opportunistic | Security::StartTls => {}
        }
        connection
            .starttls(&self.tls, &self.hello)
            .map_err(|error| self.failed("cannot be spoken to over TLS", &error))
    }

    fn sign_in(
        &self,
        connection: &mut SmtpConnection,
        credentials: &Credentials,
    ) -> Result<(), MailError> {
        if !connection.is_encrypted() && !self.settings.clear_credentials {
            connection.abort();
            return Err(self.sentence(
                "would get the password of notifier.smtp where everybody can read it; let it \
                speak TLS",
            ));
        }
        if !MECHANISMS
            .iter()
            .any(|mechanism| connection.server_info().supports_auth_mechanism(*mechanism))
        {
            connection.abort();
            return Err(self.sentence(
                "takes no password by AUTH PLAIN or AUTH LOGIN; take notifier.smtp.username and \
                password out if it needs none",
            ));
        }
        let written = Written::new(
            credentials.username.clone(),
            credentials.password.expose_secret().to_owned(),
        );
        connection
            .auth(&MECHANISMS, &written)
            .map(drop)
            .map_err(|error| {
                let doing = "does not take notifier.smtp.username and password";
                self.failed(doing, &error)
            })
    }

    fn sentence(&self, what: &str) -> MailError {
        let Smtp { host, port, .. } = &self.settings;
        MailError::new(&format!("the mail server {host}:{port} {what}"))
    }

    fn failed(&self, doing: &str, error: &Error) -> MailError {
        let said = error.to_string();
        if is_late(error) {
            let seconds = self.settings.timeout;
            return self.sentence(&format!("did not answer within {seconds} seconds"));
        }
        let hint = if said.contains("invalid peer certificate") {
            "; put the certificate of its authority into the folder of certificates_directory, or \
            write the name it has as notifier.smtp.tls.server_name"
        } else {
            ""
        };
        self.sentence(&format!("{doing}: {said}{hint}"))
    }
}

fn is_late(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock);
        }
        source = error.source();
    }
    false
}

fn hello(identifier: &str) -> ClientId {
    let bare = identifier.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<Ipv4Addr>() {
        return ClientId::Ipv4(address);
    }
    let bare = bare.trim_start_matches("IPv6:");
    match bare.parse::<Ipv6Addr>() {
        Ok(address) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(identifier.to_owned()),
    }
}

/// Whom to believe, and what the server has to be called.
fn trust(tls: &Tls) -> Result<TlsParameters, MailError> {
    let oldest = match tls.only_newest {
        true => TlsVersion::Tlsv13,
        false => TlsVersion::Tlsv12,
    };
    let mut builder = TlsParametersBuilder::new(tls.server_name.clone())
        .set_min_tls_version(oldest)
        .dangerous_accept_invalid_certs(!tls.verify)
        .dangerous_accept_invalid_hostnames(!tls.verify);
    if let Some(folder) = &tls.certificates {
        for certificate in certificates(folder)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder
        .build()
        .map_err(|error| MailError::new(&format!("cannot prepare TLS for mail: {error}")))
}

/// The certificates in a folder.
fn certificates(folder: &Path) -> Result<Vec<Certificate>, MailError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        MailError::new(&format!(
            "cannot read {} (certificates_directory): {why}",
            path.display()
        ))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| wrong(folder, &error))? {
        let path = entry.map_err(|error| wrong(folder, &error))?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| wrong(&path, &error))?;
        found.push(Certificate::from_pem(&bytes).map_err(|error| wrong(&path, &error))?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_we_are_is_a_name_or_an_address_in_brackets() {
        for (identifier, said) in [
            ("localhost", "localhost"),
            ("127.0.0.1", "[127.0.0.1]"),
            ("[127.0.0.1]", "[127.0.0.1]"),
            ("[IPv6:::1]", "[IPv6:::1]"),
            ("::1", "[IPv6:::1]"),
        ] {
            assert_eq!(hello(identifier).to_string(), said);
        }
    }
}
