//! `auth-gate session` and `ban`: who is signed in, and who is kept out.

use std::time::Duration;

use ngx_http_auth_gate_module::store::{
    Command, Event, Ledger, LedgerSession, Mark, Sqlite, Target,
};

use super::people::{now, site};

/// Sessions as workers write them down.
fn sign_in(store: &Sqlite, sessions: &[(u8, &str)]) {
    let events: Vec<_> = sessions
        .iter()
        .map(|(number, user)| Event::Started {
            replaces: None,
            session: LedgerSession {
                key: [*number; 32],
                user: (*user).into(),
                domain: "example.com".into(),
                address: "192.0.2.7".parse().unwrap(),
                device: "Firefox on Linux".into(),
                methods: vec!["password".into(), "totp".into()],
                remember: false,
                created: now(),
                last_used: now(),
                ends: now() + 3600,
                record: vec![*number; 184],
            },
        })
        .collect();
    store.record(&events, 1, now()).unwrap();
}

#[test]
fn sessions_are_listed_and_end_by_id_by_user_and_all_at_once() {
    let site = site("people_sessions");
    let nobody = "nobody is signed in\n";
    assert_eq!(site.well(&["session", "list"]), nobody);
    let store = site.store();
    sign_in(
        &store,
        &[
            (1, "john"),
            (2, "mallory"),
            (3, "john"),
            (4, "john"),
            (5, "gone"),
        ],
    );
    let listed = site.well(&["session", "list", "--user", "john"]);
    for part in [
        "0404040404040404",
        "Firefox on Linux",
        "192.0.2.7",
        "password, totp",
        " UTC",
    ] {
        assert!(listed.contains(part), "{listed}");
    }
    assert!(!listed.contains("mallory"));
    let ids = || -> Vec<String> {
        let sessions = site.json(&["session", "list"]);
        let sessions = sessions.as_array().unwrap().iter();
        let mut ids: Vec<String> = sessions
            .map(|session| session["id"].as_str().unwrap()[..2].to_owned())
            .collect();
        ids.sort();
        ids
    };
    let out = site.well(&["session", "end", "0404040404040404"]);
    assert!(out.starts_with("ended 1 session of john;"), "{out}");
    assert_eq!(ids(), ["01", "02", "03", "05"]);
    let err = site.bad(&["session", "end", "0404040404040404"]);
    assert!(err.contains("there is no session 0404"), "{err}");
    let err = site.bad(&["session", "end", "0"]);
    assert!(err.contains("several sessions begin with 0"), "{err}");
    // Whoever was taken out of the users file may still be signed in.
    site.well(&["session", "end", "--user", "gone"]);
    let out = site.well(&["session", "end", "--user", "john"]);
    assert!(out.starts_with("ended 2 sessions of john;"), "{out}");
    assert_eq!(ids(), ["02"]);
    site.well(&["session", "end", "--all"]);
    assert_eq!(site.well(&["session", "list"]), nobody);
    let orders = store.orders_after(Mark::default(), 10, Duration::ZERO);
    let told: Vec<_> = orders
        .unwrap()
        .orders
        .into_iter()
        .map(|order| order.command)
        .collect();
    let end_user = |name: &str| Command::EndUser {
        user: name.into(),
        except: None,
    };
    assert_eq!(
        told,
        [
            Command::EndSession([4; 32]),
            end_user("gone"),
            end_user("john"),
            Command::EndAll
        ]
    );
}

#[test]
fn bans_are_added_listed_and_taken_back() {
    let site = site("people_bans");
    assert_eq!(site.well(&["ban", "list"]), "nobody is banned\n");
    let before = now();
    site.well(&["ban", "add", "--user", "john"]);
    site.well(&["ban", "add", "--ip", "2001:db8::7:1", "--for", "2 days"]);
    let store = site.store();
    let bans = store.bans(now()).unwrap();
    let (address, user) = (&bans[0], &bans[1]);
    assert_eq!(user.target, Target::User("john".into()));
    assert!((before + 3600..=now() + 3600).contains(&user.until));
    assert_eq!(
        address.target,
        Target::Address("2001:db8::".parse().unwrap())
    );
    assert!((before + 172_800..=now() + 172_800).contains(&address.until));
    let listed = site.well(&["ban", "list"]);
    assert!(listed.contains("user  john"), "{listed}");
    assert!(listed.contains("ip    2001:db8::/64"), "{listed}");
    assert!(listed.contains("administrator"), "{listed}");
    let out = site.well(&["ban", "revoke", "--ip", "2001:db8::9"]);
    assert!(
        out.starts_with("took back the ban of 2001:db8::/64"),
        "{out}"
    );
    let out = site.well(&["ban", "revoke", "--ip", "192.0.2.1"]);
    assert!(out.starts_with("192.0.2.1 was not banned"), "{out}");
    site.well(&["ban", "revoke", "--user", "john"]);
    assert_eq!(site.json(&["ban", "list"]), serde_json::json!([]));
}
