//! What the fuzz target does with its input; the plain tests replay the corpus through it.

use ngx_http_auth_gate_module::session::{
    Keys, Record, Stripped, carries, strip_to, tokens, values,
};

/// Reads `data` as a `Cookie` header (lines: several) and as a session record.
pub fn run(data: &[u8]) {
    let keys = Keys::derive(b"the secret of the corpus");
    let headers = || data.split(|byte| *byte == b'\n');
    let found: Vec<_> = tokens(headers(), "session", &keys, "example.com").collect();
    let given: Vec<_> = values(headers(), "session").collect();
    assert!(found.len() <= given.len());
    for token in found {
        // Only what we made opens, and there is one way to write it.
        let sealed = token.seal(&keys, "example.com");
        assert!(given.contains(&sealed.as_bytes()));
    }
    for header in headers() {
        let mut out = vec![0; header.len()];
        match strip_to(header, "session", &mut out) {
            Stripped::Unchanged => assert_eq!(values([header], "session").count(), 0),
            Stripped::Empty => (),
            Stripped::Rest(rest) => assert!(!carries(rest, "session")),
        }
    }
    if let Some(record) = Record::decode(data, 0) {
        assert_eq!(record.encode(), data);
    }
}
