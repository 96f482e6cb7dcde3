//! Loads of many keys that ask for one of these keys.

use larder::{Cache, LoadError};
use larder_tests::*;

on_every_runtime! {
    c82_a_borrowed_batch_that_asks_for_one_of_its_keys
    c82_a_batch_that_asks_for_one_of_its_keys
    c82_a_batch_that_was_overtaken
}

type Own<R> = Cache<u32, V, Boom, R>;

/// A load of many keys that asks for `inner`, whatever keys it loads.
async fn asking<R: Host>(cache: Own<R>, time: Time, inner: Vec<u32>, many: bool) -> Result<Vec<(u32, V)>, Boom> {
    sleep(&time, 10).await;
    let load = |keys: Vec<u32>| async move { Ok(keys.into_iter().map(|key| (key, V::new(key + 100)))) };
    let results = if many {
        cache.get_many_or_load(&inner, load).await
    } else {
        vec![cache.get_with(&inner[0], || async { Ok(V::new(100)) }).await]
    };
    let reentrant = results.iter().filter(|result| matches!(result, Err(LoadError::Reentrant))).count() as u32;
    Ok((1..=3).map(|key| (key, V::new(1000 * reentrant + key))).collect())
}

/// C82, D66: every kind of call from inside fails; keys that this load is not loading are just loaded.
fn c82_a_borrowed_batch_that_asks_for_one_of_its_keys<R: Host>() {
    for (inner, many, reentrant) in
        [(vec![1], false, 1), (vec![2], false, 1), (vec![3], true, 1), (vec![1, 2, 3, 4], true, 3), (vec![4], true, 0)]
    {
        let mut sim = Sim::new();
        let cache = Cache::builder(R::on(sim.clock())).build().expect("valid");
        let (own, time) = (cache.clone(), sim.time.clone());
        let call = sim.call(async move {
            own.get_many_or_load(&[1, 2, 3], |_| asking::<R>(own.clone(), time.clone(), inner.clone(), many)).await
        });
        sim.to(10);
        assert_eq!(sim.saw(call), format!("10: V{0}001, V{0}002, V{0}003", reentrant).replace("V000", "V"));
        assert_clean(&cache.stats());
    }
}

/// C82, D66, while the load rests in the flights.
fn c82_a_batch_that_asks_for_one_of_its_keys<R: Host>() {
    for asked in [1, 2, 3, 4] {
        let mut sim = Sim::new();
        let inside: Rc<RefCell<Option<Box<dyn Fn(u32) -> Boxed>>>> = Rc::default();
        let (calls, time) = (inside.clone(), sim.time.clone());
        let load = move |keys: Vec<u32>| {
            let (calls, time) = (calls.clone(), time.clone());
            async move {
                let mut added = 0;
                if keys.contains(&1) {
                    sleep(&time, 10).await;
                    let call = calls.borrow().as_ref().expect("set before the first call")(asked);
                    added = if call.await { 1000 } else { 0 };
                }
                Ok::<_, Boom>(keys.into_iter().map(move |key| (key, V::new(added + key))))
            }
        };
        let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).build().expect("valid");
        let own = cache.clone();
        *inside.borrow_mut() = Some(Box::new(move |key| {
            let cache = own.clone();
            Box::pin(async move { matches!(cache.get(&key).await, Err(LoadError::Reentrant)) })
        }));
        let own = cache.clone();
        let first = sim.call(async move { own.get_many(&[1, 2, 3]).await });
        let own = cache.clone();
        let joins = sim.call(async move { own.get(&3).await });
        sim.to(10);
        let added = if asked == 4 { "" } else { "100" };
        assert_eq!(sim.saw(first), format!("10: V{added}1, V{added}2, V{added}3"));
        assert_eq!(sim.saw(joins), format!("10: V{added}3"));
        assert_clean(&cache.stats());
        inside.take();
    }
}

/// C82, D66: a load that another load of many keys has taken over from is still recognized when it asks for one of its
/// own keys. Otherwise it would wait in the flight that it rests in, and neither would ever proceed. (P2)
fn c82_a_batch_that_was_overtaken<R: Host>() {
    for overtaken_by_closure in [false, true] {
        let mut sim = Sim::new();
        let inside: Rc<RefCell<Option<Box<dyn Fn(u32) -> Boxed>>>> = Rc::default();
        let (calls, time) = (inside.clone(), sim.time.clone());
        let load = move |keys: Vec<u32>| {
            let (calls, time) = (calls.clone(), time.clone());
            async move {
                sleep(&time, 20).await;
                let call = calls.borrow().as_ref().expect("set before the first call")(keys[0]);
                let added = if call.await { 1000 } else { 0 };
                Ok::<_, Boom>(keys.into_iter().map(move |key| (key, V::new(added + key))))
            }
        };
        let cache = Cache::builder(R::on(sim.clock())).load_many_fn(load).lock_age(ms(10)).build().expect("valid");
        let own = cache.clone();
        *inside.borrow_mut() = Some(Box::new(move |key| {
            let cache = own.clone();
            Box::pin(async move { matches!(cache.get(&key).await, Err(LoadError::Reentrant)) })
        }));
        let own = cache.clone();
        let first = sim.call(async move { own.get_many(&[1, 2]).await });
        sim.to(15);
        let own = cache.clone();
        let slow = sim.batches(never());
        let second = if overtaken_by_closure {
            sim.call(async move { own.lookup_many(&[1, 2]).by(|keys| slow.begin(keys)).await })
        } else {
            sim.call(async move { own.get_many(&[1, 2]).await })
        };
        sim.to(20);
        assert_eq!((sim.saw(first), cache.stats().takeovers), ("20: V1001, V1002".into(), 2));
        assert!(sim.saw(second).starts_with("20: V1001"));
        assert_clean(&cache.stats());
        inside.take();
    }
}

type Boxed = Pin<Box<dyn Future<Output = bool>>>;
