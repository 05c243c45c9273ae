//! What can be counted: names, labels, and where each count has its word.

use super::family::{Family, Measured, label};
use super::words::{
    Banned, BannedFor, Decided, Ended, Fetched, Hashed, Method, Operation, Ordered, Outcome, Store,
    Wanted,
};

/// Something that happened once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A request to a guarded location was judged, or a question to an authorization endpoint.
    Decision(Decided, Wanted),
    /// Somebody tried to show who he is.
    Login(Method, Outcome),
    /// A ban began.
    Ban(Banned, BannedFor),
    /// A session began.
    SessionStart,
    /// A session ended.
    SessionEnd(Ended),
    /// A store was asked for something; whether it answered.
    StoreOperation(Store, Operation, bool),
    /// A store that had worked works no more.
    StoreOutage(Store),
    /// A session was looked for in the store.
    Fetch(Fetched),
    /// An order was carried out.
    Order(Ordered),
    /// A password was checked, or not.
    Hash(Hashed),
}

/// Something that took a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duration {
    /// Asking a store.
    Store(Store),
    /// Checking a password, or making a hash of it.
    Hash,
}

/// The counts that grow with every request; each process has a copy of these words to itself.
pub const DECISIONS: Family = Family::new(
    0,
    "decisions_total",
    "Requests to guarded locations and questions to authorization endpoints, by what became of them and by what was required.",
    &[
        label("outcome", Decided::WORDS),
        label("requirement", Wanted::WORDS),
    ],
);

/// Words of which each process has its own.
pub const OWN_WORDS: usize = 32;

const LOGINS: Family = Family::new(
    OWN_WORDS,
    "logins_total",
    "Attempts to sign in, to prove another factor, or to pass an authorization endpoint.",
    &[
        label("method", Method::WORDS),
        label("result", Outcome::WORDS),
    ],
);
const BANS: Family = Family::new(
    LOGINS.end(),
    "bans_total",
    "Bans that began, by whom they hold and what brought them about.",
    &[label("whom", Banned::WORDS), label("for", BannedFor::WORDS)],
);
const STARTS: Family = Family::new(
    BANS.end(),
    "sessions_started_total",
    "Sessions that began: sign-ins with a password or a passkey.",
    &[],
);
const ENDS: Family = Family::new(
    STARTS.end(),
    "sign_outs_total",
    "Sessions that were ended from the portal, and how.",
    &[label("by", Ended::WORDS)],
);
const OPERATIONS: Family = Family::new(
    ENDS.end(),
    "store_operations_total",
    "What stores were asked for.",
    &[
        label("store", Store::WORDS),
        label("operation", Operation::WORDS),
        label("result", &["ok", "error"]),
    ],
);
const OUTAGES: Family = Family::new(
    OPERATIONS.end(),
    "store_outages_total",
    "How often a store stopped working.",
    &[label("store", Store::WORDS)],
);
const FETCHES: Family = Family::new(
    OUTAGES.end(),
    "session_fetches_total",
    "Sessions that were looked for in the store, as the shared memory did not hold them.",
    &[label("result", Fetched::WORDS)],
);
const ORDERS: Family = Family::new(
    FETCHES.end(),
    "orders_total",
    "Orders of administrators and other machines that were carried out.",
    &[label("order", Ordered::WORDS)],
);
const HASHES: Family = Family::new(
    ORDERS.end(),
    "hashes_total",
    "Passwords that were to be checked or made into a hash.",
    &[label("result", Hashed::WORDS)],
);

/// All counts.
pub const COUNTED: [&Family; 10] = [
    &DECISIONS,
    &LOGINS,
    &BANS,
    &STARTS,
    &ENDS,
    &OPERATIONS,
    &OUTAGES,
    &FETCHES,
    &ORDERS,
    &HASHES,
];

const STORE_TIME: Measured = Measured {
    family: Family::new(
        HASHES.end(),
        "store_operation_duration_seconds",
        "How long stores took.",
        &[label("store", Store::WORDS)],
    ),
    bounds: &[
        250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000,
    ],
};
const HASH_TIME: Measured = Measured {
    family: Family::new(
        STORE_TIME.end(),
        "hash_duration_seconds",
        "How long a password took from its turn to its result.",
        &[],
    ),
    bounds: &[
        5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
        10_000_000,
    ],
};

/// All measurements.
pub const MEASURED: [&Measured; 2] = [&STORE_TIME, &HASH_TIME];

/// The words of all counts and measurements, each once.
pub const WORDS: usize = HASH_TIME.end();

impl Counter {
    /// The place of its word.
    pub(super) fn place(self) -> usize {
        match self {
            Counter::Decision(outcome, wanted) => {
                DECISIONS.place(&[outcome as usize, wanted as usize])
            }
            Counter::Login(method, outcome) => LOGINS.place(&[method as usize, outcome as usize]),
            Counter::Ban(whom, why) => BANS.place(&[whom as usize, why as usize]),
            Counter::SessionStart => STARTS.place(&[]),
            Counter::SessionEnd(by) => ENDS.place(&[by as usize]),
            Counter::StoreOperation(store, operation, ok) => {
                OPERATIONS.place(&[store as usize, operation as usize, usize::from(!ok)])
            }
            Counter::StoreOutage(store) => OUTAGES.place(&[store as usize]),
            Counter::Fetch(fetched) => FETCHES.place(&[fetched as usize]),
            Counter::Order(order) => ORDERS.place(&[order as usize]),
            Counter::Hash(hashed) => HASHES.place(&[hashed as usize]),
        }
    }
}

impl Duration {
    /// The place of the word for one that took `micros`, and that of the sum.
    pub(super) fn places(self, micros: u64) -> (usize, usize) {
        let (measured, choice) = match self {
            Duration::Store(store) => (&STORE_TIME, store as usize),
            Duration::Hash => (&HASH_TIME, 0),
        };
        let start = measured.family.start + choice * measured.words();
        let bucket = measured.bounds.partition_point(|bound| *bound < micros);
        (start + bucket, start + measured.words() - 1)
    }
}

const _: () = assert!(DECISIONS.end() <= OWN_WORDS, "its words are its own");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_belongs_to_one_family() {
        let mut ranges: Vec<_> = COUNTED.map(|family| family.start..family.end()).into();
        ranges.extend(MEASURED.map(|measured| measured.family.start..measured.end()));
        assert!(ranges.windows(2).all(|two| two[0].end <= two[1].start));
        assert_eq!(ranges.last().map(|range| range.end), Some(WORDS));
    }

    #[test]
    fn a_count_is_where_its_labels_say() {
        let count = Counter::StoreOperation(Store::Redis, Operation::Fetch, false);
        let place = count.place() - OPERATIONS.start;
        assert_eq!(
            OPERATIONS.choice(place),
            [
                ("store", "redis"),
                ("operation", "fetch"),
                ("result", "error")
            ]
        );
        let count = Counter::Decision(Decided::Unavailable, Wanted::None);
        assert_eq!(count.place(), DECISIONS.len() - 1);
        assert_eq!(
            DECISIONS.choice(count.place()),
            [("outcome", "unavailable"), ("requirement", "none")]
        );
    }

    #[test]
    fn a_measurement_is_in_the_bucket_of_its_bound() {
        let start = HASH_TIME.family.start;
        for (micros, bucket) in [(0, 0), (5_000, 0), (5_001, 1), (u64::MAX, 11)] {
            let (place, sum) = Duration::Hash.places(micros);
            assert_eq!((place, sum), (start + bucket, WORDS - 1));
        }
    }
}
