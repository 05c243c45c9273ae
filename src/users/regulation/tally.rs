//! The count of one user or one address: its failures since the last success, and its ban.
//!
//! Attempts are numbered. All failures after number `cleared` count, so a success forgets the
//! earlier ones by moving that mark. Their times need not be in that order, as those that were made
//! elsewhere are told of late: a ban is decided by how many times lie within `find_time`.

use super::Settings;

/// How many times are kept.
const STAMPS: usize = 64;

/// How far before the first failure those may lie that are told of later, in seconds.
const HEADROOM: u64 = 1 << 31;

/// Length of an encoded [`Tally`] in bytes.
pub(super) const TALLY_LENGTH: usize = 48 + 4 * STAMPS;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// The number of the newest attempt.
    last: u64,
    /// Attempts up to this number count no more.
    cleared: u64,
    /// The attempt that brought about the ban, and how many failures the ban is made of; none of a
    /// ban that was said.
    ban_number: u64,
    ban_size: u32,
    /// When the ban ends; 0: there is none.
    banned_until: u64,
    /// The second that the stamps count from.
    base: u64,
    /// How many attempts share a stamp, which is the time of the newest of them; 0: they count no
    /// more.
    group: u32,
    stamps: [u32; STAMPS],
}

impl Tally {
    pub fn new(now: u64) -> Tally {
        // Numbers that begin with the time never come twice, not even if the count of somebody was
        // pushed out and begun anew while one of his attempts was still running.
        let start = now.min(u64::MAX >> 24) << 20;
        Tally {
            last: start,
            cleared: start,
            ban_number: 0,
            ban_size: 0,
            banned_until: 0,
            base: now,
            group: 1,
            stamps: [0; STAMPS],
        }
    }

    /// The end of the ban in force.
    pub fn banned_until(&self, now: u64) -> Option<u64> {
        Some(self.banned_until).filter(|until| *until > now)
    }

    /// Bans until `until`, whatever has been counted. No success undoes that.
    pub fn ban(&mut self, until: u64) {
        self.banned_until = until;
        self.ban_number = u64::MAX;
        self.ban_size = 0;
    }

    /// Whether the ban was said and is not made of failures.
    pub fn is_said(&self) -> bool {
        self.banned_until != 0 && self.ban_size == 0
    }

    /// Lets no ban made of failures last longer than `ban_time` from now, whatever the clock or the
    /// configuration did since; whether that changed anything.
    pub fn shorten(&mut self, settings: &Settings, now: u64) -> bool {
        if self.is_said() {
            return false;
        }
        let latest = now.saturating_add(settings.ban_time);
        let too_long = self.banned_until > latest;
        self.banned_until = self.banned_until.min(latest);
        too_long
    }

    /// Failures that count.
    pub fn failures(&self) -> u64 {
        self.last.saturating_sub(self.cleared)
    }

    /// Whether there is nothing to remember.
    pub fn is_blank(&self) -> bool {
        self.failures() == 0 && self.banned_until == 0
    }

    /// From when on the tally changes no decision.
    pub fn ends(&self, settings: &Settings) -> u64 {
        let newest = self.times().map(|(time, _)| time).max();
        let counts = newest.map_or(0, |newest| {
            newest.saturating_add(settings.find_time).saturating_add(1)
        });
        counts.max(self.banned_until)
    }

    /// Counts a failure of somebody who is not banned: its number, and the end of the ban that it
    /// brings about.
    pub fn fail(&mut self, settings: &Settings, now: u64) -> (u64, Option<u64>) {
        self.add(settings, now);
        // Were the clock set back, what lies in the future counts, too.
        let since = now.saturating_sub(settings.find_time);
        if self.count(since, u64::MAX) < settings.max_retries.into() {
            return (self.last, None);
        }
        self.ban_for_failures(settings, now);
        (
            self.last,
            Some(self.banned_until).filter(|until| *until > now),
        )
    }

    /// Counts a failure that was made at `when`, before or after others that are known.
    pub fn fail_elsewhere(&mut self, settings: &Settings, when: u64) {
        if self.banned_until > when {
            // Here it would have been turned away.
            return;
        }
        self.add(settings, when);
        let full = |at: &u64| {
            let since = at.saturating_sub(settings.find_time);
            self.count(since, *at) >= settings.max_retries.into()
        };
        let since_then = self.times().map(|(time, _)| time);
        let newest = since_then.filter(|at| *at >= when).filter(full).max();
        if let Some(newest) = newest {
            self.ban_for_failures(settings, newest);
        }
    }

    /// Somebody has signed in elsewhere at `when`: what failed until then counts no more. A ban that
    /// holds here goes on.
    pub fn succeed_elsewhere(&mut self, when: u64) {
        for shared in self.groups() {
            let place = (shared % STAMPS as u64) as usize;
            if self.base.saturating_add(self.stamps[place].into()) <= when {
                self.stamps[place] = 0;
            }
        }
        while self.cleared < self.last && self.stamps[self.place(self.cleared + 1)] == 0 {
            self.cleared += 1;
        }
    }

    fn add(&mut self, settings: &Settings, when: u64) {
        if self.banned_until != 0 {
            // Only what came after the end of the last ban counts.
            self.banned_until = 0;
            self.cleared = self.last;
        }
        if self.failures() == 0 {
            self.base = when.saturating_sub(HEADROOM);
        }
        self.regroup(group(settings.max_retries));
        self.last += 1;
        let stamp = when.saturating_sub(self.base).clamp(1, u32::MAX.into()) as u32;
        // Of those that share a stamp the newest counts, unless none of them does but this one.
        let alone = self.last.is_multiple_of(self.group.into()) || self.last == self.cleared + 1;
        let place = self.place(self.last);
        let shared = &mut self.stamps[place];
        *shared = if alone { stamp } else { stamp.max(*shared) };
    }

    fn ban_for_failures(&mut self, settings: &Settings, at: u64) {
        self.banned_until = at.saturating_add(settings.ban_time);
        self.ban_number = self.last;
        self.ban_size = settings.max_retries;
    }

    /// How many failures were made from `since` to `until`, as far as stamps reach back.
    fn count(&self, since: u64, until: u64) -> u64 {
        let times = self
            .times()
            .filter(|(time, _)| (since..=until).contains(time));
        times.map(|(_, count)| count).sum()
    }

    /// The times of the failures that count, and how many share each.
    fn times(&self) -> impl Iterator<Item = (u64, u64)> {
        let group = u64::from(self.group);
        self.groups().filter_map(move |shared| {
            let stamp = self.stamps[(shared % STAMPS as u64) as usize];
            let first = (shared * group).max(self.cleared + 1);
            let last = (shared * group + (group - 1)).min(self.last);
            let time = self.base.saturating_add(stamp.into());
            (stamp != 0).then_some((time, last - first + 1))
        })
    }

    /// The stamps of failures that count, by their numbers before they are put in their places.
    fn groups(&self) -> impl Iterator<Item = u64> + use<> {
        let group = u64::from(self.group);
        let newest = self.last / group;
        let oldest = (self.cleared + 1) / group;
        let reach = newest.saturating_sub(STAMPS as u64 - 1);
        let first = match self.failures() {
            0 => newest + 1,
            _ => oldest.max(reach),
        };
        first..=newest
    }

    /// The attempt `number` was no failure: it and those before it count no more, and a ban that
    /// is made of any of them was none.
    pub fn succeed(&mut self, number: u64) {
        if number > self.last {
            return;
        }
        self.cleared = self.cleared.max(number);
        if number > self.ban_number.saturating_sub(self.ban_size.into()) {
            self.banned_until = 0;
        }
    }

    /// The attempt `number` was none: it counts no more, and a ban that is made of it was none. Where
    /// others were reserved after it, those before it take the time of one younger; and one of them
    /// that is taken back later, too, may stay counted.
    pub fn withdraw(&mut self, number: u64) {
        if number > self.last || number <= self.cleared {
            return;
        }
        if number > self.ban_number.saturating_sub(self.ban_size.into()) {
            self.banned_until = 0;
        }
        match number == self.last {
            true => self.last -= 1,
            false => self.cleared += 1,
        }
    }

    pub fn encode(&self) -> [u8; TALLY_LENGTH] {
        let mut bytes = [0; TALLY_LENGTH];
        let numbers = [
            self.last,
            self.cleared,
            self.ban_number,
            self.banned_until,
            self.base,
        ];
        for (place, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
            *place = number.to_le_bytes();
        }
        let words = [self.ban_size, self.group].into_iter().chain(self.stamps);
        for (place, word) in bytes[40..].as_chunks_mut().0.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        bytes
    }

    /// `None` for what [`Tally::encode`] never gives.
    pub fn decode(bytes: &[u8]) -> Option<Tally> {
        let bytes: &[u8; TALLY_LENGTH] = bytes.try_into().ok()?;
        let number = |place: usize| u64::from_le_bytes(bytes.as_chunks().0[place]);
        let word = |place: usize| u32::from_le_bytes(bytes[40..].as_chunks().0[place]);
        let tally = Tally {
            last: number(0),
            cleared: number(1),
            ban_number: number(2),
            banned_until: number(3),
            base: number(4),
            ban_size: word(0),
            group: word(1),
            stamps: std::array::from_fn(|place| word(2 + place)),
        };
        let sane = tally.group > 0 && tally.cleared <= tally.last && tally.last < u64::MAX >> 1;
        sane.then_some(tally)
    }

    fn place(&self, number: u64) -> usize {
        (number / u64::from(self.group) % STAMPS as u64) as usize
    }

    /// Lets `group` attempts share a stamp from now on, after `max_retries` was changed.
    fn regroup(&mut self, group: u32) {
        if group == self.group {
            return;
        }
        let old = self.clone();
        let oldest = (old.last / u64::from(old.group)).saturating_sub(STAMPS as u64 - 1);
        let oldest = (oldest * u64::from(old.group)).max(old.cleared + 1);
        self.group = group;
        let newest = self.last / u64::from(group);
        for shared in newest.saturating_sub(STAMPS as u64 - 1)..=newest {
            let start = shared * u64::from(group);
            // What the old stamps did not reach back to is taken for younger than it is.
            let [first, last] = [start, start + u64::from(group - 1)]
                .map(|number| number.max(oldest).min(old.last) / u64::from(old.group));
            let stamps = (first..=last).map(|shared| old.stamps[(shared % STAMPS as u64) as usize]);
            self.stamps[(shared % STAMPS as u64) as usize] = stamps.max().unwrap_or(0);
        }
    }
}

/// How many attempts share a stamp, so that the stamps reach back `max_retries` attempts.
fn group(max_retries: u32) -> u32 {
    // A group may be cut by either end, so one stamp more than full groups is needed.
    if max_retries as usize <= STAMPS {
        1
    } else {
        max_retries.div_ceil(STAMPS as u32 - 1)
    }
}
