//! What the fuzz target does with its input; the plain tests replay the corpus through it.

use ngx_http_auth_gate_module::session::{Lifetimes, RECORD_LENGTH, Record, check};

const LIFETIMES: Lifetimes = Lifetimes {
    expiration: 3600,
    inactivity: 300,
    remember_me: Some(u64::MAX),
};

/// Reads `data` as a record that a store gave back, after eight bytes of when it was last used.
pub fn run(data: &[u8]) {
    let Some((last, bytes)) = data.split_first_chunk() else {
        return;
    };
    let last = u64::from_le_bytes(*last);
    let Some(record) = Record::decode(bytes, last) else {
        return;
    };
    // There is one way to write a record, so what is read is what was written.
    assert_eq!(record.encode(), bytes);
    assert_eq!(bytes.len(), RECORD_LENGTH);
    assert_eq!(record.last_activity, last);
    assert!((1..=140).contains(&record.user.as_str().len()));
    assert_eq!(record.address, record.address.to_canonical());
    assert!(record.level() <= 2 && record.methods.words().count() <= 4);
    assert!(!record.device.to_string().is_empty());
    // Beyond the end of time nothing ends.
    let times = [0, last, record.created];
    for now in times.into_iter().filter(|now| now >> 62 == 0) {
        let lasts = check(&record, &LIFETIMES, now).is_ok();
        assert!(!lasts || now < LIFETIMES.ends(&record));
    }
}
