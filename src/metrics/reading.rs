//! One look at everything that is counted, as text.

use super::catalogue::{COUNTED, MEASURED};
use super::counts::Counts;
use super::exposition::{Exposition, Kind};
use super::family::{Family, Measured};
use super::words::{Level, Store, Table};

/// What there is to tell at one moment.
pub struct Reading<'r> {
    /// The counts.
    pub counts: &'r Counts,
    /// The stores that are in use. Of others nothing is told.
    pub stores: &'r [Store],
    /// Whether a process is still there.
    pub alive: &'r dyn Fn(u32) -> bool,
    /// The tables in shared memory.
    pub tables: &'r [(Table, TableFigures)],
    /// Bytes of the shared memory.
    pub zone_bytes: usize,
    /// Passwords that are being checked.
    pub hashes: Hashes,
    /// Users that the users file holds.
    pub users: usize,
    /// Our version.
    pub version: &'r str,
    /// That of nginx.
    pub nginx_version: &'r str,
}

/// How a table is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableFigures {
    /// Entries that it has room for.
    pub capacity: u64,
    /// Entries that it holds.
    pub used: u64,
    /// Entries that still counted and gave way to others.
    pub evictions: u64,
    /// How often it was rebuilt after a worker had died at work.
    pub rebuilds: u64,
}

/// Passwords that are being checked or made into hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hashes {
    /// How many are at work.
    pub running: u64,
    /// How many wait for their turn.
    pub waiting: u64,
}

impl Reading<'_> {
    /// The text for Prometheus.
    pub fn text(&self) -> String {
        let mut out = Exposition::default();
        let build = [
            ("version", self.version),
            ("nginx_version", self.nginx_version),
        ];
        out.begin("build_info", "What runs here; always 1.", Kind::Gauge);
        out.number("build_info", &build, 1);
        COUNTED
            .iter()
            .for_each(|family| self.count(&mut out, family));
        MEASURED.iter().for_each(|one| self.measure(&mut out, one));
        self.stores(&mut out);
        self.levels(&mut out);
        self.zone(&mut out);
        out.finish()
    }

    fn count(&self, out: &mut Exposition, family: &Family) {
        out.begin(family.name, family.help, Kind::Counter);
        for number in 0..family.len() {
            let labels = family.choice(number);
            if self.is_told(&labels) {
                out.number(family.name, &labels, self.counts.at(family.start + number));
            }
        }
    }

    fn measure(&self, out: &mut Exposition, measured: &Measured) {
        let Family { name, help, .. } = measured.family;
        out.begin(name, help, Kind::Histogram);
        for number in 0..measured.family.len() {
            let labels = measured.family.choice(number);
            if !self.is_told(&labels) {
                continue;
            }
            let start = measured.family.start + number * measured.words();
            let (buckets, mut so_far) = (format!("{name}_bucket"), 0);
            for (place, bound) in (start..).zip(measured.bounds) {
                so_far += self.counts.at(place);
                let bound = seconds(*bound).to_string();
                let labels = [&labels[..], &[("le", bound.as_str())]].concat();
                out.number(&buckets, &labels, so_far);
            }
            so_far += self.counts.at(start + measured.bounds.len());
            out.number(&buckets, &[&labels[..], &[("le", "+Inf")]].concat(), so_far);
            let sum = self.counts.at(start + measured.words() - 1);
            out.number(&format!("{name}_sum"), &labels, seconds(sum));
            out.number(&format!("{name}_count"), &labels, so_far);
        }
    }

    /// What is said of a store that is not in use would only be zeros.
    fn is_told(&self, labels: &[(&str, &str)]) -> bool {
        let store = labels.iter().find(|(name, _)| *name == "store");
        store.is_none_or(|(_, word)| self.stores.iter().any(|store| store.word() == *word))
    }

    fn stores(&self, out: &mut Exposition) {
        out.begin(
            "store_up",
            "Whether a store works: 1, or 0 while it does not.",
            Kind::Gauge,
        );
        for store in self.stores {
            let up = u8::from(self.counts.works(*store));
            out.number("store_up", &[("store", store.word())], up);
        }
    }

    fn levels(&self, out: &mut Exposition) {
        out.begin(
            "queue_length",
            "What is under way or waits, all workers together.",
            Kind::Gauge,
        );
        let Hashes { running, waiting } = self.hashes;
        let hashes = [("hashes_running", running), ("hashes_waiting", waiting)];
        let levels = Level::ALL.iter();
        let levels = levels.map(|level| (level.word(), self.counts.level(*level, self.alive)));
        for (queue, length) in hashes.into_iter().chain(levels) {
            out.number("queue_length", &[("queue", queue)], length);
        }
        let users = "Users that the users file holds.";
        out.single("users", users, Kind::Gauge, self.users);
    }

    fn zone(&self, out: &mut Exposition) {
        let bytes = "Bytes of the shared memory.";
        out.single("zone_size_bytes", bytes, Kind::Gauge, self.zone_bytes);
        let mut table = |name, help, kind, figure: fn(&TableFigures) -> u64| {
            out.begin(name, help, kind);
            for (table, figures) in self.tables {
                out.number(name, &[("table", table.word())], figure(figures));
            }
        };
        table(
            "zone_capacity",
            "Entries that a table in shared memory has room for.",
            Kind::Gauge,
            |figures| figures.capacity,
        );
        table(
            "zone_entries",
            "Entries that a table in shared memory holds; some may have ended.",
            Kind::Gauge,
            |figures| figures.used,
        );
        table(
            "zone_evictions_total",
            "Entries that still counted and gave way to others for want of room.",
            Kind::Counter,
            |figures| figures.evictions,
        );
        table(
            "zone_rebuilds_total",
            "How often a table was put in order after a worker had died at work.",
            Kind::Counter,
            |figures| figures.rebuilds,
        );
    }
}

/// Microseconds as seconds.
fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}
