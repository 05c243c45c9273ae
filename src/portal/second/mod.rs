//! Proving a second factor, and signing in with a passkey: the pages, and what API and pages share.

use super::request::Request;
use super::settings::Domain;
use super::world::World;
use super::{Portal, Step};

impl Portal {
    /// The pages below `/2fa`, and the script and pictures below `/assets`.
    pub(super) fn second_page(
        &self,
        request: &Request<'_>,
        _domain: &Domain,
        _world: &mut dyn World,
    ) -> Step {
        Step::Answer(self.refuse(request, 404))
    }
}
