//! What `server.endpoints.authz` becomes.

use ngx_http_auth_gate_module::portal::{
    CredentialHeader, Endpoint, Implementation, Schemes, Strategy,
};

use super::fixture::{LEAST, Memory, lines};

fn memory(authz: &str) -> Memory {
    Memory::new(&format!(
        "{LEAST}server:\n  endpoints:\n    authz: {authz}\n"
    ))
}

fn endpoints(authz: &str) -> Vec<Endpoint> {
    match memory(authz).load() {
        Ok(loaded) => loaded.config.portal_settings().endpoints,
        Err(problems) => panic!("{}", lines(&problems)),
    }
}

#[test]
fn without_a_word_there_are_authelias_four() {
    assert_eq!(endpoints("{}"), Endpoint::defaults());
    let loaded = Memory::new(LEAST).load().unwrap();
    assert_eq!(loaded.config.endpoints, Endpoint::defaults());
    let header = Strategy::Header(CredentialHeader::Authorization, Schemes::BASIC);
    let modern = vec![header, Strategy::CookieSession];
    let named = Endpoint::new("forward-auth", Implementation::ForwardAuth, modern);
    assert!(Endpoint::defaults().contains(&named));
    let header = Strategy::Header(CredentialHeader::Legacy, Schemes::BASIC);
    let old = vec![header, Strategy::CookieSession];
    let named = Endpoint::new("legacy", Implementation::Legacy, old);
    assert!(Endpoint::defaults().contains(&named));
}

#[test]
fn a_named_one_replaces_them_all_and_keeps_its_order() {
    let found = endpoints(
        "{mine: {implementation: ExtAuthz, authn_strategies: [{name: CookieSession}, \
         {name: HeaderProxyAuthorization, schemes: [bearer]}, {name: HeaderAuthorization, schemes: [BASIC, Bearer]}, \
         {name: HeaderAuthRequestProxyAuthorization}]}, legacy: {}}",
    );
    let both = Schemes {
        basic: true,
        bearer: true,
    };
    let tokens = Schemes {
        basic: false,
        bearer: true,
    };
    let strategies = vec![
        Strategy::CookieSession,
        Strategy::Header(CredentialHeader::ProxyAuthorization, tokens),
        Strategy::Header(CredentialHeader::Authorization, both),
        Strategy::Header(
            CredentialHeader::AuthRequestProxyAuthorization,
            Schemes::BASIC,
        ),
    ];
    let legacy = Implementation::Legacy;
    assert_eq!(
        found,
        [
            Endpoint::new("mine", Implementation::ExtAuthz, strategies),
            Endpoint::new("legacy", legacy, legacy.strategies()),
        ]
    );
}

#[test]
fn what_no_proxy_could_ask_is_refused() {
    for (authz, said) in [
        ("{x: {}}", "server.endpoints.authz.x: has no implementation"),
        (
            "{legacy: {implementation: ForwardAuth}}",
            "must have `implementation: Legacy`",
        ),
        (
            "{'a/../b': {implementation: ForwardAuth}}",
            "does not suit a path",
        ),
        (
            "{'a b': {implementation: ForwardAuth}}",
            "does not suit a path",
        ),
        (
            "{'/a': {implementation: ForwardAuth}}",
            "does not suit a path",
        ),
        (
            "{'a%2f': {implementation: ForwardAuth}}",
            "does not suit a path",
        ),
        (
            "{envoy: {implementation: ExtAuthz}, envoy/x: {implementation: ForwardAuth}}",
            "lies below `envoy`",
        ),
        (
            "{x: {implementation: ForwardAuth, authn_strategies: [{name: HeaderLegacy, schemes: [basic]}]}}",
            "has no place beside `HeaderLegacy`",
        ),
    ] {
        let errors = memory(authz).errors();
        assert!(errors.contains(said), "{authz}: {errors}");
    }
}

#[test]
fn what_takes_effect_is_not_warned_about() {
    let warnings = |authz: &str| memory(authz).warnings();
    let endpoint = |strategy: &str| {
        format!("{{x: {{implementation: ForwardAuth, authn_strategies: [{strategy}]}}}}")
    };
    assert_eq!(warnings(&endpoint("{name: CookieSession}")), "");
    let cached = "{name: HeaderAuthorization, schemes: [basic], scheme_basic_cache_lifespan: 5m}";
    assert_eq!(warnings(&endpoint(cached)), "");
}
