//! A load of many keys that is over before its poll is: what the poll brings finds no places.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
};

use futures_lite::future::{block_on, poll_once, yield_now};
use larder::{Cache, Clock, Failure, ManualClock, parts::Std};
use larder_tests::ms;

type Batched = Cache<u32, u32, io::Error, Std<ManualClock>>;
type Call = Pin<Box<dyn Future<Output = bool> + Send>>;

/// P5, D19: a load that has answered one key is polled, and meanwhile its budget ends for the only other caller of its
/// other key: the answer that it brings after that is nobody's.
#[test]
fn what_comes_after_the_end_finds_no_places() {
    let clock = ManualClock::new();
    let other: Arc<Mutex<Option<Call>>> = Arc::default();
    let (time, meanwhile) = (clock.clone(), Arc::clone(&other));
    let cache: Arc<Batched> = Arc::new(
        Cache::builder(Std::new(clock.clone()))
            .load_budget(ms(10))
            .load_each_fn(move |keys: Vec<u32>, answers| {
                let (time, meanwhile) = (time.clone(), Arc::clone(&meanwhile));
                async move {
                    answers.answer(keys[0], keys[0]);
                    let mut call = loop {
                        yield_now().await;
                        if let Some(call) = meanwhile.lock().expect("no panic").take() {
                            break call;
                        }
                    };
                    time.advance(ms(10));
                    assert_eq!(poll_once(&mut call).await, Some(false), "its load is over its budget");
                    answers.answer(keys[1], keys[1]);
                    Ok(())
                }
            })
            .build()
            .expect("a valid configuration"),
    );
    let weak: Weak<Batched> = Arc::downgrade(&cache);
    let mut call: Call = Box::pin(async move {
        let cache = weak.upgrade().expect("it is there");
        cache.get(&2).await.is_ok()
    });
    let keys = [1, 2];
    let mut many = Box::pin(cache.get_many(&keys));
    assert!(block_on(poll_once(&mut many)).is_none());
    assert!(block_on(poll_once(&mut call)).is_none());
    *other.lock().expect("no panic") = Some(call);
    let told = block_on(many);
    assert_eq!(told[0].as_ref().ok(), Some(&1));
    assert_eq!(told[1].as_ref().err().and_then(|error| error.failure()).map(Failure::is_budget_exceeded), Some(true));
    assert_eq!((cache.contains(&1), cache.contains(&2), clock.now().as_nanos()), (true, false, 10_000_000));
    assert_eq!((cache.stats().flights, cache.stats().loads_in_flight), (0, 0));
}
