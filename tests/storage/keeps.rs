use std::net::{IpAddr, Ipv4Addr};

use ngx_http_auth_gate_module::store::{
    Assertion, Enrolled, Factors, MAX_DEVICES, NewCode, Purpose, SecondFactor, StoreError,
};
use secrecy::ExposeSecret;

use super::fixture::{NOW, credential, device, open, random, store};

#[test]
fn totp_devices_come_back_as_they_were_given() {
    let store = store("totp_devices");
    let id = store
        .add_totp(&device("alice", "phone"), NOW, &mut random)
        .unwrap();
    store
        .add_totp(&device("alice", "tablet ü"), NOW + 1, &mut random)
        .unwrap();
    store
        .add_totp(&device("bob", "phone"), NOW, &mut random)
        .unwrap();
    let again = open(store.path()).unwrap();
    let devices = again.totp_devices("alice").unwrap();
    let names: Vec<_> = devices.iter().map(|d| d.device.name.as_str()).collect();
    assert_eq!(names, ["phone", "tablet ü"]);
    assert_eq!((devices[0].id, devices[0].created), (id, NOW));
    assert_eq!(devices[0].last_used, None);
    assert_eq!(devices[0].device.secret.expose_secret(), [7; 20]);
    assert!(
        !format!("{devices:?}").contains("7, 7"),
        "a secret is printed"
    );
    assert_eq!(again.totp_devices("carol").unwrap().len(), 0);
}

#[test]
fn a_device_is_changed_by_its_owner_only() {
    let store = store("owners");
    let phone = device("alice", "phone");
    let id = store.add_totp(&phone, NOW, &mut random).unwrap();
    let key = credential("alice", "key", b"1");
    let key = store.add_credential(&key, NOW, &mut random).unwrap();
    assert!(!store.rename_totp("bob", id, "mine").unwrap());
    assert!(!store.remove_totp("bob", id).unwrap());
    assert!(!store.spend_step("bob", id, 1, NOW + 60, NOW).unwrap());
    assert!(!store.rename_credential("bob", key, "mine").unwrap());
    assert!(!store.remove_credential("bob", key).unwrap());
    assert!(store.rename_totp("alice", id, "old phone").unwrap());
    assert!(store.rename_credential("alice", key, "old key").unwrap());
    assert_eq!(
        store.totp_devices("alice").unwrap()[0].device.name,
        "old phone"
    );
    assert_eq!(
        store.credentials("alice").unwrap()[0].credential.name,
        "old key"
    );
    let both = Enrolled {
        totp: true,
        webauthn: true,
    };
    assert_eq!(store.enrolled("alice").unwrap(), both);
    assert!(store.remove_totp("alice", id).unwrap());
    assert!(!store.remove_totp("alice", id).unwrap());
    assert!(store.remove_credential("alice", key).unwrap());
    assert_eq!(store.enrolled("alice").unwrap(), Enrolled::default());
}

#[test]
fn names_are_good_and_unique_among_the_users_own() {
    let store = store("names");
    let add = |name: &str| store.add_totp(&device("alice", name), NOW, &mut random);
    let id = add("phone").unwrap();
    assert!(matches!(add("phone"), Err(StoreError::NameTaken)));
    for bad in ["", "  ", "a\nb", "\u{85}", &"x".repeat(65)] {
        assert!(matches!(add(bad), Err(StoreError::BadName)), "{bad:?}");
    }
    add(&"ü".repeat(64)).unwrap();
    let renamed = store.rename_totp("alice", id, &"ü".repeat(64));
    assert!(matches!(renamed, Err(StoreError::NameTaken)));
    assert_eq!(store.totp_devices("alice").unwrap().len(), 2);
}

#[test]
fn a_user_has_a_bounded_number_of_devices() {
    let store = store("bounds");
    for number in 0..MAX_DEVICES {
        let name = number.to_string();
        store
            .add_totp(&device("alice", &name), NOW, &mut random)
            .unwrap();
        let key = credential("alice", &name, name.as_bytes());
        store.add_credential(&key, NOW, &mut random).unwrap();
    }
    let device = store.add_totp(&device("alice", "one more"), NOW, &mut random);
    assert!(matches!(device, Err(StoreError::TooMany)));
    let key = credential("alice", "one more", b"one more");
    let key = store.add_credential(&key, NOW, &mut random);
    assert!(matches!(key, Err(StoreError::TooMany)));
}

#[test]
fn a_step_is_spent_once_and_forgotten_when_its_codes_have_ended() {
    let store = store("steps");
    let add = |name| {
        store
            .add_totp(&device("alice", name), NOW, &mut random)
            .unwrap()
    };
    let (phone, tablet) = (add("phone"), add("tablet"));
    let spend = |id, step, now| store.spend_step("alice", id, step, now + 90, now).unwrap();
    assert!(spend(phone, 5, NOW));
    assert!(!spend(phone, 5, NOW + 90));
    assert!(spend(phone, 6, NOW + 30));
    assert!(spend(tablet, 5, NOW));
    assert_eq!(
        store.totp_devices("alice").unwrap()[0].last_used,
        Some(NOW + 30)
    );
    assert!(spend(phone, 5, NOW + 91), "the step was not forgotten");
    assert!(store.remove_totp("alice", phone).unwrap());
    assert!(!spend(phone, 9, NOW), "a removed device signs in");
}

#[test]
fn credentials_come_back_as_they_were_given() {
    let store = store("credentials");
    let new = credential("erin", "key one", b"\0id");
    let id = store.add_credential(&new, NOW, &mut random).unwrap();
    let found = store.credential("auth.example.com", b"\0id").unwrap();
    let found = found.unwrap();
    assert_eq!(found.credential, new);
    assert_eq!((found.id, found.created, found.last_used), (id, NOW, None));
    assert_eq!(store.credentials("erin").unwrap(), [found]);
    assert_eq!(
        store.credential("other.example.com", b"\0id").unwrap(),
        None
    );
    let twice = credential("mallory", "mine", b"\0id");
    let twice = store.add_credential(&twice, NOW, &mut random);
    assert!(matches!(twice, Err(StoreError::CredentialTaken)));
    let named = credential("erin", "key one", b"another");
    let named = store.add_credential(&named, NOW, &mut random);
    assert!(matches!(named, Err(StoreError::NameTaken)));
}

#[test]
fn a_counter_moves_for_one_of_two_uses() {
    let store = store("counters");
    let new = credential("erin", "key", b"id");
    let id = store.add_credential(&new, NOW, &mut random).unwrap();
    let mut used = Assertion {
        id,
        found: 3,
        sign_count: 4,
        clone_warning: false,
        present: true,
        verified: true,
        backup_state: true,
        discoverable: true,
    };
    assert!(store.note_assertion(&used, NOW + 1).unwrap());
    assert!(!store.note_assertion(&used, NOW + 1).unwrap());
    used.found = 4;
    used.clone_warning = true;
    assert!(store.note_assertion(&used, NOW + 2).unwrap());
    used.clone_warning = false;
    assert!(store.note_assertion(&used, NOW + 3).unwrap());
    let kept = store.credentials("erin").unwrap().remove(0);
    assert_eq!(kept.last_used, Some(NOW + 3));
    let kept = kept.credential;
    assert!(kept.clone_warning && kept.verified && kept.backup_state && kept.discoverable);
    assert_eq!(kept.sign_count, 4);
}

#[test]
fn a_user_keeps_the_first_handle() {
    let store = store("handles");
    let handle = |rp_id, user, fresh| store.user_handle(rp_id, user, &[fresh; 64]).unwrap();
    assert_eq!(handle("a.example.com", "erin", 1), [1; 64]);
    assert_eq!(handle("a.example.com", "erin", 2), [1; 64]);
    assert_eq!(handle("b.example.com", "erin", 2), [2; 64]);
    let user = |rp_id, byte: u8| store.user_of_handle(rp_id, &[byte; 64]).unwrap();
    assert_eq!(user("a.example.com", 1).as_deref(), Some("erin"));
    assert_eq!(user("b.example.com", 1), None);
}

#[test]
fn preferences_are_kept() {
    let store = store("preferences");
    assert_eq!(store.preferred("alice").unwrap(), None);
    for method in [SecondFactor::Webauthn, SecondFactor::Totp] {
        store.prefer("alice", method).unwrap();
        assert_eq!(store.preferred("alice").unwrap(), Some(method));
    }
    assert_eq!(store.preferred("bob").unwrap(), None);
}

#[test]
fn codes_are_good_once_for_one_purpose_and_one_user_until_they_end() {
    let store = store("codes");
    let issue = |id, purpose, code| {
        let new = NewCode {
            id: [id; 16],
            user: "alice",
            purpose,
            code,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            expires: NOW + 60,
        };
        store.issue_code(&new, NOW).unwrap();
    };
    let (elevation, reset) = (Purpose::Elevation, Purpose::PasswordReset);
    let redeem = |purpose, user, code, now| store.redeem_code(purpose, user, code, now).unwrap();
    issue(1, elevation, b"ABCDEFGH");
    assert_eq!(redeem(reset, Some("alice"), b"ABCDEFGH", NOW), None);
    assert_eq!(redeem(elevation, Some("bob"), b"ABCDEFGH", NOW), None);
    assert_eq!(redeem(elevation, Some("alice"), b"ABCDEFGX", NOW), None);
    assert_eq!(
        redeem(elevation, Some("alice"), b"ABCDEFGH", NOW + 60),
        None
    );
    let alice = Some("alice".to_owned());
    assert_eq!(
        redeem(elevation, Some("alice"), b"ABCDEFGH", NOW + 59),
        alice
    );
    assert_eq!(
        redeem(elevation, Some("alice"), b"ABCDEFGH", NOW + 59),
        None
    );

    issue(2, reset, b"a long token");
    assert_eq!(
        store.code_owner(reset, b"a long token", NOW).unwrap(),
        alice
    );
    assert_eq!(redeem(reset, None, b"a long token", NOW), alice);
    assert_eq!(store.code_owner(reset, b"a long token", NOW).unwrap(), None);
    assert_eq!(redeem(reset, None, b"a long token", NOW), None);

    issue(3, elevation, b"REVOKED");
    assert!(store.revoke_code(&[3; 16], NOW).unwrap());
    assert!(!store.revoke_code(&[3; 16], NOW).unwrap());
    assert_eq!(redeem(elevation, Some("alice"), b"REVOKED", NOW), None);
}

#[test]
fn all_codes_of_a_user_for_one_purpose_are_revoked_at_once() {
    let store = store("all-codes");
    let (elevation, reset) = (Purpose::Elevation, Purpose::PasswordReset);
    let codes: [(u8, &str, Purpose, &[u8]); 4] = [
        (1, "alice", reset, b"first"),
        (2, "alice", reset, b"second"),
        (3, "alice", elevation, b"third"),
        (4, "bob", reset, b"fourth"),
    ];
    for (id, user, purpose, code) in codes {
        let new = NewCode {
            id: [id; 16],
            user,
            purpose,
            code,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            expires: NOW + 60,
        };
        store.issue_code(&new, NOW).unwrap();
    }
    assert_eq!(store.revoke_codes("alice", reset, NOW).unwrap(), 2);
    assert_eq!(store.revoke_codes("alice", reset, NOW).unwrap(), 0);
    for (_, user, purpose, code) in codes {
        let owner = store.code_owner(purpose, code, NOW).unwrap();
        let good = (user, purpose) != ("alice", reset);
        assert_eq!(owner, good.then(|| user.to_owned()));
    }
}
