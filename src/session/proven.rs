//! Cookies that were found to be ours, so that the next request of a visitor need not compute the
//! same MAC again, which is two thirds of all that is hashed for it.
//!
//! What is remembered is the MAC beside the session's key, a hash: like zone and store it holds
//! nothing that could be presented. It says nothing about whether the session still lasts.

use std::cell::Cell;

use subtle::ConstantTimeEq;

use super::token::Tag;
use super::{Key, Keys, Realm, Token, cookie};

/// How many are remembered. A visitor who falls out costs one MAC.
const PLACES: usize = 256;

/// What was found right under one set of keys, which must always be the same.
pub struct Proven {
    places: Box<[Cell<Place>]>,
}

#[derive(Clone, Copy)]
struct Place {
    key: Key,
    domain: u64,
    tag: Tag,
}

impl Proven {
    /// The keys of the sessions that [`super::tokens`] finds in the headers.
    pub fn keys<'h>(
        &'h self,
        headers: impl IntoIterator<Item = &'h [u8], IntoIter: 'h>,
        realm: &'h Realm,
        keys: &'h Keys,
    ) -> impl Iterator<Item = Key> + 'h {
        let values = cookie::values(headers, realm.cookie.name());
        values.filter_map(move |value| self.open(value, realm, keys))
    }

    fn open(&self, value: &[u8], realm: &Realm, keys: &Keys) -> Option<Key> {
        let (token, tag) = Token::read(value)?;
        let key = token.key();
        let place = self.places.get(usize::from(key.0[0]))?;
        let Place {
            key: known,
            domain,
            tag: right,
        } = place.get();
        let same = u128::from_ne_bytes(tag).ct_eq(&u128::from_ne_bytes(right));
        if known == key && domain == realm.id && bool::from(same) {
            return Some(key);
        }
        if !token.is_ours(keys, &realm.domain, &tag) {
            return None;
        }
        let domain = realm.id;
        place.set(Place { key, domain, tag });
        Some(key)
    }
}

impl Default for Proven {
    fn default() -> Self {
        // No token has a key of zeros.
        let place = Place {
            key: Key([0; 32]),
            domain: 0,
            tag: [0; 16],
        };
        Proven {
            places: vec![Cell::new(place); PLACES].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{CookieSpec, CrossSite, Lifetimes};

    fn realm(domain: &str) -> Realm {
        let lifetimes = Lifetimes {
            expiration: 1,
            inactivity: 1,
            remember_me: None,
        };
        let spec = CookieSpec::new("s", domain, CrossSite::Lax, false).unwrap();
        Realm::new(domain, spec, lifetimes)
    }

    fn opened(proven: &Proven, realm: &Realm, keys: &Keys, value: &[u8]) -> Option<Key> {
        let header = [b"a=b; s=", value].concat();
        proven.keys([&header[..]], realm, keys).next()
    }

    #[test]
    fn a42_every_changed_character_is_refused_of_a_cookie_that_is_known() {
        let (proven, realm, keys) = (Proven::default(), realm("example.com"), Keys::derive(b"k"));
        let token = Token::new([7; 32]);
        let good = token.seal(&keys, "example.com").into_bytes();
        for at in 0..good.len() {
            for byte in *b"AZaz09-_=" {
                assert_eq!(opened(&proven, &realm, &keys, &good), Some(token.key()));
                let mut changed = good.clone();
                changed[at] = byte;
                let found = opened(&proven, &realm, &keys, &changed);
                assert_eq!(found.is_some(), changed == good, "{at}");
            }
        }
    }

    #[test]
    fn a42_a_cookie_that_is_known_is_none_of_another_domain() {
        let (proven, keys) = (Proven::default(), Keys::derive(b"k"));
        let (ours, other) = (realm("example.com"), realm("example.org"));
        let value = Token::new([7; 32]).seal(&keys, "example.com").into_bytes();
        for _ in 0..2 {
            assert!(opened(&proven, &ours, &keys, &value).is_some());
            assert!(opened(&proven, &other, &keys, &value).is_none());
        }
    }

    #[test]
    fn more_visitors_than_places_are_all_known_by_their_own_keys() {
        let (proven, realm, keys) = (Proven::default(), realm("example.com"), Keys::derive(b"k"));
        for turn in 0..3 {
            for n in 0..4 * PLACES {
                let mut id = [turn & 1; 32];
                id[..8].copy_from_slice(&n.to_le_bytes());
                let token = Token::new(id);
                let value = token.seal(&keys, "example.com").into_bytes();
                assert_eq!(opened(&proven, &realm, &keys, &value), Some(token.key()));
            }
        }
    }
}
