//! One rule: its criteria, and whether they hold for one reading of a request.

use super::readings::Reading;
use super::{Domain, Method, Object, Pattern, QueryTerm, Requirement, Subject, SubjectTerm};
use ipnet::{IpNet, Ipv4Net};

/// One entry of `access_control.rules`. All criteria must hold; an empty one holds.
#[derive(Clone, Debug)]
pub struct Rule {
    /// `domain` and `domain_regex`; one of them must hold.
    pub domains: Vec<Domain>,
    /// `resources`; one of them must match the path and query.
    pub resources: Vec<Pattern>,
    /// `methods`; one of them must be the request's.
    pub methods: Vec<Method>,
    /// `networks`; one of them must hold the client's address.
    pub networks: Vec<IpNet>,
    /// `query`; all terms of one of the inner lists must hold.
    pub query: Vec<Vec<QueryTerm>>,
    /// `subject`; all terms of one of the inner lists must hold. An anonymous visitor may still
    /// become anybody.
    pub subjects: Vec<Vec<SubjectTerm>>,
    /// `policy`.
    pub requirement: Requirement,
}

/// A rule made ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    rule: Rule,
    methods: u16,
    asks: bool,
}

/// One reading of a request, and who asks (`None`: anonymous).
#[derive(Clone, Copy)]
pub(super) struct Facts<'f> {
    subject: Option<&'f Subject<'f>>,
    object: &'f Object<'f>,
    reading: &'f Reading<'f>,
    method: u16,
}

impl<'f> Facts<'f> {
    pub fn new(
        subject: Option<&'f Subject<'f>>,
        object: &'f Object<'f>,
        reading: &'f Reading<'f>,
    ) -> Facts<'f> {
        Facts {
            subject,
            object,
            reading,
            method: object.method_bit(),
        }
    }

    /// The same for another method; 0 is one that no rule can name.
    pub fn with_method(self, bit: u16) -> Facts<'f> {
        Facts {
            method: bit,
            ..self
        }
    }

    pub fn anonymous(&self) -> bool {
        self.subject.is_none()
    }

    pub fn host(&self) -> &'f str {
        self.object.host()
    }

    /// What `resources` match: path and query.
    pub fn text(&self) -> &'f [u8] {
        self.reading.text()
    }
}

impl Judge {
    pub fn new(mut rule: Rule) -> Judge {
        rule.networks
            .iter_mut()
            .for_each(|network| *network = unmapped(*network));
        let asks = !rule.subjects.is_empty()
            || rule.domains.iter().any(Domain::asks)
            || rule.resources.iter().any(Pattern::asks);
        let methods = rule
            .methods
            .iter()
            .fold(0, |set, method| set | method.bit());
        Judge {
            rule,
            methods,
            asks,
        }
    }

    /// Whether the rule asks who the visitor is.
    pub fn asks(&self) -> bool {
        self.asks
    }

    /// The methods that the rule names, as a set.
    pub fn methods(&self) -> u16 {
        self.methods
    }

    pub fn requirement(&self) -> Requirement {
        self.rule.requirement
    }

    pub fn domains(&self) -> &[Domain] {
        &self.rule.domains
    }

    pub fn resources(&self) -> &[Pattern] {
        &self.rule.resources
    }

    pub fn domain_holds(&self, domain: &Domain, facts: &Facts<'_>) -> bool {
        domain.holds(facts.host(), facts.subject)
    }

    /// Whether one of the `resources` matches, if there are any.
    pub fn resources_hold(&self, facts: &Facts<'_>) -> bool {
        let resources = self.resources();
        resources.is_empty()
            || resources
                .iter()
                .any(|pattern| self.resource_holds(pattern, facts))
    }

    pub fn resource_holds(&self, pattern: &Pattern, facts: &Facts<'_>) -> bool {
        pattern.admits(facts.text(), facts.subject) && self.opens(pattern, facts)
    }

    /// The same as `resource_holds` for a pattern that is known to match the text.
    pub fn matched_resource_holds(&self, pattern: &Pattern, facts: &Facts<'_>) -> bool {
        let admits =
            !pattern.asks() || facts.anonymous() || pattern.admits(facts.text(), facts.subject);
        admits && self.opens(pattern, facts)
    }

    /// A query opens nothing: what bypasses must match the path alone, unless the pattern means
    /// the query by naming its question mark.
    fn opens(&self, pattern: &Pattern, facts: &Facts<'_>) -> bool {
        let path = facts.reading.path();
        self.requirement() != Requirement::Bypass
            || path.len() == facts.text().len()
            || pattern.names_question_mark()
            || pattern.admits(path, facts.subject)
    }

    /// Whether the criteria other than domain and resources hold.
    pub fn others_hold(&self, facts: &Facts<'_>) -> bool {
        self.method_holds(facts)
            && self.network_holds(facts)
            && self.subject_holds(facts)
            && self.query_holds(facts)
    }

    pub fn method_holds(&self, facts: &Facts<'_>) -> bool {
        self.rule.methods.is_empty() || self.methods & facts.method != 0
    }

    pub fn network_holds(&self, facts: &Facts<'_>) -> bool {
        let networks = &self.rule.networks;
        let address = facts.object.address();
        networks.is_empty() || networks.iter().any(|network| network.contains(&address))
    }

    pub fn subject_holds(&self, facts: &Facts<'_>) -> bool {
        let Some(subject) = facts.subject else {
            return true;
        };
        let subjects = &self.rule.subjects;
        subjects.is_empty()
            || subjects
                .iter()
                .any(|all| all.iter().all(|term| term.holds(subject)))
    }

    pub fn query_holds(&self, facts: &Facts<'_>) -> bool {
        let query = facts.object.query().unwrap_or_default();
        self.rule.query.is_empty()
            || self
                .rule
                .query
                .iter()
                .any(|all| all.iter().all(|term| term.holds(query)))
    }

    /// Which criteria the rule has besides its domains: resources, query, methods, networks, subject.
    pub fn has(&self) -> [bool; 5] {
        let Rule {
            resources,
            query,
            methods,
            networks,
            subjects,
            ..
        } = &self.rule;
        [
            resources.is_empty(),
            query.is_empty(),
            methods.is_empty(),
            networks.is_empty(),
            subjects.is_empty(),
        ]
        .map(|empty| !empty)
    }
}

/// A network of IPv4 addresses that is written as one of IPv6 (`::ffff:10.0.0.0/104`), as IPv4.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let v4 = v6
        .addr()
        .to_ipv4_mapped()
        .zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(address, length)| Ipv4Net::new(address, length).ok())
        .map_or(network, IpNet::V4)
}
