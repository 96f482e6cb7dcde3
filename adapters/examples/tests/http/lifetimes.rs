//! How `Cache-Control` is read.

use std::time::Duration;

use hyper::{HeaderMap, header::HeaderName};
use larder_tokio::Ttl;

use crate::control::lifetime;

#[track_caller]
fn read(headers: &[(&'static str, &'static str)]) -> Option<Ttl> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    lifetime(&map)
}

const fn seconds(seconds: u64) -> Option<Ttl> {
    Some(Ttl::For(Duration::from_secs(seconds)))
}

#[test]
fn nothing_is_said() {
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[("age", "5")]), None);
}

#[test]
fn a_number_of_seconds() {
    for (value, expected) in [
        ("max-age=60", 60),
        ("public, Max-Age=60", 60),
        ("max-age=\"60\"", 60),
        (" max-age = 60 ,must-revalidate", 60),
        ("max-age=60, s-maxage=10", 10),
        ("s-maxage=90, max-age=60", 90),
        ("max-age=60, max-age=10", 60),
        ("extension=\"a, max-age=10\", max-age=60", 60),
        ("max-age=4294967296", 1 << 31),
        ("max-age=99999999999999999999999999", 1 << 31),
    ] {
        assert_eq!(read(&[("cache-control", value)]), seconds(expected), "{value}");
    }
    assert_eq!(read(&[("cache-control", "public"), ("cache-control", "max-age=60")]), seconds(60));
}

#[test]
fn not_to_be_kept() {
    for value in [
        "no-store",
        "max-age=60, No-Store",
        "no-cache",
        "private, max-age=60",
        "private=\"x, max-age=5\", max-age=60",
        "max-age=0",
        "max-age=60, s-maxage=0",
        "max-age=-1",
        "max-age=soon",
        "max-age=+60",
        "max-age=",
        "max-age",
        "public",
        "",
    ] {
        assert_eq!(read(&[("cache-control", value)]), Some(Ttl::NotStored), "{value}");
    }
}

/// Time spent in earlier caches counts.
#[test]
fn less_its_age() {
    assert_eq!(read(&[("cache-control", "max-age=60"), ("age", "20")]), seconds(40));
    assert_eq!(read(&[("cache-control", "max-age=60"), ("age", "60")]), Some(Ttl::NotStored));
    assert_eq!(read(&[("cache-control", "max-age=60"), ("age", "9999999999")]), Some(Ttl::NotStored));
}
