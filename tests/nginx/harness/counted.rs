//! What a gate has counted, where its site tells that to a port of its own.

use super::exposition::Exposition;
use super::{Connection, Gate};

/// A server of a site that tells what is counted to whoever connects to port 8082, for [`Exposition::of_gate`].
pub const METRICS: &str =
    "server { listen @address@:8082; location / { auth_gate_metrics; allow all; deny all; } }";

impl Exposition {
    /// What a gate with [`METRICS`] has counted.
    pub fn of_gate(gate: &Gate) -> Exposition {
        let address = std::net::SocketAddr::from((gate.address().ip, 8082));
        let answer = Connection::plain(address)
            .send("GET / HTTP/1.1\r\nHost: metrics\r\n\r\n")
            .answer();
        Exposition::read(&answer.text())
    }
}
