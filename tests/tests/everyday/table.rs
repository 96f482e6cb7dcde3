//! What newcomers wrote first, line by line, by README and documentation alone. (C119, C120)

use std::{error::Error, rc::Rc, sync::Arc};

use larder::{ManualClock, parts::Local};
use larder_tests::{Duration, wakers::now};
use larder_tokio::{BoxError, Cache, LoadError, OnTimeout, Tokio};

#[derive(Debug, PartialEq)]
enum Fault {
    NotFound(u64),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::NotFound(id) = self;
        write!(f, "there is no user {id}")
    }
}

impl Error for Fault {}

/// A cache that is only written and read: nothing has to be said of loads and their errors.
#[test]
fn a_cache_without_loads() {
    let sessions = Cache::new(100);
    sessions.insert("a", 1);
    assert_eq!((sessions.get_if_present("a"), sessions.get_if_present("b")), (Some(1), None));
    assert_eq!(*sessions.get_or_insert(&"b", || 2).value(), 2);
}

/// An async closure as a loader; one that is not async; and no word of what errors are.
#[tokio::test]
async fn closures_of_all_kinds() -> Result<(), BoxError> {
    let by_async = Cache::builder(Tokio::new()).load_fn(async |id: u64| Ok(id * 2)).build()?;
    let by_block = Cache::builder(Tokio::new()).load_fn(|id: u64| async move { Ok(id * 2) }).build()?;
    let at_once = Cache::builder(Tokio::new()).load_fn(|id: u64| std::future::ready(Ok(id * 2))).build()?;
    for cache in [by_async, by_block, at_once] {
        let cache: Cache<u64, u64> = cache;
        assert_eq!(cache.get(&21).await?, 42);
    }
    Ok(())
}

/// A log line says why, and the caller gets its own error back, to match on or to own.
#[tokio::test]
async fn an_error_of_ones_own() -> Result<(), Box<dyn Error>> {
    let users: Cache<u64, String, Fault> =
        Cache::builder(Tokio::new()).load_fn(async |id| Err(Fault::NotFound(id))).build()?;
    let error = users.get(&7).await.expect_err("there is none");
    assert_eq!(format!("{error}"), "the load failed: there is no user 7");
    assert!(matches!(error.error(), Some(Fault::NotFound(7))));
    // All who waited share it; who was alone owns it.
    let owned = error.into_error().and_then(Arc::into_inner);
    assert_eq!(owned, Some(Fault::NotFound(7)));
    Ok(())
}

async fn handler(users: &Cache<u64, String>) -> anyhow::Result<String> {
    let load = || async { Err(anyhow::anyhow!("no route to the database").into()) };
    Ok(users.get_or_load(&7, load).await?)
}

/// `?` from a cache of any errors into a function of any errors.
#[tokio::test]
async fn the_question_mark() {
    let error = handler(&Cache::new(10)).await.expect_err("it fails");
    assert_eq!(error.to_string(), "the load failed: no route to the database");
}

/// A call that has nothing to load by says so.
#[tokio::test]
async fn a_call_without_a_loader() {
    let error = Cache::<u64, u64>::new(10).get(&7).await.expect_err("there is no loader");
    assert!(matches!(error, LoadError::NoLoader));
    assert!(error.to_string().contains("load"), "{error}");
}

/// Keys by what they borrow, many of them; values that cannot be cloned; settings that depend on others.
#[tokio::test]
async fn keys_values_and_settings() -> Result<(), BoxError> {
    struct Connection(usize);
    let mut builder = Cache::builder(Tokio::new())
        .ttl(Duration::from_secs(60))
        .load_fn(async |name: String| Ok(Arc::new(Connection(name.len()))));
    let is_impatient = true;
    if is_impatient {
        builder = builder.lock_timeout(Duration::from_secs(1), OnTimeout::Fail);
    }
    let connections: Cache<String, Arc<Connection>> = builder.build()?;
    assert_eq!(connections.get("db").await?.0, 2);
    let found = connections.get_many(["db", "mail"]).await;
    assert_eq!(found.into_iter().filter_map(Result::ok).map(|found| found.0).sum::<usize>(), 6);
    Ok(())
}

/// Values and futures that stay on their thread.
#[test]
fn what_stays_on_its_thread() {
    let names = Rc::new(vec!["Ada"]);
    let cache = larder::Cache::builder(Local::new(ManualClock::new()))
        .load_async_fn(async move |id: usize| names.get(id).map(|name| Rc::from(*name)).ok_or(Fault::NotFound(1)))
        .build()
        .expect("valid");
    assert_eq!(now(cache.get(&0)).ok(), Some(Rc::<str>::from("Ada")));
    assert!(now(cache.get(&1)).is_err());
}
