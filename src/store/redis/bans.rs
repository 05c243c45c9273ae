//! Bans: all that is known of one target lies in one cell.

use super::cells::{CellName, Change, MARGIN, enter, members};
use super::form::{Reader, Writer};
use super::link::{Call, Visit, all_bytes};
use super::{Outcome, Redis, keys};
use crate::store::{Ban, BannedBy, Target};

const KIND: u8 = b'b';

/// Targets that may be banned at a time; of more, those whose bans end first are forgotten.
const MOST: usize = 65_536;

/// Those who ban, each with one ban of a target.
const BANNERS: usize = 3;

/// Seconds that it is remembered that bans were taken back, so that late news of them do not count.
const REMEMBERED: u64 = 24 * 60 * 60;

/// What is known of a target's bans.
#[derive(Default)]
pub(super) struct Bans {
    /// When they were taken back; 0: never.
    revoked: u64,
    bans: Vec<Ban>,
}

impl Bans {
    pub(super) fn read(bytes: &[u8]) -> Option<Bans> {
        let (kind, mut reader) = Reader::new(bytes)?;
        let revoked = reader.number()?;
        let count = usize::from(reader.byte()?);
        if kind != KIND || count > BANNERS {
            return None;
        }
        let bans: Option<Vec<Ban>> = (0..count).map(|_| reader.ban()).collect();
        let bans = bans?;
        reader.end(Bans { revoked, bans })
    }

    fn write(&self) -> Vec<u8> {
        let count = u8::try_from(self.bans.len()).expect("there are three who ban");
        let writer = Writer::new(KIND).number(self.revoked).byte(count);
        let writer = self.bans.iter().fold(writer, Writer::ban);
        writer.done()
    }

    /// An administrator's last word counts; others tell of their bans in any order.
    fn add(&mut self, ban: &Ban) {
        match self.bans.iter_mut().find(|there| there.by == ban.by) {
            Some(there) => {
                there.until = match ban.by {
                    BannedBy::Administrator => ban.until,
                    BannedBy::Regulation | BannedBy::SecondFactors => there.until.max(ban.until),
                };
                there.created = there.created.max(ban.created);
            }
            None => self.bans.push(ban.clone()),
        }
    }

    /// Drops what has ended, and says when the last one does.
    fn tidy(&mut self, now: u64) -> u64 {
        self.bans.retain(|ban| ban.until > now);
        self.bans.iter().map(|ban| ban.until).max().unwrap_or(0)
    }

    /// What to do with the cell now.
    fn change(mut self, now: u64) -> (Change, u64) {
        let ends = self.tidy(now);
        let kept = ends.max(match self.revoked {
            0 => 0,
            revoked => revoked.saturating_add(REMEMBERED),
        });
        match kept.checked_sub(now) {
            Some(seconds) if seconds > 0 => {
                let seconds = seconds.saturating_add(MARGIN);
                (Change::Write(self.write(), seconds), ends)
            }
            _ => (Change::Delete, ends),
        }
    }
}

impl Redis {
    /// The bans in force, those that end last first.
    pub(super) fn list_bans(&self, now: u64) -> Outcome<Vec<Ban>> {
        let visit = self.visit();
        let marks = all_bytes(visit.ask(members(keys::BANS, now, MOST))?)
            .map_err(|wrong| self.link.error(wrong))?;
        // What is no mark was not entered by us.
        let marks = marks
            .iter()
            .filter_map(|mark| mark.as_slice().try_into().ok());
        let cells: Vec<_> = marks.map(ban_cell).collect();
        let values = self.read_cells(visit, &cells)?;
        let known = values
            .iter()
            .flatten()
            .filter_map(|value| Bans::read(value));
        let mut bans: Vec<Ban> = known.flat_map(|known| known.bans).collect();
        bans.retain(|ban| ban.until > now);
        bans.sort_by_cached_key(|ban| {
            let who = match &ban.target {
                Target::User(name) => name.clone(),
                Target::Address(address) => address.to_string(),
            };
            (u64::MAX - ban.until, who, ban.by.word())
        });
        Ok(bans)
    }

    /// Writes down a ban; a late one only if it was not taken back since. Says whether it holds.
    pub(super) fn write_ban(
        &self,
        visit: Visit<'_>,
        ban: &Ban,
        late: bool,
        now: u64,
    ) -> Outcome<bool> {
        let mark = keys::ban_mark(&self.key, &ban.target);
        let ends = self.change_cell(visit, ban_cell(mark), |value| {
            let mut bans = value.and_then(Bans::read).unwrap_or_default();
            if late && bans.revoked > 0 && ban.created <= bans.revoked {
                return (Change::Keep, None);
            }
            bans.add(ban);
            let (change, ends) = bans.change(now);
            (change, Some(ends))
        })?;
        let Some(ends) = ends else { return Ok(false) };
        if ends > now {
            let entry = enter(keys::BANS, &mark, ends, now, MOST);
            let many = all_bytes(visit.ask(entry)?).map_err(|wrong| self.link.error(wrong))?;
            self.forget_cells(visit, many.iter().map(|mark| keys::ban(mark)))?;
        }
        Ok(true)
    }

    /// Forgets the bans of a target; says how many were in force.
    pub(super) fn revoke_bans(
        &self,
        visit: Visit<'_>,
        target: &Target,
        now: u64,
    ) -> Outcome<usize> {
        let mark = keys::ban_mark(&self.key, target);
        let count = self.change_cell(visit, ban_cell(mark), |value| {
            let mut bans = value.and_then(Bans::read).unwrap_or_default();
            bans.tidy(now);
            let count = bans.bans.len();
            bans.bans.clear();
            bans.revoked = bans.revoked.max(now);
            (bans.change(now).0, count)
        })?;
        visit.ask(Call::new("ZREM", keys::BANS).arg(&mark))?;
        Ok(count)
    }

    /// Forgets cells that are no longer listed.
    pub(super) fn forget_cells(
        &self,
        visit: Visit<'_>,
        keys: impl Iterator<Item = Vec<u8>>,
    ) -> Outcome<()> {
        let calls: Vec<Call> = keys.map(|key| Call::new("DEL", &key)).collect();
        visit.ask_all(&calls).map(drop)
    }
}

fn ban_cell(mark: [u8; 32]) -> CellName {
    CellName {
        key: keys::ban(&mark),
        table: "redis bans",
        id: mark,
    }
}
