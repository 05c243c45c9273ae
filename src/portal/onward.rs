//! Where a visitor goes after signing in.

use std::net::IpAddr;

use crate::access::{Object, Requirement, Rules, Subject};

use super::form::{self, Form};
use super::request::Request;
use super::return_address::ReturnAddress;
use super::settings::{Domain, Settings};

/// Where a visitor goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Onward {
    /// To this address.
    Go(String),
    /// Nowhere before a second factor is proven.
    ProveMore,
    /// Nowhere: the portal says that the visitor is signed in.
    Stay,
}

/// Where a visitor wants to go, as the address of the login page or a script said it.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) rd: String,
    pub(super) rm: String,
}

impl Wish {
    /// A wish to go to `rd`, asked for with the method `rm`; what is no method counts as none.
    pub(super) fn new(rd: String, rm: String) -> Self {
        let is_method = rm.len() <= 32 && rm.bytes().all(|b| b.is_ascii_uppercase());
        Wish {
            rd,
            rm: if is_method { rm } else { String::new() },
        }
    }

    /// The address, if anybody may be sent there.
    pub(super) fn address(&self, settings: &Settings) -> Option<ReturnAddress> {
        ReturnAddress::parse(&self.rd, |host| settings.covers(host)).ok()
    }

    /// The query that carries the wish to the login page, with its `?`; empty without a wish.
    pub(super) fn query(&self) -> String {
        if self.rd.is_empty() {
            return String::new();
        }
        let mut pairs = vec![("rd", self.rd.as_str())];
        if !self.rm.is_empty() {
            pairs.push(("rm", &self.rm));
        }
        format!("?{}", form::encode(pairs))
    }

    /// What the query of `request` says.
    pub(super) fn of_query(request: &Request<'_>) -> Self {
        let value = |name| request.query_value(name).unwrap_or_default();
        Self::new(value("rd"), value("rm"))
    }

    /// What the fields of a form say.
    pub(super) fn of_form(form: &mut Form) -> Self {
        Self::new(form.take("rd").to_string(), form.take("rm").to_string())
    }

    /// Where a visitor who has proven all that can be asked for goes.
    pub(super) fn proven(&self, settings: &Settings, domain: &Domain) -> Onward {
        let go = match self.rd.is_empty() {
            true => settings.start_page(domain).map(str::to_owned),
            false => self.address(settings).map(|to| to.as_str().to_owned()),
        };
        go.map_or(Onward::Stay, Onward::Go)
    }

    /// Where a visitor who has proven one factor goes.
    pub(super) fn onward(
        &self,
        settings: &Settings,
        domain: &Domain,
        rules: &Rules,
        subject: &Subject<'_>,
        address: IpAddr,
    ) -> Onward {
        if let Some(target) = self.address(settings) {
            return match requirement(&target, &self.rm, rules, subject, address) {
                Some(Requirement::TwoFactor) => Onward::ProveMore,
                Some(_) => Onward::Go(target.as_str().to_owned()),
                None => Onward::Stay,
            };
        }
        match settings.start_page(domain) {
            Some(start) if !rules.demands(Requirement::TwoFactor) => Onward::Go(start.to_owned()),
            _ => Onward::Stay,
        }
    }
}

/// What the rules demand of `subject` at `target`; `None` where the gate itself would answer 400.
pub(super) fn requirement(
    target: &ReturnAddress,
    method: &str,
    rules: &Rules,
    subject: &Subject<'_>,
    address: IpAddr,
) -> Option<Requirement> {
    let method = if method.is_empty() { "GET" } else { method }.as_bytes();
    let path = target.target();
    let object = Object::new(
        method,
        b"https",
        target.authority().as_bytes(),
        path.as_bytes(),
        address,
    )
    .ok()?;
    Some(rules.find(Some(subject), &object).requirement)
}
