//! Whom to believe over TLS, and who we are.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, SupportedProtocolVersion, version,
};
use secrecy::ExposeSecret;

use crate::store::redis::trouble::RedisTrouble;
use crate::store::{RedisServer, RedisTls, RedisTlsVersion};

/// How files of the folder end that are read.
const EXTENSIONS: [&str; 3] = ["cer", "crt", "pem"];

/// What every connection over TLS has in common.
pub struct Tls {
    config: Arc<ClientConfig>,
    name: Option<String>,
}

impl Tls {
    pub fn new(settings: &RedisTls) -> Result<Tls, RedisTrouble> {
        let provider = Arc::new(ring::default_provider());
        let versions = versions(settings);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| trouble(&error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier(settings, &provider)?);
        let config = match (&settings.chain, &settings.key) {
            (Some(chain), Some(key)) => {
                let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| ours("certificate_chain", &error))?;
                let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes())
                    .map_err(|error| ours("private_key", &error))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| ours("certificate_chain and private_key", &error))?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Tls {
            config: Arc::new(config),
            name: settings.server_name.clone(),
        })
    }

    pub fn session(&self, server: &RedisServer) -> Result<ClientConnection, RedisTrouble> {
        let host = match server {
            RedisServer::Tcp { host, .. } => host,
            RedisServer::Unix(_) => "localhost",
        };
        let name = self.name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.to_owned()).map_err(|_| {
            let why = "is no name for a certificate; write session.redis.tls.server_name";
            RedisTrouble::Tls(format!("`{name}` {why}"))
        })?;
        ClientConnection::new(Arc::clone(&self.config), name).map_err(|error| trouble(&error))
    }

    /// What went wrong in a handshake, and what helps.
    pub fn explain(&self, error: &io::Error) -> String {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        let hint = match inner {
            Some(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => "; write the name in its certificate as session.redis.tls.server_name",
            Some(Error::InvalidCertificate(_)) => {
                "; put the certificate of its authority into the folder of certificates_directory"
            }
            Some(Error::AlertReceived(_)) => {
                "; it may ask for a certificate of ours: session.redis.tls.certificate_chain and private_key"
            }
            Some(_) => "",
            None => "; see whether it speaks TLS at this port",
        };
        format!("{error}{hint}")
    }
}

fn versions(settings: &RedisTls) -> Vec<&'static SupportedProtocolVersion> {
    let all = [
        (RedisTlsVersion::V12, &version::TLS12),
        (RedisTlsVersion::V13, &version::TLS13),
    ];
    let wanted = settings.oldest..=settings.newest;
    let versions = all.into_iter().filter(|(v, _)| wanted.contains(v));
    versions.map(|(_, version)| version).collect()
}

fn verifier(
    settings: &RedisTls,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, RedisTrouble> {
    if !settings.verify {
        return Ok(Arc::new(Anybody(Arc::clone(provider))));
    }
    let mut roots = RootCertStore::empty();
    // A system without certificates is no error where the folder has what is needed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(folder) = &settings.certificates {
        for certificate in certificates(folder)? {
            roots
                .add(certificate)
                .map_err(|error| unreadable(folder, &error))?;
        }
    }
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = builder.build().map_err(|_| {
        let why = "neither the system nor certificates_directory has a certificate to believe";
        RedisTrouble::Tls(why.into())
    })?;
    Ok(verifier)
}

/// The certificates in a folder.
fn certificates(folder: &Path) -> Result<Vec<CertificateDer<'static>>, RedisTrouble> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            let pem = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
            for certificate in CertificateDer::pem_slice_iter(&pem) {
                found.push(certificate.map_err(|error| unreadable(&path, &error))?);
            }
        }
    }
    Ok(found)
}

fn trouble(error: &Error) -> RedisTrouble {
    RedisTrouble::Tls(error.to_string())
}

fn ours(key: &str, error: &dyn std::fmt::Display) -> RedisTrouble {
    RedisTrouble::Tls(format!("session.redis.tls.{key} cannot be used: {error}"))
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> RedisTrouble {
    let path = path.display();
    RedisTrouble::Tls(format!(
        "cannot read {path} (certificates_directory): {why}"
    ))
}

/// Believes every certificate, as `skip_verify` says.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.0.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
