//! "304 Not Modified", over real sockets.

use std::{sync::Arc, time::Duration};

use larder_tokio::{Status, TimeLeft};

use crate::{
    cache::Found,
    demo::{Stage, origin::Day},
    scripted::{Setup, response},
};

fn left(found: &Found) -> Duration {
    match found.time_left() {
        TimeLeft::For(left) => left,
        other => panic!("{other:?}"),
    }
}

/// C94: an expired page that is still good is not sent again; it keeps its generation and its age.
#[tokio::test]
async fn c94_not_modified() {
    let stage = Stage::start().await.unwrap();
    let pages = stage.proxy.pages();
    let first = pages.find("/page").await.unwrap();
    assert_eq!((first.status(), stage.origin.counts()), (Status::Miss, [1, 1, 0, 0]));
    stage.clock.skip(Duration::from_secs(100));
    let again = pages.find("/page").await.unwrap();
    assert_eq!((again.status(), stage.origin.counts()), (Status::Expired, [2, 1, 1, 0]));
    assert!(Arc::ptr_eq(first.value(), again.value()), "it is the cached page");
    assert_eq!(again.generation(), first.generation());
    assert!(again.age() >= Duration::from_secs(100) && left(&again) == Duration::from_secs(60), "{again:?}");
    let hit = pages.find("/page").await.unwrap();
    assert_eq!(
        (hit.status(), hit.generation(), stage.origin.counts()),
        (Status::Hit, first.generation(), [2, 1, 1, 0])
    );
}

/// A newer page replaces the old one.
#[tokio::test]
async fn modified() {
    let stage = Stage::start().await.unwrap();
    let pages = stage.proxy.pages();
    let first = pages.find("/page").await.unwrap();
    stage.clock.skip(Duration::from_secs(100));
    stage.origin.begin(Day::Publishing);
    stage.origin.begin(Day::Good);
    let again = pages.find("/page").await.unwrap();
    assert_eq!((again.status(), stage.origin.counts()), (Status::Expired, [2, 2, 0, 0]));
    assert_ne!(again.generation(), first.generation());
    assert_eq!(again.value().body, "/page, version 2\n");
}

/// A "304" with a lifetime sets it; without one, the page's own lifetime begins again; `no-store` drops the page.
#[tokio::test]
async fn for_how_long() {
    let setup = Setup::new(|number| match number {
        1 => response(200, &[("cache-control", "max-age=60"), ("etag", "\"a\"")], "page"),
        2 => response(304, &[("cache-control", "max-age=20")], ""),
        3 => response(304, &[], ""),
        4 => response(304, &[("cache-control", "no-store")], ""),
        _ => response(200, &[("cache-control", "max-age=60")], "again"),
    })
    .await;
    for expected in [60, 20, 60, 0] {
        let found = setup.pages.find("/").await.unwrap();
        assert_eq!((&*found.value().body, left(&found)), (&b"page"[..], Duration::from_secs(expected)));
        setup.pass(100);
    }
    let found = setup.pages.find("/").await.unwrap();
    assert_eq!((found.status(), &*found.value().body), (Status::Miss, &b"again"[..]));
    let tag = Some("\"a\"".to_owned());
    assert_eq!(setup.asked("if-none-match"), [None, tag.clone(), tag.clone(), tag, None]);
}

/// A page without a tag is requested without a condition.
#[tokio::test]
async fn without_a_tag() {
    let setup = Setup::new(|_| response(200, &[("cache-control", "max-age=60")], "page")).await;
    for _ in 0..2 {
        setup.pages.find("/").await.unwrap();
        setup.pass(100);
    }
    assert_eq!(setup.asked("if-none-match"), [None, None]);
}

/// A page that may not be kept is requested each time, and leaves nothing behind.
#[tokio::test]
async fn not_kept() {
    let setup = Setup::new(|_| response(200, &[("cache-control", "no-store")], "page")).await;
    for asked in 1..=3 {
        let found = setup.pages.find("/").await.unwrap();
        assert_eq!((found.status(), setup.asked("host").len()), (Status::Miss, asked));
    }
    assert_eq!(setup.pages.stats().stored, 0);
}
