//! Which files and folders there will be, whose they are and what stands in them.

use std::fs;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::answers::{Answers, Certificate};
use super::content::{self, Places};
use super::owner::{Owner, Owners};
use super::paths::Paths;
use super::plan::{File, Folder, Link, Plan};
use crate::certificate;

/// Everything that is to be written.
pub fn plan(
    answers: &Answers,
    paths: &Paths,
    owners: &Owners,
    ports: (u16, u16),
    link: Option<Link>,
) -> Result<Plan, String> {
    let master = &owners.master;
    let (mut files, certificate, key) = match &answers.certificate {
        Certificate::Given { certificate, key } => (Vec::new(), certificate.clone(), key.clone()),
        Certificate::SelfSigned => {
            let [certificate, key] = self_signed(answers, paths, master)?;
            let names = (certificate.path.clone(), key.path.clone());
            (vec![certificate, key], names.0, names.1)
        }
    };
    let letters = paths.letters();
    let places = Places {
        configuration: &paths.configuration,
        users: &paths.users,
        store: paths.store.as_deref().map(|store| (store, &*letters)),
        certificate: &certificate,
        key: &key,
        secret: &random()?,
        storage_key: &random()?,
        workers: &owners.workers.names,
        ports,
        ipv6: fs::read("/proc/net/if_inet6").is_ok_and(|text| !text.is_empty()),
    };
    files.extend(written(answers, paths, owners, &places));
    Ok(Plan {
        folders: folders(paths, owners),
        files,
        link,
        absent: paths.stores(),
    })
}

/// Configuration, users and site.
fn written(answers: &Answers, paths: &Paths, owners: &Owners, places: &Places<'_>) -> [File; 3] {
    let master = &owners.master;
    // Where people change their passwords, the workers replace the users file.
    let (whose, mode) = match paths.store {
        Some(_) => (&owners.workers, 0o600),
        None => (&owners.shared, 0o640),
    };
    [
        File {
            content: content::configuration(answers, places),
            secrets: [places.secret, places.storage_key].map(kept).into(),
            ..file(&paths.configuration, master, 0o600)
        },
        File {
            content: content::users(&answers.person, &answers.hash),
            secrets: vec![answers.hash.clone()],
            ..file(&paths.users, whose, mode)
        },
        File {
            content: Zeroizing::new(content::site(answers, places)),
            ..file(&paths.site, master, 0o644)
        },
    ]
}

/// An empty file.
fn file(path: &Path, owner: &Owner, mode: u32) -> File {
    File {
        path: path.to_owned(),
        owner: owner.clone(),
        mode,
        content: Zeroizing::default(),
        secrets: Vec::new(),
    }
}

fn kept(secret: &str) -> Zeroizing<String> {
    Zeroizing::new(secret.to_owned())
}

/// The folders, each after those above it.
fn folders(paths: &Paths, owners: &Owners) -> Vec<Folder> {
    let mut public: Vec<&Path> = paths.dir.ancestors().collect();
    if paths.store.is_some() {
        public.extend(paths.data.ancestors());
    }
    let is_ours = |path: &Path| path == paths.dir || path == paths.data;
    public.retain(|path| path.symlink_metadata().is_err() || is_ours(path));
    public.sort();
    public.dedup();
    let public = public.into_iter().map(|path| Folder {
        path: path.to_owned(),
        owner: owners.master.clone(),
        mode: 0o755,
        own: false,
    });
    let store = paths.store.iter().flat_map(|store| [store, &paths.users]);
    let private = store.filter_map(|file| {
        Some(Folder {
            path: file.parent()?.to_owned(),
            owner: owners.workers.clone(),
            mode: 0o700,
            own: true,
        })
    });
    public.chain(private).collect()
}

/// Certificate and key for the domain, what is directly below it, and hosts further below.
fn self_signed(answers: &Answers, paths: &Paths, owner: &Owner) -> Result<[File; 2], String> {
    let domain = &answers.domain;
    let is_deeper = |host: &&String| {
        let front = host.strip_suffix(domain.as_str()).unwrap_or_default();
        front.trim_end_matches('.').contains('.')
    };
    let sites = answers.sites.iter().map(|site| &site.host);
    let deeper = std::iter::once(&answers.portal).chain(sites);
    let hosts: Vec<String> = std::iter::once(domain)
        .chain(deeper.filter(is_deeper))
        .cloned()
        .collect();
    let (pem, key) = certificate::make(&hosts, certificate::DAYS)
        .map_err(|error| format!("the certificate cannot be made: {error}"))?;
    let path = |ending: &str| -> PathBuf { paths.dir.join(format!("{domain}.{ending}")) };
    Ok([
        File {
            content: Zeroizing::new(pem),
            ..file(&path("crt"), owner, 0o644)
        },
        File {
            content: key.clone(),
            secrets: vec![key],
            ..file(&path("key"), owner, 0o600)
        },
    ])
}

/// 64 random characters.
fn random() -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| error.to_string())?;
    Ok(Zeroizing::new(data_encoding::HEXLOWER.encode(&*bytes)))
}
