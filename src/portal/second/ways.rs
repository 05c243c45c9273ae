//! Which second factors there are: here, and of a user; and which of them comes first.

use crate::factors::webauthn::{self, RelyingParty};
use crate::portal::Portal;
use crate::portal::errand::{Office, Outage};
use crate::portal::settings::Domain;
use crate::store::SecondFactor;

const ALL: [SecondFactor; 2] = [SecondFactor::Totp, SecondFactor::Webauthn];

/// Some of the second factors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::portal) struct Ways {
    pub(in crate::portal) totp: bool,
    pub(in crate::portal) webauthn: bool,
}

/// What is known of a user's second factors.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::portal) struct Known {
    /// Enrolled, and usable here.
    pub(in crate::portal) ways: Ways,
    /// As it is kept, usable here or not.
    pub(in crate::portal) preferred: Option<SecondFactor>,
}

impl Ways {
    /// Whether `method` is among them.
    pub(in crate::portal) fn has(self, method: SecondFactor) -> bool {
        match method {
            SecondFactor::Totp => self.totp,
            SecondFactor::Webauthn => self.webauthn,
        }
    }

    /// Whether there are any.
    pub(in crate::portal) fn any(self) -> bool {
        self.totp || self.webauthn
    }

    /// All of them.
    pub(in crate::portal) fn all(self) -> impl Iterator<Item = SecondFactor> {
        ALL.into_iter().filter(move |method| self.has(*method))
    }
}

impl Known {
    /// What the store knows of `user`, as far as it is among `offered`; keys count for `party`.
    pub(in crate::portal) fn look_up(
        office: &dyn Office,
        user: &str,
        offered: Ways,
        party: Option<&str>,
    ) -> Result<Known, Outage> {
        let factors = office.factors()?;
        let keys = match party.filter(|_| offered.webauthn) {
            Some(party) => factors
                .credentials(user)?
                .iter()
                .any(|key| key.credential.rp_id == party),
            None => false,
        };
        Ok(Known {
            ways: Ways {
                totp: offered.totp && factors.enrolled(user)?.totp,
                webauthn: keys,
            },
            preferred: factors.preferred(user)?,
        })
    }

    /// What a page asks for: of what is enrolled `asked` first, then what the user prefers, then
    /// `default`.
    pub(in crate::portal) fn choose(
        &self,
        asked: Option<SecondFactor>,
        default: Option<SecondFactor>,
    ) -> Option<SecondFactor> {
        let wanted = [asked, self.preferred, default].into_iter().flatten();
        wanted.chain(ALL).find(|method| self.ways.has(*method))
    }

    /// The preferred method where none (or none that is `offered`) is kept: `default`, then what is
    /// enrolled, then what could be.
    pub(in crate::portal) fn preferred_or(
        &self,
        offered: Ways,
        default: Option<SecondFactor>,
    ) -> Option<SecondFactor> {
        let kept = [self.preferred, default].into_iter().flatten();
        kept.filter(|method| offered.has(*method))
            .chain(self.ways.all())
            .chain(offered.all())
            .next()
    }
}

impl Portal {
    /// The second factors that can be proven at `domain`.
    pub(in crate::portal) fn offered(&self, domain: &Domain) -> Ways {
        Ways {
            totp: self.settings.second.totp.is_some(),
            webauthn: self.keys(domain).is_some(),
        }
    }

    /// How keys are used at `domain`, and as whom they know us; `None` where they are off.
    pub(in crate::portal) fn keys<'a>(
        &'a self,
        domain: &'a Domain,
    ) -> Option<(&'a webauthn::Settings, &'a RelyingParty)> {
        let settings = self.settings.second.webauthn.as_ref()?;
        Some((settings, domain.party.as_ref()?))
    }

    /// The same where a passkey signs in alone.
    pub(in crate::portal) fn passkeys<'a>(
        &'a self,
        domain: &'a Domain,
    ) -> Option<(&'a webauthn::Settings, &'a RelyingParty)> {
        self.keys(domain)
            .filter(|(settings, _)| settings.passkey_login)
    }
}
