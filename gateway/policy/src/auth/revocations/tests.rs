//! What is revoked, and for how long.

use super::*;
use proptest::prelude::*;

fn identity(user: &str, token: Option<&str>, issued_at: u64) -> Identity {
    Identity::new(
        user.into(),
        token.map(Arc::from),
        "{}".into(),
        u64::MAX,
        issued_at,
    )
}

fn with(entries: &[Revocation]) -> Revocations {
    let mut set = Revocations::default();
    for entry in entries {
        set.revoke(entry.clone(), 0).unwrap();
    }
    set
}

#[test]
fn a_revoked_token_is_refused_until_it_would_have_expired() {
    let set = with(&[Revocation::Token {
        id: "t1".into(),
        until: 100,
    }]);
    let token = identity("anna", Some("t1"), 0);
    assert_eq!(set.check(&token, None, 99), Err(AuthError::Revoked));
    assert_eq!(set.check(&token, None, 100), Ok(()));
    assert_eq!(
        set.check(&identity("anna", Some("t2"), 0), None, 99),
        Ok(())
    );
    assert_eq!(set.check(&identity("anna", None, 0), None, 99), Ok(()));
}

#[test]
fn a_revoked_user_comes_back_with_a_token_issued_later() {
    let set = with(&[Revocation::User {
        id: "anna".into(),
        issued: 50,
        until: 100,
    }]);
    assert_eq!(
        set.check(&identity("anna", None, 50), None, 60),
        Err(AuthError::Revoked)
    );
    assert_eq!(
        set.check(&identity("anna", None, 0), None, 60),
        Err(AuthError::Revoked)
    );
    assert_eq!(set.check(&identity("anna", None, 51), None, 60), Ok(()));
    assert_eq!(set.check(&identity("berta", None, 1), None, 60), Ok(()));
}

#[test]
fn a_revoked_session_is_refused_whatever_its_token() {
    let set = with(&[Revocation::Session {
        id: "s1".into(),
        until: 100,
    }]);
    assert_eq!(
        set.check(&Identity::anonymous(), Some("s1"), 60),
        Err(AuthError::Revoked)
    );
    assert_eq!(set.check(&Identity::anonymous(), Some("s2"), 60), Ok(()));
}

#[test]
fn a_full_set_says_so_and_makes_room_by_forgetting() {
    let mut set = Revocations::default();
    for n in 0..Revocations::LIMIT {
        let id = n.to_string().into();
        set.revoke(Revocation::Token { id, until: 100 }, 0).unwrap();
    }
    let more = Revocation::Session {
        id: "s".into(),
        until: 200,
    };
    assert!(
        set.revoke(more.clone(), 50)
            .unwrap_err()
            .to_string()
            .contains("100000")
    );
    set.revoke(
        Revocation::Token {
            id: "7".into(),
            until: 300,
        },
        50,
    )
    .unwrap();
    set.revoke(more, 100).unwrap();
    assert_eq!(set.len(), 2);
}

#[test]
fn as_json_it_is_a_list_of_entries() {
    let set = with(&[Revocation::User {
        id: "anna".into(),
        issued: 50,
        until: 100,
    }]);
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(
        json,
        r#"[{"kind":"user","id":"anna","issued":50,"until":100}]"#
    );
    assert_eq!(serde_json::from_str::<Revocations>(&json).unwrap(), set);
    assert!(serde_json::from_str::<Revocations>(r#"[{"kind":"other"}]"#).is_err());
}

fn entry() -> impl Strategy<Value = Revocation> {
    ("[ab]{1,2}", 0u64..9, 0u64..9, 0..3).prop_map(|(id, issued, until, kind)| {
        let id: Arc<str> = id.into();
        match kind {
            0 => Revocation::Token { id, until },
            1 => Revocation::User { id, issued, until },
            _ => Revocation::Session { id, until },
        }
    })
}

proptest! {
    #[test]
    fn entries_give_the_same_set_in_any_order_and_any_number_of_times(
        entries in prop::collection::vec(entry(), 0..20).prop_shuffle(),
    ) {
        let once = with(&entries);
        let mut twice: Vec<_> = entries.iter().rev().cloned().collect();
        twice.extend(once.iter());
        prop_assert_eq!(&with(&twice), &once);
        let json = serde_json::to_string(&once).unwrap();
        prop_assert_eq!(serde_json::from_str::<Revocations>(&json).unwrap(), once);
    }
}

#[test]
fn what_is_revoked_already_changes_nothing() {
    let mut set = Revocations::default();
    let user = |issued, until| Revocation::User {
        id: "anna".into(),
        issued,
        until,
    };
    assert_eq!(set.revoke(user(5, 100), 0), Ok(true));
    assert_eq!(set.revoke(user(5, 100), 0), Ok(false));
    assert_eq!(set.revoke(user(4, 90), 0), Ok(false));
    assert_eq!(set.revoke(user(4, 101), 0), Ok(true));
    assert_eq!(set.revoke(user(6, 90), 0), Ok(true));
    let token = |until| Revocation::Token {
        id: "t1".into(),
        until,
    };
    assert_eq!(set.revoke(token(10), 0), Ok(true));
    assert_eq!(set.revoke(token(10), 0), Ok(false));
}
