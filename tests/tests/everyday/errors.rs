//! Errors that say what went wrong, once, and give it back. (C120)

use core::fmt::{Debug, Display};
use std::{error::Error, io, sync::Arc};

use larder::{
    Cache, LazySlot, LoadError, Loaded, ManualClock, WriteBack,
    parts::{Memory, Std},
};
use larder_tests::wakers::now;

const REASON: &str = "no route to the origin";

fn failing<E: Debug + Display + Send + Sync + 'static>(
    error: impl Fn() -> E + Send + Sync + 'static,
) -> Cache<u32, u32, E, Std<ManualClock>> {
    let load = move |_| {
        let error = error();
        async { Err(error) }
    };
    Cache::builder(Std::new(ManualClock::new())).load_fn(load).build().expect("valid")
}

/// The cause is in the text once, along the whole chain, and can be taken out.
fn judge<E: Debug + Display + Send + Sync + 'static>(error: impl Fn() -> E + Send + Sync + 'static) -> Arc<E> {
    let cache = failing(error);
    let failed = now(cache.get(&1)).expect_err("it fails");
    assert_eq!(failed.to_string(), format!("the load failed: {REASON}"));
    assert_eq!(failed.error().map(ToString::to_string).as_deref(), Some(REASON));
    assert!(failed.source().is_none());
    let passed_on = anyhow::Error::from(failed.clone());
    assert_eq!(format!("{passed_on:#}").matches(REASON).count(), 1);
    let boxed: Box<dyn Error + Send + Sync> = failed.clone().into();
    assert_eq!(boxed.to_string().matches(REASON).count(), 1);
    let failure = failed.failure().expect("it has failed").clone();
    assert_eq!(failure.to_string(), format!("the load failed: {REASON}"));
    let cause = failed.into_error().expect("it has one");
    assert!(Arc::ptr_eq(&cause, &failure.into_error().expect("the same")));
    cause
}

/// C120: whatever can be printed is an error to load with.
#[test]
fn c120_any_error() {
    assert!(judge(|| anyhow::anyhow!(REASON)).downcast_ref::<&str>().is_some());
    judge(|| -> Box<dyn Error + Send + Sync> { REASON.into() });
    assert_eq!(*judge(|| String::from(REASON)), REASON);
    assert_eq!(judge(|| io::Error::other(REASON)).kind(), io::ErrorKind::Other);
}

/// C120: an error that knows what made it shows that, too.
#[test]
fn c120_with_all_its_causes() {
    let failed =
        || anyhow::Error::from(io::Error::other("no route")).context("cannot ask").context("cannot find the user");
    let whole = "cannot find the user: cannot ask: no route";
    let cache = failing(failed);
    let error = now(cache.get(&1)).expect_err("it fails");
    assert_eq!(error.to_string(), format!("the load failed: {whole}"));
    assert_eq!(
        format!("{:#}", anyhow::Error::from(error).context("in name")),
        format!("in name: the load failed: {whole}")
    );
    let error = now(cache.get(&1)).expect_err("it fails").into_error().expect("it has one");
    assert!(error.chain().any(|cause| cause.is::<io::Error>()));
}

/// C120: it is passed on by `?`.
#[test]
fn c120_passed_on() {
    fn ask<E: Debug + Display + Send + Sync + 'static>(
        cache: &Cache<u32, u32, E, Std<ManualClock>>,
    ) -> anyhow::Result<u32> {
        Ok(now(cache.get(&1))?)
    }
    fn look(cache: &Cache<u32, u32, anyhow::Error, Std<ManualClock>>) -> Result<u32, Box<dyn Error>> {
        Ok(now(cache.lookup(&1))?.into_value())
    }
    let cache = failing(|| anyhow::anyhow!(REASON));
    assert!(ask(&cache).expect_err("it fails").to_string().ends_with(REASON));
    assert!(look(&cache).expect_err("it fails").to_string().ends_with(REASON));
    assert!(ask(&failing(|| String::from(REASON))).is_err());
    let error = ask(&failing(|| String::from(REASON))).expect_err("it fails");
    assert!(error.downcast_ref::<LoadError<String>>().is_some());
}

/// C120: the same of slots and write-back caches.
#[test]
fn c120_of_slots_and_write_back_caches() {
    let slot = LazySlot::builder(Std::new(ManualClock::new()))
        .fetch_fn(|_| async { Err::<Loaded<u32>, _>(anyhow::anyhow!(REASON)) })
        .build()
        .expect("valid");
    let failed = now(slot.get()).expect_err("it fails");
    assert_eq!((failed.to_string(), failed.source().is_none()), (format!("the load failed: {REASON}"), true));
    assert_eq!(failed.into_error().expect("it has one").to_string(), REASON);

    let pages = WriteBack::builder(Std::new(ManualClock::new()), Memory::<u32, u32>::new()).build().expect("valid");
    let failed = now(pages.get_or_load(&7)).map(drop).expect_err("it is not there");
    let text = failed.to_string();
    assert_eq!(
        (text.matches("nothing was ever written there").count(), failed.source().is_none()),
        (1, true),
        "{text}"
    );
    assert_eq!(failed.into_error().as_deref(), Some(&larder::parts::NotThere));
}
