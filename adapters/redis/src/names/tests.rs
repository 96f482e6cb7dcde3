#![allow(clippy::unwrap_used, reason = "how a test fails")]

use super::{Names, Notice, escape, unescape};

fn names(hashed: bool) -> Names {
    Names { namespace: "ns".into(), hashed }
}

/// The part between the first brace and the next closing one, by which a server chooses the slot.
fn tag(key: &str) -> &str {
    key.split_once('{').unwrap().1.split_once('}').unwrap().0
}

const HARD: [&str; 9] = ["", "7", "%", "}{", "a b\n", "{x}", "%7d", "\u{e9}\u{7f}\u{80}", "http://a/b?c={d}&e=%20"];

#[test]
fn a_name_comes_back_from_its_notice() {
    for hashed in [false, true] {
        for name in HARD {
            let id = names(hashed).id(name.into());
            for notice in [Notice::Invalidated, Notice::Expired, Notice::Ended] {
                let key = names(hashed).notice(&id, notice);
                assert_eq!(names(hashed).heard(key.as_bytes()), Some((notice, name.into())), "{key}");
            }
        }
    }
}

#[test]
fn the_keys_of_one_name_are_in_one_slot_and_of_two_names_differ() {
    for hashed in [false, true] {
        let names = names(hashed);
        let mut all = Vec::new();
        for name in HARD {
            let id = names.id(name.into());
            let mut own = vec![names.value(&id), names.lease(&id), names.epoch(&id)];
            own.extend([Notice::Invalidated, Notice::Expired, Notice::Ended].map(|notice| names.notice(&id, notice)));
            assert!(own.iter().all(|key| tag(key) == tag(&own[0]) && !tag(key).is_empty()), "{own:?}");
            all.extend(own);
        }
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

#[test]
fn what_is_no_notice_of_ours_is_not_read() {
    for key in [
        "",
        "ns:n:",
        "ns:n:q:{7}",
        "ns:n:i:7",
        "ns:n:i:{7",
        "other:n:i:{7}",
        "ns:n:i:{%}",
        "ns:n:i:{%zz}",
        "ns:n:i:{%f",
    ] {
        let heard = names(false).heard(key.as_bytes());
        assert!(heard.is_none() || heard == Some((Notice::Invalidated, String::new())), "{key}: {heard:?}");
    }
    assert_eq!(names(false).heard(&[0xff, 0xfe]), None);
}

#[test]
fn names_are_readable_where_they_can_be() {
    assert_eq!(names(false).value(&names(false).id("user/7".into())), "ns:v:{user/7}");
    assert_eq!(escape("a}b"), "a%7db");
    assert_eq!(unescape("a%7db").as_deref(), Some("a}b"));
    assert_eq!(tag(&names(true).value(&names(true).id("user/7".into()))).len(), 32);
}
