//! The module inside the real, packaged nginx: every test starts one, on an address of its own, and looks at it as a
//! visitor, an attacker or an administrator does. One file a behaviour. A test whose name begins with `aNN` proves a
//! line of the list of attacks that systems of this kind have fallen for.
#![allow(
    clippy::unwrap_used,
    reason = "a test that unwraps nothing fails, as it should"
)]

mod nginx {
    mod harness;
    #[allow(dead_code, reason = "other tests need more of it")]
    #[path = "../servers/redis.rs"]
    mod servers;

    mod account;
    mod app_passwords;
    mod app_passwords_attacks;
    mod app_passwords_browser;
    mod audit;
    mod authentik;
    mod bodies;
    mod chromium;
    mod chromium_factors;
    mod claims;
    mod configuration;
    mod cookies;
    mod credentials;
    mod credentials_cache;
    mod credentials_headers;
    mod credentials_tokens;
    mod credentials_waiting;
    mod csrf;
    mod doors;
    mod doors_attacks;
    mod doors_credentials;
    mod doors_directives;
    mod doors_faults;
    mod doors_recorded;
    mod doors_replayed;
    mod doors_store;
    mod examples;
    mod faults;
    mod hashing;
    mod hosts;
    mod http3;
    mod identity_headers;
    mod inheritance;
    mod ledger;
    mod life;
    mod lifetimes;
    mod methods;
    mod metrics;
    mod outlive;
    mod outpost;
    mod outpost_replayed;
    mod path_rules;
    mod paths;
    mod plain_http;
    mod portal;
    mod redirects;
    mod reflection;
    mod refusals;
    mod regulation;
    mod reload;
    mod routing_headers;
    mod satisfy;
    mod second_factor;
    mod sessions;
    mod shared;
    mod sign_out_everywhere;
    mod smoke;
    mod soak;
    mod storage;
    mod subrequests;
    mod users_file;
}
