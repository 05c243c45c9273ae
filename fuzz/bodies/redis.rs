//! Bytes that lie in Redis: they are something or nothing, and nothing else happens.

/// Whether they were something.
pub fn run(data: &[u8]) -> bool {
    ngx_http_auth_gate_module::store::read_anything(data)
}
