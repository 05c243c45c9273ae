//! The description of one nginx with its sites, its configuration files and its users, before it runs.
//!
//! Texts may hold `@name@` places, filled in when the site is written out: `@listen@` (TLS and HTTP/2), `@quic@`
//! (HTTP/3), `@clear@` (plain http), `@proxy@` (to the echo backend), `@backend@`, `@fastcgi@`, `@uwsgi@`, `@grpc@` (addresses),
//! `@port@` (what follows a host in a URL), `@prefix@` (the directory of the site), `@module@`.

use std::path::Path;

use super::Gate;
use super::nginx::{Checked, module};
use super::place::Place;

/// alice may everything but `/admin/`, bob is an administrator, carol is switched off.
pub const USERS: &str = include_str!("users.yml");

/// The rules that stand at the top of the list of attacks.
pub const RULES: &str = include_str!("rules.yml");

const NGINX: &str = include_str!("nginx.conf");
const PROXY: &str =
    "proxy_pass http://@backend@; proxy_http_version 1.1; proxy_set_header Host $host;";

/// What a test wants to run.
#[derive(Debug, Clone)]
pub struct Site {
    module: bool,
    workers: u16,
    main: String,
    http: String,
    root: String,
    app: String,
    public: String,
    portal: String,
    servers: String,
    backend: String,
    session: String,
    yaml: String,
    rules: String,
    users: String,
    files: Vec<(String, String)>,
    pub(super) modes: Vec<(String, u32)>,
    pub(super) preparations: Vec<fn(&Path)>,
    watch: bool,
    pub(super) tolerated: Vec<&'static str>,
}

impl Site {
    /// The test bed of the attacks: hosts app, admin, api and public, the portal at auth, all under example.com.
    pub fn bed() -> Site {
        Site {
            module: true,
            workers: 1,
            main: String::new(),
            http: "auth_gate_config @prefix@/configuration.yml; auth_gate_zone auth_gate:1m;"
                .into(),
            root: "location / { @proxy@ }".into(),
            app: "auth_gate on;".into(),
            public: "auth_gate on; location / { @proxy@ }".into(),
            portal: "location / { auth_gate_portal; }".into(),
            servers: String::new(),
            backend: BACKEND.into(),
            session: SESSION.into(),
            yaml: String::new(),
            rules: RULES.into(),
            users: USERS.into(),
            files: Vec::new(),
            modes: Vec::new(),
            preparations: Vec::new(),
            watch: true,
            tolerated: Vec::new(),
        }
    }

    /// The same hosts on an nginx without the module: what the harness itself is tried with.
    pub fn bare() -> Site {
        let nothing = String::new;
        Site {
            module: false,
            http: nothing(),
            app: nothing(),
            public: "location / { @proxy@ }".into(),
            portal: nothing(),
            ..Site::bed()
        }
    }

    /// So many worker processes; one unless told.
    pub fn workers(mut self, count: u16) -> Site {
        self.workers = count;
        self
    }

    /// Adds lines outside of `http`.
    pub fn main(mut self, lines: &str) -> Site {
        add(&mut self.main, lines);
        self
    }

    /// Adds lines to `http`.
    pub fn http(mut self, lines: &str) -> Site {
        add(&mut self.http, lines);
        self
    }

    /// Replaces what `http` says of the module (its configuration and its zone).
    pub fn http_only(mut self, lines: &str) -> Site {
        self.http = lines.into();
        self
    }

    /// Adds lines to the server of app, api and admin, beside its `location /`.
    pub fn app(mut self, lines: &str) -> Site {
        add(&mut self.app, lines);
        self
    }

    /// Replaces what that server says of itself (`auth_gate on;`).
    pub fn app_only(mut self, lines: &str) -> Site {
        self.app = lines.into();
        self
    }

    /// Replaces the `location /` of app, api and admin.
    pub fn root(mut self, lines: &str) -> Site {
        self.root = lines.into();
        self
    }

    /// Replaces the inside of the server of public.
    pub fn public(mut self, lines: &str) -> Site {
        self.public = lines.into();
        self
    }

    /// Replaces the inside of the portal's server.
    pub fn portal(mut self, lines: &str) -> Site {
        self.portal = lines.into();
        self
    }

    /// Adds whole server blocks.
    pub fn server(mut self, block: &str) -> Site {
        add(&mut self.servers, block);
        self
    }

    /// Replaces the `session:` part of the configuration.
    pub fn session(mut self, yaml: &str) -> Site {
        self.session = yaml.into();
        self
    }

    /// Replaces the `authentication_backend:` part of the configuration.
    pub fn backend(mut self, yaml: &str) -> Site {
        self.backend = format!("{yaml}\n");
        self
    }

    /// Replaces the `access_control:` part of the configuration.
    pub fn rules(mut self, yaml: &str) -> Site {
        self.rules = yaml.into();
        self
    }

    /// Adds top-level keys to the configuration.
    pub fn yaml(mut self, yaml: &str) -> Site {
        add(&mut self.yaml, yaml);
        self
    }

    /// Replaces the users file.
    pub fn users(mut self, yaml: &str) -> Site {
        self.users = yaml.into();
        self
    }

    /// Adds a file under the site's directory.
    pub fn file(mut self, path: &str, content: &str) -> Site {
        self.files.push((path.into(), content.into()));
        self
    }

    /// Sets the mode of one of the files.
    pub fn mode(mut self, path: &str, mode: u32) -> Site {
        self.modes.push((path.into(), mode));
        self
    }

    /// Does something in the site's directory when its files are there.
    pub fn prepare(mut self, preparation: fn(&Path)) -> Site {
        self.preparations.push(preparation);
        self
    }

    /// Whether the users file is watched; it is unless told.
    pub fn watch(mut self, watch: bool) -> Site {
        self.watch = watch;
        self
    }

    /// Lets the error log hold alarms with this text; all others fail the test.
    pub fn tolerate(mut self, text: &'static str) -> Site {
        self.tolerated.push(text);
        self
    }

    /// Runs it.
    pub fn start(self) -> Gate {
        Gate::start(self)
    }

    /// Asks `nginx -t` about it.
    pub fn check(self) -> Checked {
        let place = Place::claim(&self);
        let output = place.nginx(&["-t"]).output().expect("nginx runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Checked {
            ok: output.status.success(),
            text: text.replace(&place.prefix.display().to_string(), "@prefix@"),
        }
    }

    pub(super) fn worker_count(&self) -> usize {
        self.workers.into()
    }

    pub(super) fn files(&self) -> Vec<(String, String)> {
        let mut configuration = self.backend.replace("@watch@", &self.watch.to_string());
        for part in [&self.session, &self.yaml, &self.rules] {
            add(&mut configuration, part);
        }
        let mut files = vec![
            ("nginx.conf".to_owned(), self.nginx_conf()),
            ("configuration.yml".to_owned(), configuration),
            ("users.yml".to_owned(), self.users.clone()),
        ];
        files.extend(self.files.clone());
        files
    }

    fn nginx_conf(&self) -> String {
        let loads = self.module || self.main.contains("@module@");
        let loaded = if loads {
            module().display().to_string()
        } else {
            String::new()
        };
        let load = if self.module {
            format!("load_module {loaded};")
        } else {
            String::new()
        };
        NGINX
            .replace("@load@", &load)
            .replace("@workers@", &self.workers.to_string())
            .replace("@main@", &self.main)
            .replace("@http-lines@", &self.http)
            .replace("@app@", &self.app)
            .replace("@root@", &self.root)
            .replace("@public@", &self.public)
            .replace("@portal@", &self.portal)
            .replace("@servers@", &self.servers)
            .replace("@proxy@", PROXY)
            .replace("@module@", &loaded)
    }
}

/// What every configuration of a test begins with.
const BACKEND: &str = "authentication_backend:\n  file:\n    path: users.yml\n    watch: @watch@\n";

/// One cookie domain, the portal on a host of its own.
pub const SESSION: &str = "session:
  secret: an insecure secret for tests
  cookies:
    - domain: example.com
      authelia_url: https://auth.example.com@port@
";

fn add(text: &mut String, lines: &str) {
    text.push_str(lines);
    if !lines.ends_with('\n') {
        text.push('\n');
    }
}
