//! How much memory the cached pages take.

use crate::{
    cache::Settings,
    scripted::{Setup, response},
};

/// What is kept of an answer is a copy: a slice of what was read would keep all of that.
#[tokio::test]
async fn a_page_keeps_nothing_else() {
    let headers = [("cache-control", "max-age=60"), ("etag", "\"1\""), ("content-type", "text/plain")];
    let setup = Setup::new(move |_| response(200, &headers, "short")).await;
    let found = setup.pages.find("/").await.unwrap();
    assert!(found.value().body.is_unique(), "its memory is no header's");
}

/// Many small pages do not take many times what was allowed.
#[tokio::test]
async fn a_small_page_weighs_what_it_takes() {
    let settings = Settings { capacity: 64 << 10, ..Settings::default() };
    let setup = Setup::with(settings, |_| response(200, &[("cache-control", "max-age=60")], "")).await;
    for page in 0..300 {
        setup.pages.find(&format!("/{page}")).await.unwrap();
    }
    let held = setup.pages.stats().held;
    assert!((1..=128).contains(&held), "{held} of 300, at some 500 bytes each");
}
