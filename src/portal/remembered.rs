//! Passwords in headers that were right a moment ago, for those places that want them remembered: a
//! program that asks often then pays for its hash once in a while.
//!
//! Only what was right is kept, and only as a keyed hash of the credential and of what it was for. What
//! is remembered counts as long as its user has the same password, nobody is banned, and the user's
//! sessions were not ended all at once.

use std::cell::{OnceCell, RefCell};
use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::login::Known;
use super::world::World;

/// Places that one credential may have. Of those that are taken the first to end gives way.
const WAYS: usize = 4;

/// Groups of such places.
const GROUPS: usize = 256;

type Digest = [u8; 32];

/// What was found right, in one process.
#[derive(Default)]
pub struct Remembered {
    /// Random, and of this process alone.
    key: OnceCell<[u8; 32]>,
    /// Empty until something is kept.
    places: RefCell<Vec<Option<Entry>>>,
}

struct Entry {
    digest: Digest,
    user: Known,
    generation: u32,
    until: u64,
}

/// A credential and what it is for.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    /// The cookie domain of what was asked for.
    pub(super) domain: &'a str,
    /// As it was typed.
    pub(super) name: &'a str,
    pub(super) password: &'a str,
    /// Seconds for which it is remembered; 0: it is not.
    pub(super) lasts: u64,
}

/// That a password is to be remembered if it is right.
pub(super) struct Note {
    digest: Digest,
    /// How often the sessions of the user had been ended when the check began: what is ended meanwhile
    /// is not remembered.
    generation: u32,
    lasts: u64,
}

impl Remembered {
    /// The user whose password this was a moment ago, if it still is; `from`: who asks now.
    pub(super) fn recall(
        pass: &Pass<'_>,
        from: (IpAddr, u64),
        world: &mut dyn World,
    ) -> Option<Known> {
        if pass.lasts == 0 {
            return None;
        }
        let (address, now) = from;
        let found = world.directory().find(pass.name)?;
        let user = Known::from(found);
        let remembered = world.remembered();
        let digest = remembered.digest(pass, world);
        let generation = world.generation(&user.name);
        let stands = remembered.find(&digest).is_some_and(|(known, of, until)| {
            known.name == user.name
                && known.password == user.password
                && of == generation
                && until > now
        });
        (stands && !world.is_banned(Some(&user.name), address, now)).then_some(user)
    }

    fn find(&self, digest: &Digest) -> Option<(Known, u32, u64)> {
        let places = self.places.borrow();
        let mut group = places.get(group(digest)).into_iter().flatten().flatten();
        let entry = group.find(|entry| entry.digest == *digest)?;
        Some((entry.user.clone(), entry.generation, entry.until))
    }

    fn keep(&self, entry: Entry) {
        let mut places = self.places.borrow_mut();
        places.resize_with(WAYS * GROUPS, || None);
        let group = &mut places[group(&entry.digest)];
        let worth = |place: &Option<Entry>| {
            let known = place.as_ref();
            let same = known.is_some_and(|known| known.digest == entry.digest);
            (!same, known.map_or(0, |known| known.until))
        };
        if let Some(place) = group.iter_mut().min_by_key(|place| worth(place)) {
            *place = Some(entry);
        }
    }

    fn digest(&self, pass: &Pass<'_>, world: &mut dyn World) -> Digest {
        self.mac(pass, &[], world)
    }

    /// What tells a credential and who sends it from any other, in this process.
    pub(super) fn name_of(pass: &Pass<'_>, from: IpAddr, world: &mut dyn World) -> Digest {
        let from = from.to_string();
        world.remembered().mac(pass, from.as_bytes(), world)
    }

    fn mac(&self, pass: &Pass<'_>, more: &[u8], world: &mut dyn World) -> Digest {
        let key = self.key.get_or_init(|| world.random());
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return world.random();
        };
        let parts = [pass.domain, pass.name, pass.password].map(str::as_bytes);
        for part in parts.into_iter().chain([more]) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn group(digest: &Digest) -> std::ops::Range<usize> {
    let at = usize::from(digest[0]) % GROUPS * WAYS;
    at..at + WAYS
}

impl Note {
    /// The wish to remember `pass`, if that is wanted; made before it is checked.
    pub(super) fn of(pass: &Pass<'_>, world: &mut dyn World) -> Option<Note> {
        if pass.lasts == 0 {
            return None;
        }
        let user = world.directory().find(pass.name)?.name.clone();
        Some(Note {
            digest: world.remembered().digest(pass, world),
            generation: world.generation(&user),
            lasts: pass.lasts,
        })
    }

    /// It was right.
    pub(super) fn keep(self, user: &Known, now: u64, world: &dyn World) {
        world.remembered().keep(Entry {
            digest: self.digest,
            user: user.clone(),
            generation: self.generation,
            until: now.saturating_add(self.lasts),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(first: u8, last: u8, until: u64) -> Entry {
        let mut digest = [first; 32];
        digest[31] = last;
        let (name, password) = (format!("{first}-{last}"), 0);
        Entry {
            digest,
            user: Known { name, password },
            generation: 0,
            until,
        }
    }

    #[test]
    fn a67_memory_is_bounded_and_gives_up_what_ends_first() {
        let memory = Remembered::default();
        for last in 0..=255 {
            for first in 0..=255 {
                memory.keep(entry(first, last, 1000 + u64::from(last)));
            }
        }
        assert_eq!(memory.places.borrow().len(), WAYS * GROUPS);
        let known = |last| memory.find(&entry(7, last, 0).digest).is_some();
        let kept: Vec<u8> = (0..=255).filter(|last| known(*last)).collect();
        assert_eq!(kept, [252, 253, 254, 255]);
        memory.keep(entry(7, 253, 5000));
        memory.keep(entry(7, 1, 6000));
        let kept: Vec<u8> = (0..=255).filter(|last| known(*last)).collect();
        assert_eq!(
            kept,
            [1, 253, 254, 255],
            "the same credential has one place"
        );
    }
}
