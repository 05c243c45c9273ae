//! What users change themselves: factors, password, sessions; and the way back in for who has lost
//! the password. The pages, and what API and pages share.

use super::request::Request;
use super::settings::Domain;
use super::world::World;
use super::{Portal, Step};

impl Portal {
    /// The pages below `/settings`, `/reset-password` and `/revoke`.
    pub(super) fn account_page(
        &self,
        request: &Request<'_>,
        _domain: &Domain,
        _world: &mut dyn World,
    ) -> Step {
        Step::Answer(self.refuse(request, 404))
    }
}
