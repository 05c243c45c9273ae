//! Proving a second factor, and signing in with a passkey: the pages, and what API and pages share.
//!
//! A flow reads the request, asks the store on an errand, and goes on with what was found. Whether
//! an attempt may count is asked before anything of it is looked at ([`proof`]), what a browser
//! carries between two requests is a ticket.

mod code;
mod key;
mod pages;
mod passkey;
mod password;
mod proof;
mod verdict;
mod ways;

use super::answer::Answer;
use super::form::Form;
use super::onward::{Onward, Wish};
use super::pages::{SCRIPT, SCRIPT_PATH};
use super::request::Request;
use super::settings::Domain;
use super::visitor::Visitor;
use super::world::World;
use super::{Portal, Step};
use crate::store::SecondFactor;

pub(super) use code::end as end_of_code;
pub(super) use passkey::PasskeyAnswer;
pub(super) use ways::{Known, Ways};

use pages::View;

/// The purpose of the token in forms of these pages.
const FORM: &str = "second factor form";

/// What the API says of a factor that is not proven, whatever the reason.
pub(super) const NOT_PROVEN: &str = "Authentication failed, please retry later.";

impl Portal {
    /// What the pages load, on hosts that have pages.
    pub(super) fn asset(&self, request: &Request<'_>) -> Option<Answer> {
        if request.path.split('/').nth(1) != Some("assets") {
            return None;
        }
        Some(match (request.path, request.method) {
            _ if !request.is_https() => self.needs_https(super::reader(request)),
            _ if self.settings.domain_of(request.host_name()).is_none() => {
                self.foreign_host(request)
            }
            (SCRIPT_PATH, b"GET" | b"HEAD") => Answer::script(SCRIPT),
            (SCRIPT_PATH, _) => self.refuse(request, 405).with("Allow", "GET, HEAD"),
            _ => self.refuse(request, 404),
        })
    }

    /// The pages below `/2fa`, and the way in with a passkey.
    pub(super) fn second_page(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        world: &mut dyn World,
    ) -> Step {
        let allow = match request.path {
            "/2fa" => "GET, HEAD",
            "/2fa/totp" | "/2fa/webauthn" | "/2fa/password" => "GET, HEAD, POST",
            "/passkey" => "POST",
            _ => return Step::Answer(self.refuse(request, 404)),
        };
        if !allow
            .split(", ")
            .any(|method| method.as_bytes() == request.method)
        {
            return Step::Answer(self.refuse(request, 405).with("Allow", allow));
        }
        match (request.path, request.method) {
            ("/passkey", _) => self.passkey_form(request, domain, world),
            ("/2fa/totp", b"POST") => self.code_form(request, domain, world),
            ("/2fa/webauthn", b"POST") => self.key_form(request, domain, world),
            ("/2fa/password", b"POST") => self.password_form(request, domain, world),
            ("/2fa/password", _) => self.visit_password(request, domain, world),
            ("/2fa/totp", _) => self.visit_factor(request, domain, Some(SecondFactor::Totp), world),
            ("/2fa/webauthn", _) => {
                self.visit_factor(request, domain, Some(SecondFactor::Webauthn), world)
            }
            _ => self.visit_factor(request, domain, None, world),
        }
    }

    /// A page on which a second factor is proven: the one asked for, else the one preferred.
    fn visit_factor(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        asked: Option<SecondFactor>,
        world: &mut dyn World,
    ) -> Step {
        let wish = Wish::of_query(request);
        match self.factor_guest(request, domain, &wish, true, world) {
            Ok(visitor) => {
                self.show_factor(request, domain, visitor, View::new(asked, wish), world)
            }
            Err(elsewhere) => Step::Answer(*elsewhere),
        }
    }

    /// A form of these pages as it comes back, from whom, and where he wants to go. Whether the form
    /// is ours is still to be looked at.
    fn factor_form(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        knowledge: bool,
        world: &mut dyn World,
    ) -> Result<(Form, Visitor, Wish), Box<Answer>> {
        let mut form =
            Form::read(request).map_err(|status| Box::new(self.refuse(request, status)))?;
        let wish = Wish::of_form(&mut form);
        let visitor = self.factor_guest(request, domain, &wish, knowledge, world)?;
        Ok((form, visitor, wish))
    }

    /// The visitor who has proven one factor, `knowledge` or not; everybody else is sent on.
    fn factor_guest(
        &self,
        request: &Request<'_>,
        domain: &Domain,
        wish: &Wish,
        knowledge: bool,
        world: &mut dyn World,
    ) -> Result<Visitor, Box<Answer>> {
        let to =
            |path: &str| Answer::redirect(request.location(&format!("{path}{}", wish.query())));
        Err(Box::new(match Visitor::find(request, domain, world) {
            None => to("/"),
            Some(visitor) if visitor.level > 1 => self.on_page(request, domain, wish),
            Some(visitor) if visitor.factor_knowledge == knowledge => return Ok(visitor),
            Some(_) if knowledge => to("/2fa/password"),
            Some(_) => to("/2fa"),
        }))
    }

    /// On from a page, for who has proven everything.
    pub(super) fn on_page(&self, request: &Request<'_>, domain: &Domain, wish: &Wish) -> Answer {
        Answer::redirect(match wish.proven(&self.settings, domain) {
            Onward::Go(address) => address,
            Onward::ProveMore | Onward::Stay => request.location("/"),
        })
    }
}
