//! What the administrator wrote, for the whole, for a server and for a location.

use std::{cell::RefCell, ffi::c_void, ptr::NonNull, rc::Rc, sync::Arc};

use ipnet::IpNet;
use secrecy::ExposeSecret;

use super::{
    credentials::Credentials,
    doors,
    ffi::{ngx_cycle_t, ngx_http_complex_value_t},
    job::Threads,
    office::{Office, Unusable},
    server_names::ServerNames,
    snapshot::Snapshot,
    zone::Zone,
};
use crate::{
    access::{Guard, Pattern, PatternSet, PolicySource, SubjectTerm},
    config::Config,
    portal::{Portal, Remembered},
    session::Keys,
};

/// `http`: configuration, shared memory and what this process made of them.
#[derive(Default)]
pub struct MainConf {
    /// What the YAML configuration says.
    pub loaded: Option<Loaded>,
    /// The shared memory.
    pub zone: Rc<Zone>,
    /// `auth_gate_store_grace`, in seconds.
    pub grace: Option<u64>,
}

/// What `auth_gate_config` read.
pub struct Loaded {
    /// The content of the file.
    pub config: Arc<Config>,
    /// The portal over that content, without what the workers are not able to do.
    portal: RefCell<Rc<Portal>>,
    /// Keys that outlive this process, where the configuration has a secret to make them of.
    pub lasting_keys: Option<Keys>,
    /// The users as this process knows them.
    pub snapshot: Rc<Snapshot>,
    /// Where errands of the portal are run.
    pub office: Arc<Office>,
    /// The passwords in headers that were right a moment ago.
    pub remembered: Rc<Remembered>,
    /// Where passwords are checked and files are read.
    pub threads: Threads,
    /// The configuration of nginx that this belongs to.
    pub cycle: *mut ngx_cycle_t,
}

impl Loaded {
    /// What a configuration becomes in this process.
    ///
    /// # Errors
    /// A file that it names cannot be read.
    pub fn new(
        config: Config,
        threads: Threads,
        cycle: *mut ngx_cycle_t,
    ) -> Result<Self, Unusable> {
        let config = Arc::new(config);
        Ok(Loaded {
            portal: RefCell::new(Rc::new(Portal::new(config.portal_settings()))),
            snapshot: Rc::new(Snapshot::new(&config)),
            office: Arc::new(Office::new(&config)?),
            lasting_keys: lasting_keys(&config),
            remembered: Rc::default(),
            config,
            threads,
            cycle,
        })
    }

    /// The portal.
    pub fn portal(&self) -> Rc<Portal> {
        Rc::clone(&self.portal.borrow())
    }

    /// Puts another portal in its place, before the first request.
    pub fn set_portal(&self, portal: Portal) {
        *self.portal.borrow_mut() = Rc::new(portal);
    }
}

/// Of `session.secret`, else of what the store is sealed with.
fn lasting_keys(config: &Config) -> Option<Keys> {
    let storage = config.storage.as_ref();
    let secret = config.session.secret.as_ref();
    let secret = secret.or(storage.map(|storage| &storage.encryption_key))?;
    Some(Keys::derive(secret.expose_secret().as_bytes()))
}

/// `server`.
#[derive(Default)]
pub struct ServerConf {
    /// `auth_gate_scheme`; null means `$scheme`.
    pub scheme: Option<*mut ngx_http_complex_value_t>,
    /// The names by which the server may be asked.
    pub names: ServerNames,
    /// Whether any location here is guarded or serves the portal.
    pub guards: bool,
    /// Whether any location here lets a client's identity headers through.
    pub lets_headers_through: bool,
    /// The paths under which locations here serve the portal.
    pub portals: Vec<String>,
    /// The paths under which authorization endpoints stand here.
    pub doors: Vec<String>,
    /// The locations here that tell what is counted, each with the configurations of all modules.
    pub scrapes: Vec<NonNull<*mut c_void>>,
}

/// `location`, `limit_except` and, as their parents, `server` and `http`.
#[derive(Default)]
pub struct LocationConf {
    /// `auth_gate`.
    pub gate: Option<bool>,
    /// `auth_gate_portal`: the path under which the portal stands, without a final slash.
    pub portal: Option<String>,
    /// `auth_gate_endpoints`.
    pub endpoints: bool,
    /// `auth_gate_sign_out`.
    pub sign_out: bool,
    /// `auth_gate_trusted_proxies`; made whole by the merge.
    pub trusted_proxies: Option<Rc<[IpNet]>>,
    /// `auth_gate_metrics`.
    pub metrics: bool,
    /// `auth_gate_policy`.
    pub policy: Option<PolicySource>,
    /// `auth_gate_require`, a line each.
    pub require: Option<Vec<Vec<SubjectTerm>>>,
    /// `auth_gate_unauthenticated`.
    pub unauthenticated: Option<Vec<Pattern>>,
    /// `auth_gate_unauthenticated_url`.
    pub unauthenticated_url: Option<Vec<Pattern>>,
    /// `auth_gate_identity_headers`.
    pub identity_headers: Option<IdentityHeaders>,
    /// `auth_gate_application`.
    pub application: Option<Rc<str>>,
    /// `auth_gate_backend_basic`.
    pub backend_basic: Option<BackendBasic>,
    /// `auth_gate_credentials`.
    pub credentials: Option<Credentials>,
    /// `auth_gate_challenge`.
    pub challenge: Option<ChallengeForm>,
    /// The above as the access room reads it; made by the merge.
    pub guard: Option<Rc<Guard>>,
}

/// Which sets of identity headers the backend receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// `Remote-User`, `Remote-Groups`, `Remote-Name`, `Remote-Email`.
    pub remote: bool,
    /// `X-authentik-username` and its like.
    pub authentik: bool,
}

impl IdentityHeaders {
    /// Where nothing is said.
    pub const REMOTE: IdentityHeaders = IdentityHeaders {
        remote: true,
        authentik: false,
    };
    /// None of ours; the client's own pass.
    pub const OFF: IdentityHeaders = IdentityHeaders {
        remote: false,
        authentik: false,
    };
}

/// Of which attributes of the user a Basic `Authorization` is made.
#[derive(Clone, Debug)]
pub struct BackendBasic {
    /// That of the name.
    pub user: Rc<str>,
    /// That of the password.
    pub password: Rc<str>,
}

/// How a visitor who must sign in is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeForm {
    /// By what the client can use.
    Auto,
    /// Always a redirect.
    Redirect,
    /// Always 401.
    Status,
}

impl LocationConf {
    /// Whether requests that reach this location are guarded.
    pub fn is_guarded(&self) -> bool {
        self.gate == Some(true) && !self.answers() && !self.metrics
    }

    /// Whether the handler of the portal answers here.
    pub fn answers(&self) -> bool {
        self.served_by().is_some()
    }

    /// The directive that lets it.
    pub fn served_by(&self) -> Option<&'static str> {
        let directives = [
            (self.portal.is_some(), "auth_gate_portal"),
            (self.endpoints, "auth_gate_endpoints"),
            (self.sign_out, "auth_gate_sign_out"),
        ];
        let mut serving = directives.into_iter().filter(|(serves, _)| *serves);
        serving.next().map(|(_, name)| name)
    }

    /// Which identity headers hold here.
    pub fn identity_headers(&self) -> IdentityHeaders {
        self.identity_headers.unwrap_or(IdentityHeaders::REMOTE)
    }

    /// What may say here who a visitor is.
    pub fn credentials(&self) -> Credentials {
        self.credentials.unwrap_or(Credentials::DEFAULT)
    }

    /// Takes from `parent` what this level leaves open, as nginx's own directives do.
    /// Says whether this level has a policy or requirement of its own that no gate asks for.
    pub fn inherit(&mut self, parent: &LocationConf) -> bool {
        let demands = self.policy.is_some() || self.require.is_some();
        let own_guard = self.policy.is_some()
            || self.require.is_some()
            || self.unauthenticated.is_some()
            || self.unauthenticated_url.is_some();
        self.gate = self.gate.or(parent.gate);
        self.policy = self.policy.or(parent.policy);
        self.identity_headers = self.identity_headers.or(parent.identity_headers);
        inherit_value(&mut self.application, &parent.application);
        inherit_value(&mut self.backend_basic, &parent.backend_basic);
        self.credentials = self.credentials.or(parent.credentials);
        self.challenge = self.challenge.or(parent.challenge);
        let trusted = self.trusted_proxies.take();
        let trusted = trusted.or_else(|| parent.trusted_proxies.clone());
        self.trusted_proxies = Some(trusted.unwrap_or_else(doors::private_networks));
        inherit_list(&mut self.require, &parent.require);
        inherit_list(&mut self.unauthenticated, &parent.unauthenticated);
        inherit_list(&mut self.unauthenticated_url, &parent.unauthenticated_url);
        self.guard = match &parent.guard {
            Some(guard) if !own_guard => Some(Rc::clone(guard)),
            _ => Some(Rc::new(self.to_guard())),
        };
        demands && self.gate != Some(true)
    }

    fn to_guard(&self) -> Guard {
        Guard {
            policy: self.policy.unwrap_or(PolicySource::Rules),
            require: self.require.clone().unwrap_or_default(),
            unauthenticated: PatternSet::new(self.unauthenticated.clone().unwrap_or_default()),
            unauthenticated_url: PatternSet::new(
                self.unauthenticated_url.clone().unwrap_or_default(),
            ),
        }
    }
}

fn inherit_list<T: Clone>(own: &mut Option<Vec<T>>, parent: &Option<Vec<T>>) {
    inherit_value(own, parent);
}

fn inherit_value<T: Clone>(own: &mut Option<T>, parent: &Option<T>) {
    if own.is_none() {
        own.clone_from(parent);
    }
}
