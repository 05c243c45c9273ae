//! A certificate authority for the length of the test run, and clients that trust nothing else.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use sha2::Digest as _;

/// Every host that a test may ask for by name.
const NAMES: &[&str] = &[
    "example.com",
    "*.example.com",
    "example.org",
    "*.example.org",
    "*.app.example.com",
];

/// The authority and the one certificate all sites use.
pub struct Authority {
    root: CertificateDer<'static>,
    pub chain_pem: String,
    pub key_pem: String,
    /// What `--ignore-certificate-errors-spki-list` of Chromium takes.
    pub spki: String,
}

/// Made once for all tests of a run.
pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(make)
}

fn make() -> Authority {
    let root_key = KeyPair::generate().expect("a key for the authority");
    let mut root = CertificateParams::default();
    root.distinguished_name
        .push(DnType::CommonName, "Auth Gate test authority");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root
        .self_signed(&root_key)
        .expect("the authority's certificate");
    let issuer = Issuer::new(root, root_key);

    let key = KeyPair::generate().expect("a key for the sites");
    let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names)
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("the sites' certificate");
    let digest = sha2::Sha256::digest(rcgen::PublicKeyData::subject_public_key_info(&key));
    Authority {
        root: root_certificate.der().clone(),
        chain_pem: certificate.pem() + &root_certificate.pem(),
        key_pem: key.serialize_pem(),
        spki: base64::engine::general_purpose::STANDARD.encode(digest),
    }
}

/// A client that trusts the authority and offers `protocol` by ALPN.
pub fn client(protocol: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(authority().root.clone())
        .expect("a root that is well formed");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider speaks the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}
