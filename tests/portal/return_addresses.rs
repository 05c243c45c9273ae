//! A52: return addresses that somebody else chose, in hundreds of forms, each raw and decoded.

use std::collections::BTreeSet;

use url::Url;

use crate::browser::*;
use crate::site::*;

/// Hosts that must never be reached, as they are written into addresses.
const EVIL: [&str; 8] = [
    "evil.test",
    "EVIL.test:443",
    "app.example.com.evil.test",
    "evilexample.com",
    "example.comevil.test",
    "app.example.com@evil.test",
    "app.example.com:80@evil.test",
    "app.example.com%2eevil.test",
];

/// What may stand between an address's scheme and its host, and in front of both.
const PREFIXES: [&str; 46] = [
    "https://",
    "HTTPS://",
    "http://",
    "//",
    "///",
    "////",
    "/",
    "\\",
    "\\\\",
    "/\\",
    "\\/",
    "/\\/",
    "//\\",
    "\\\\\\\\",
    "https:",
    "https:/",
    "https:///",
    "https:////",
    "https:\\\\",
    "https:/\\",
    "https:\\/",
    "https://\\",
    "https:// ",
    "https://\t",
    "https://\r\n",
    " https://",
    "\thttps://",
    "\nhttps://",
    "\0https://",
    "\u{1}https://",
    "ht\ttps://",
    "https\n://",
    "https:/\t/",
    "https:/\n/",
    "/\t/",
    "/\n/",
    "/ /",
    "/./",
    "/.//",
    "/%09/",
    "/%5c",
    "/%2f%2f",
    "/%2f/",
    "javascript://",
    "data://",
    "ftp://",
];

/// Addresses whose host looks as if it were ours.
const LOOK_ALIKES: [&str; 44] = [
    "https://app.example.com\\@evil.test/",
    "https://app.example.com\\.evil.test/",
    "https://app.example.com%00.evil.test/",
    "https://app.example.com%0d%0a.evil.test/",
    "https://app.example.com%23@evil.test/",
    "https://app.example.com%2f@evil.test/",
    "https://app.example.com%40evil.test/",
    "https://app.example.com%5c@evil.test/",
    "https://app.example.com\u{ff0e}evil.test/",
    "https://app.example.com\u{3002}evil.test/",
    "https://evil.test\u{ff0f}app.example.com/",
    "https://evil.test\u{2044}.example.com/",
    "https://evil.test\u{2215}.example.com/",
    "https://evil.test\u{ff1f}.example.com/",
    "https://evil.test\u{ff03}.example.com/",
    "https://evil.test\u{ff20}app.example.com/",
    "https://\u{ff41}pp.example.com/",
    "https://app.examp\u{2113}e.com/",
    "https://app.ex\u{430}mple.com/",
    "https://app\u{ad}.example.com/",
    "https://app\u{200b}.example.com/",
    "https://app.example.com\u{200d}/",
    "https://\u{feff}app.example.com/",
    "https://app.example.com\u{a0}.evil.test/",
    "https://evil.test%2f.example.com/",
    "https://evil.test%5c.example.com/",
    "https://evil.test%23.example.com/",
    "https://evil.test%3f.example.com/",
    "https://evil.test\\.example.com/",
    "https://evil.test;.example.com/",
    "https://evil.test,.example.com/",
    "https://evil.test'.example.com/",
    "https://evil.test .example.com/",
    "https://evil.test\t.example.com/",
    "https://evil.test\n.example.com/",
    "https://evil.test\0.example.com/",
    "https://[app.example.com]/",
    "https://[::ffff:192.0.2.1]/",
    "https://192.0.2.1/",
    "https://0xc0000201/",
    "https://3221225985/",
    "https://evil.test:443@app.example.com:1/../",
    "https://app.example.com:443:80/",
    "https://app.example.com:evil.test/",
];

#[test]
fn a52_the_corpus_leads_nowhere_else() {
    let corpus = corpus();
    assert!(corpus.len() >= 1000, "{}", corpus.len());
    let (mut site, mut browser) = (Site::new(), Browser::default());
    for address in &corpus {
        for location in offered(&mut site, &mut browser, address) {
            for host in readings(&location) {
                let inside = host == "example.com" || host.ends_with(".example.com");
                assert!(inside, "{address:?} leads to {location:?} on {host:?}");
            }
        }
    }
}

#[test]
fn a53_a_return_address_given_twice_is_none() {
    let (mut site, mut browser) = (Site::new(), Browser::default());
    let page = browser.get(
        &mut site,
        "/?rd=https://one.example.com/&rd=https://one.example.com/",
    );
    assert_eq!(field(&page, "rd"), "");
    let page = browser.get(
        &mut site,
        "/?rd=https://one.example.com/&r%64=https://evil.test/",
    );
    assert_eq!(field(&page, "rd"), "");
}

#[test]
fn a54_an_allowed_address_comes_back_byte_for_byte() {
    for address in [
        "https://one.example.com/a?b=1&c=%26%2f&rd=https%3A%2F%2Fevil.test#x?y&z",
        "https://one.example.com/%C3%A9/\u{e9}?q=\u{fc}+%2B#\u{df}",
        "https://ONE.example.com:8443/a//b/../c;d='\"<>`",
        "https://one.example.com",
    ] {
        let (mut site, mut browser) = (Site::new(), Browser::default());
        let path = format!("/?{}", encoded(&[("rd", address), ("rm", "GET")]));
        let answer = browser.sign_in(&mut site, &path, "alice", "password");
        assert_eq!(
            (answer.status, answer.location.as_deref()),
            (303, Some(address))
        );
    }
}

/// The hosts that readers of different kinds see in an address.
fn readings(address: &str) -> [String; 3] {
    let url = Url::parse(address).unwrap();
    let after_slashes = address.split_once("//").unwrap().1;
    let by_rfc = after_slashes.split(['/', '?', '#']).next().unwrap();
    let folded: String = address
        .replace('\\', "/")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let after_any = folded.split_once(':').unwrap().1.trim_start_matches('/');
    let by_browser = after_any.split(['/', '?', '#']).next().unwrap();
    let host = |authority: &str| {
        let host = authority.rsplit('@').next().unwrap();
        host.split(':').next().unwrap().to_ascii_lowercase()
    };
    [
        url.host_str().unwrap().to_owned(),
        host(by_rfc),
        host(by_browser),
    ]
}

/// Wherever the portal would send somebody who came with `address`.
fn offered(site: &mut Site, browser: &mut Browser, address: &str) -> Vec<String> {
    let query = encoded(&[("rd", address), ("rm", "GET")]);
    let page = browser.get(site, &format!("/?{query}"));
    let ask = Ask::get(&format!("/logout?{query}")).navigation("same-site");
    let sign_out = browser.send(site, ask).location;
    let offered = [Some(field(&page, "rd")), sign_out];
    offered
        .into_iter()
        .flatten()
        .filter(|address| !address.is_empty())
        .collect()
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn corpus() -> BTreeSet<String> {
    let mut addresses: BTreeSet<String> = LOOK_ALIKES.iter().map(|raw| (*raw).to_owned()).collect();
    for prefix in PREFIXES {
        for host in EVIL {
            for suffix in [
                "",
                "/",
                "/%2e%2e/app.example.com",
                "?https://app.example.com/",
                "#@app.example.com",
            ] {
                addresses.insert(format!("{prefix}{host}{suffix}"));
            }
        }
    }
    // Each as it would be after one reader more, and one fewer.
    let encode = |raw: &String| {
        percent_encoding::utf8_percent_encode(raw, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let decode = |raw: &String| {
        percent_encoding::percent_decode_str(raw)
            .decode_utf8_lossy()
            .into_owned()
    };
    let more: Vec<_> = addresses
        .iter()
        .flat_map(|raw| [encode(raw), decode(raw)])
        .collect();
    addresses.extend(more);
    addresses
}
