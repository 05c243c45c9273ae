//! What the answer of a security key proves, asked of the store where one may wait for it.

use zeroize::Zeroizing;

use crate::factors::webauthn::{
    Asked, AssertionResponse, Challenge, Owner, Refusal, RelyingParty, Settings, Stored, UserHandle,
};
use crate::portal::errand::{Office, Outage};
use crate::session::Methods;
use crate::store::{Assertion, Credential, Factors};

use super::proof::Proof;

/// Whose key is to answer.
pub(super) enum Whose {
    /// That of a user who is known already.
    User(String),
    /// Anybody's who has a passkey.
    Anybody,
}

/// A browser's answer, and what it was asked.
pub(super) struct Reply {
    pub(super) response: AssertionResponse,
    pub(super) challenge: Challenge,
    /// When the challenge ends.
    pub(super) ends: u64,
}

/// Whom an answer is about, as far as that is known, and what it proves.
pub(super) struct Verdict {
    pub(super) user: Option<String>,
    pub(super) proof: Proof,
}

/// What a reply proves; if it `counts`, its challenge is used up and its use remembered.
pub(super) fn judge(
    office: &dyn Office,
    (settings, party): (&Settings, &RelyingParty),
    whose: &Whose,
    reply: &Reply,
    counts: bool,
    now: u64,
) -> Result<Verdict, Outage> {
    let factors = office.factors()?;
    let Some((user, handle)) = owner(office, party, whose, &reply.response)? else {
        let proof = Err("no user has that handle".to_owned());
        return Ok(Verdict { user: None, proof });
    };
    let found = factors.credential(party.id(), reply.response.credential())?;
    let found = found.filter(|found| found.credential.user == user);
    let proof = match found {
        None => Err("the key is not registered for this user".to_owned()),
        Some(found) => {
            let asked = Asked {
                party,
                challenge: &reply.challenge,
                verification: settings.user_verification,
                owner: match whose {
                    Whose::User(_) => Owner::User(&handle),
                    Whose::Anybody => Owner::Anybody,
                },
            };
            let upgrade = settings.passkey_upgrade && matches!(whose, Whose::Anybody);
            check(
                factors,
                (&found, &handle),
                &asked,
                reply,
                (counts, upgrade),
                now,
            )?
        }
    };
    let user = Some(user);
    Ok(Verdict { user, proof })
}

fn check(
    factors: &dyn Factors,
    (found, handle): (&Credential, &UserHandle),
    asked: &Asked<'_>,
    reply: &Reply,
    (counts, upgrade): (bool, bool),
    now: u64,
) -> Result<Proof, Outage> {
    let key = &found.credential;
    let stored = Stored {
        id: &key.credential_id,
        owner: handle,
        public_key: &key.public_key,
        sign_count: key.sign_count,
        backup_eligible: key.backup_eligible,
        u2f: key.legacy,
    };
    let asserted = reply.response.verify(asked, &stored);
    if !counts {
        return Ok(Err("banned after too many failures".to_owned()));
    }
    let mut used = Assertion {
        id: found.id,
        found: key.sign_count,
        sign_count: key.sign_count,
        clone_warning: false,
        present: key.present,
        verified: key.verified,
        backup_state: key.backup_state,
        discoverable: upgrade,
    };
    let asserted = match asserted {
        Ok(asserted) => asserted,
        Err(refusal) => {
            if refusal == Refusal::Cloned {
                used.clone_warning = true;
                used.discoverable = false;
                factors.note_assertion(&used, now)?;
            }
            return Ok(Err(refusal.to_string()));
        }
    };
    used.sign_count = asserted.sign_count;
    used.present = asserted.flags.present;
    used.verified = asserted.flags.verified;
    used.backup_state = asserted.flags.backup_state;
    if !factors.spend_challenge(reply.challenge.bytes(), reply.ends, now)? {
        return Ok(Err("the challenge was answered before".to_owned()));
    }
    if !factors.note_assertion(&used, now)? {
        return Ok(Err(
            "the key was removed or used elsewhere meanwhile".to_owned()
        ));
    }
    Ok(Ok(match asserted.flags.verified {
        true => Methods::WEBAUTHN.with(Methods::USER_VERIFIED),
        false => Methods::WEBAUTHN,
    }))
}

/// The user whose key is to answer, and what authenticators call that user.
fn owner(
    office: &dyn Office,
    party: &RelyingParty,
    whose: &Whose,
    response: &AssertionResponse,
) -> Result<Option<(String, UserHandle)>, Outage> {
    let factors = office.factors()?;
    match whose {
        Whose::User(user) => {
            let mut random = Zeroizing::new([0; 48]);
            office.random(&mut *random);
            let fresh = UserHandle::new(*random);
            let mut bytes = [0; 64];
            bytes.copy_from_slice(fresh.bytes());
            let handle = factors.user_handle(party.id(), user, &bytes)?;
            Ok(UserHandle::parse(&handle).map(|handle| (user.clone(), handle)))
        }
        Whose::Anybody => match response.user_handle() {
            None => Ok(None),
            Some(handle) => {
                let user = factors.user_of_handle(party.id(), handle.bytes())?;
                Ok(user.map(|user| (user, handle.clone())))
            }
        },
    }
}
