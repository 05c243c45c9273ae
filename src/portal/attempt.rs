//! An attempt with a name and a password, wherever they came from: whom it is held against, what its
//! password is checked against, and whose it was in the end.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::event::Aim;
use super::login::{Credentials, Door, Known, Login, Verify};
use super::onward::Wish;
use super::world::World;

impl Verify {
    /// Reserves the attempt that somebody makes `from` an address at a time, and says what its password
    /// is checked against: that of somebody unknown or banned against a hash that nothing matches.
    pub(super) fn reserve(
        door: Door,
        typed: Credentials,
        from: (IpAddr, u64),
        world: &mut dyn World,
    ) -> Verify {
        let found = match typed.session {
            Some(_) => world.directory().user(&typed.username),
            None => world.directory().find(&typed.username),
        };
        let user = found.map(Known::from);
        let hash = found.map(|user| user.password.clone());
        let name = user.as_ref().map(|user| user.name.as_str());
        let (address, now) = from;
        let reservation = world.reserve(name, address, now).ok();
        let hash = match (hash, &reservation) {
            (Some(hash), Some(_)) => hash,
            (Some(hash), None) => hash.decoy(),
            (None, _) => world.directory().decoy(),
        };
        let password = Zeroizing::new(typed.password.as_bytes().to_vec());
        let login = Login {
            door,
            typed: typed.username,
            remember: typed.remember,
            wish: typed.wish,
            session: typed.session,
            at_endpoint: None,
            user,
            reservation,
            note: None,
        };
        Verify {
            hash,
            password,
            name: None,
            login,
        }
    }

    /// Tries once more to reserve an attempt that a ban held, in the name of somebody who waits for it
    /// `from` an address at a time.
    pub fn reserve_again(&mut self, (address, now): (IpAddr, u64), world: &mut dyn World) {
        let name = self.login.user.as_ref().map(|user| user.name.clone());
        let Ok(reservation) = world.reserve(name.as_deref(), address, now) else {
            return;
        };
        self.login.reservation = Some(reservation);
        let found = name.and_then(|name| world.directory().user(&name));
        self.login.user = found.map(Known::from);
        if let Some(user) = found {
            self.hash = user.password.clone();
        }
    }
}

impl Login {
    /// Whether the address or the user was banned when the attempt was made.
    pub fn is_banned(&self) -> bool {
        self.reservation.is_none()
    }

    /// Ends the attempt: whose password it was, and nobody's if a ban held.
    pub(super) fn settle(&mut self, matched: bool, world: &mut dyn World) -> Option<Known> {
        let banned = self.is_banned();
        let user = self.user.take();
        let user =
            user.filter(|user| matched && !banned && world.directory().user(&user.name).is_some());
        if let Some(reservation) = self.reservation.take() {
            world.settle(&reservation, user.is_some());
        }
        user
    }

    /// What it is for.
    pub(super) fn aim(&self) -> Aim {
        match self.session {
            Some(_) => Aim::StepUp,
            None => Aim::SignIn,
        }
    }

    /// An attempt that failed before there was anything to check.
    pub(super) fn unreadable(door: Door) -> Self {
        Login {
            door,
            typed: String::new(),
            remember: false,
            wish: Wish::default(),
            session: None,
            at_endpoint: None,
            user: None,
            reservation: None,
            note: None,
        }
    }
}
