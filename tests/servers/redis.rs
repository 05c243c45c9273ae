//! Real Redis servers of every kind, each set on an address and in a folder of its own, which are
//! gone with the test.

#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "some tests have it already"
)]
#[path = "../nginx/harness/address.rs"]
mod address;
#[path = "certificates.rs"]
mod certificates;
#[path = "process.rs"]
mod process;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use address::Address;
use process::{Process, Way};

pub use process::until;

/// Where servers listen; the address is nobody else's.
pub const PORT: u16 = 6379;
/// Where sentinels listen, and the next ones at the ports behind.
pub const SENTINEL_PORT: u16 = 26_379;
/// What the sentinels call the primary.
pub const NAME: &str = "gate";
/// The user that [`Servers::tls`] wants, and his password.
pub const USER: (&str, &str) = ("gate", "a-password-of-some-length");
/// The name in the certificate of [`Servers::tls`].
pub const TLS_NAME: &str = "redis.example.com";

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One server on the network.
    Tcp,
    /// One server on a unix socket.
    Unix,
    /// One server that speaks TLS and wants user and password; certificates are in `ca`.
    Tls,
    /// A primary, two replicas and three sentinels.
    Sentinel,
    /// Three primaries, each with a replica.
    Cluster,
}

/// Servers that belong together.
pub struct Servers {
    pub kind: Kind,
    /// Primaries first.
    pub servers: Vec<Process>,
    pub sentinels: Vec<Process>,
    /// In PEM, of a client, with its key.
    pub client: Option<(String, String)>,
    folder: PathBuf,
    address: Address,
}

impl Servers {
    /// Starts what there is of this kind.
    pub fn start(kind: Kind) -> Servers {
        match kind {
            Kind::Tcp => Servers::tcp(""),
            Kind::Unix => Servers::unix(),
            Kind::Tls => Servers::tls(false),
            Kind::Sentinel => Servers::sentinel(),
            Kind::Cluster => Servers::cluster(),
        }
    }

    /// One server on the network, with more lines in its configuration.
    pub fn tcp(more: &str) -> Servers {
        let mut all = Servers::none(Kind::Tcp);
        all.add(PORT, more);
        all
    }

    /// One server on a unix socket.
    pub fn unix() -> Servers {
        let mut all = Servers::none(Kind::Unix);
        let socket = all.socket();
        let socket = socket.display();
        let configuration = format!("port 0\nunixsocket {socket}\n");
        let way = Way(vec!["-s".into(), socket.to_string()]);
        let folder = all.folder.join("server");
        let server = Process::start(&folder, &configuration, way, false);
        all.servers.push(server);
        all
    }

    /// One server that speaks TLS; whether it wants a certificate of the client's, too.
    pub fn tls(mutual: bool) -> Servers {
        let mut all = Servers::none(Kind::Tls);
        all.client = Some(certificates::write(&all.folder, TLS_NAME));
        let (host, folder) = (all.host(), all.folder.display());
        let (user, password) = USER;
        let asked = if mutual { "yes" } else { "no" };
        let configuration = format!(
            "bind {host}\nport 0\ntls-port {PORT}\ntls-auth-clients {asked}\n\
            tls-cert-file {folder}/server.crt\ntls-key-file {folder}/server.key\n\
            tls-ca-cert-file {folder}/ca/ca.crt\nuser default off\n\
            user {user} on >{password} ~auth-gate:* resetchannels +@all -@admin -@dangerous +role +cluster|slots\n\
            user root on >{password} ~* +@all\n"
        );
        let file = |name: &str| format!("{folder}/{name}");
        let mut way = reach(&host, PORT).0;
        way.extend(["--tls".into(), "--cacert".into(), file("ca/ca.crt")]);
        way.extend([
            "--cert".into(),
            file("client.crt"),
            "--key".into(),
            file("client.key"),
        ]);
        way.extend(["--sni".into(), TLS_NAME.into()]);
        way.extend([
            "--user".into(),
            "root".into(),
            "--pass".into(),
            password.into(),
        ]);
        way.push("--no-auth-warning".into());
        let server = Process::start(&all.folder.join("server"), &configuration, Way(way), false);
        all.servers.push(server);
        all
    }

    /// A primary with two replicas, and three sentinels, two of whom decide.
    pub fn sentinel() -> Servers {
        let mut all = Servers::none(Kind::Sentinel);
        let host = all.host();
        all.add(PORT, "repl-diskless-sync-delay 0\n");
        for port in [PORT + 1, PORT + 2] {
            all.add(
                port,
                &format!("replicaof {host} {PORT}\nrepl-diskless-sync-delay 0\n"),
            );
        }
        for number in 0..3 {
            let port = SENTINEL_PORT + number;
            let configuration = format!(
                "bind {host}\nprotected-mode no\nport {port}\nsentinel announce-ip {host}\nsentinel monitor {NAME} {host} {PORT} 2\n\
                sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 3000\n"
            );
            let folder = all.folder.join(port.to_string());
            let process = Process::start(&folder, &configuration, reach(&host, port), true);
            all.sentinels.push(process);
        }
        until("sentinels to know one another and the replicas", || {
            let know = all.sentinels.iter().all(|sentinel| {
                let said = sentinel.cli(&["sentinel", "master", NAME]);
                said.contains("num-other-sentinels\n2") && said.contains("num-slaves\n2")
            });
            let replicated = all.servers[1..].iter().all(|replica| {
                let said = replica.cli(&["info", "replication"]);
                said.contains("master_link_status:up")
            });
            (know && replicated).then_some(())
        });
        all
    }

    /// Six nodes, of which three have the slots.
    pub fn cluster() -> Servers {
        let mut all = Servers::none(Kind::Cluster);
        let host = all.host();
        for port in all.ports(6) {
            all.add(
                port,
                "cluster-enabled yes\ncluster-node-timeout 1500\ncluster-config-file nodes.conf\n\
                repl-diskless-sync-delay 0\ncluster-replica-validity-factor 0\n",
            );
        }
        let nodes: Vec<String> = all.ports(6).map(|port| format!("{host}:{port}")).collect();
        let mut create = vec!["--cluster", "create"];
        create.extend(nodes.iter().map(String::as_str));
        create.extend(["--cluster-replicas", "1", "--cluster-yes"]);
        let said = all.servers[0].cli(&create);
        assert!(said.contains("All 16384 slots covered"), "{said}");
        until("the cluster to be of one mind", || {
            let well = all.servers.iter().all(|server| {
                let nodes = server.cli(&["cluster", "nodes"]);
                let well = server
                    .cli(&["cluster", "info"])
                    .contains("cluster_state:ok");
                let replicas = nodes.matches("slave").count();
                let linked = !server
                    .cli(&["info", "replication"])
                    .contains("link_status:down");
                well && linked && replicas == 3 && !nodes.contains("fail")
            });
            well.then_some(())
        });
        all
    }

    /// The address, nobody else's.
    pub fn host(&self) -> String {
        self.ip().to_string()
    }

    /// The same.
    pub fn ip(&self) -> Ipv4Addr {
        self.address.ip
    }

    /// The unix socket of [`Servers::unix`].
    pub fn socket(&self) -> PathBuf {
        self.folder.join("redis.sock")
    }

    /// A folder that is gone with the servers.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder with the certificate of the authority.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca")
    }

    /// The ports of so many servers.
    pub fn ports(&self, servers: u16) -> std::ops::Range<u16> {
        PORT..PORT + servers
    }

    /// The one server, or the one that was the primary in the beginning.
    pub fn first(&mut self) -> &mut Process {
        &mut self.servers[0]
    }

    /// What stands below `session.redis`, in the flow style of YAML.
    pub fn yaml(&self) -> String {
        let host = self.host();
        let nodes = |ports: std::ops::Range<u16>| {
            let node = |port| format!("{{host: {host}, port: {port}}}");
            ports.map(node).collect::<Vec<_>>().join(", ")
        };
        match self.kind {
            Kind::Tcp => format!("{{host: {host}, port: {PORT}}}"),
            Kind::Unix => format!("{{host: {}}}", self.socket().display()),
            Kind::Tls => {
                let (user, password) = USER;
                format!(
                    "{{host: {host}, port: {PORT}, username: {user}, password: {password}, \
                    tls: {{server_name: {TLS_NAME}}}}}"
                )
            }
            Kind::Sentinel => format!(
                "{{high_availability: {{sentinel_name: {NAME}, nodes: [{}]}}}}",
                nodes(SENTINEL_PORT..SENTINEL_PORT + 3)
            ),
            Kind::Cluster => format!("{{cluster: {{nodes: [{}]}}}}", nodes(self.ports(6))),
        }
    }

    fn none(kind: Kind) -> Servers {
        let address = Address::claim();
        let folder = std::env::temp_dir().join(format!("auth-gate-redis-{}", address.ip));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        Servers {
            kind,
            servers: Vec::new(),
            sentinels: Vec::new(),
            client: None,
            folder,
            address,
        }
    }

    fn add(&mut self, port: u16, more: &str) {
        let host = self.host();
        // Others of the set would take the address from which it speaks for that where it listens.
        let configuration = format!(
            "bind {host}\nprotected-mode no\nport {port}\nreplica-announce-ip {host}\n\
            cluster-announce-ip {host}\n{more}"
        );
        let folder = self.folder.join(port.to_string());
        let process = Process::start(&folder, &configuration, reach(&host, port), false);
        self.servers.push(process);
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for process in self.servers.iter_mut().chain(&mut self.sentinels) {
            process.kill();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn reach(host: &str, port: u16) -> Way {
    Way(vec![
        "-h".into(),
        host.into(),
        "-p".into(),
        port.to_string(),
    ])
}
