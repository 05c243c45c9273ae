//! An authority, a certificate of a server's and one of a client's, for one test.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Writes what the server needs into the folder; gives the client's certificate and its key.
pub fn write(folder: &Path, server: &str) -> (String, String) {
    let write = |name: &str, pem: &str| fs::write(folder.join(name), pem).expect("a file");
    let root_key = KeyPair::generate().expect("a key");
    let mut root = CertificateParams::default();
    let name = "Auth Gate test authority";
    root.distinguished_name.push(DnType::CommonName, name);
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = root.self_signed(&root_key).expect("a certificate");
    fs::create_dir_all(folder.join("ca")).expect("a folder");
    write("ca/ca.crt", &certificate.pem());
    let issuer = Issuer::new(root, root_key);
    let issue = |name: &str, of: &str| {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![of.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        write(&format!("{name}.crt"), &certificate.pem());
        write(&format!("{name}.key"), &key.serialize_pem());
        (certificate.pem(), key.serialize_pem())
    };
    issue("server", server);
    issue("client", "gate.example.com")
}
