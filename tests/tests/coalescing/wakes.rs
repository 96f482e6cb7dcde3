//! Wakers are woken as often as needed, in order, and may do anything.

use larder::Cache;
use larder_tests::*;

on_every_runtime! {
    c12_wakers_that_move
    c12_spurious_polls
    c13_a_wake_that_drops_a_waiter
    c13_the_same_when_the_load_wakes
    c86_wakes
    a_lone_caller_is_woken_through_its_own_waker
    a_waker_that_polls_on_the_spot
}

/// C12: a waiter that was polled with another waker since is woken through the newer one, once. (P2, P14)
fn c12_wakers_that_move<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let (leader, waiter) = (cache.clone(), cache.clone());
    let (mut leader, mut waiter) = (leader.get(&7), waiter.get(&7));
    let (first, old) = wakers::Counting::new();
    let (second, new) = wakers::Counting::new();
    assert!(wakers::poll_once(&mut leader).is_pending());
    assert!(wakers::poll_with(&mut waiter, &old).is_pending());
    assert!(wakers::poll_with(&mut waiter, &new).is_pending());
    gate.open_quietly();
    let (first_before, second_before) = (first.wakes(), second.wakes());
    assert!(wakers::poll_once(&mut leader).is_ready());
    assert_eq!((first.wakes() - first_before, second.wakes() - second_before), (0, 1));
    assert!(wakers::poll_with(&mut waiter, &new).is_ready());
    assert_clean(&cache.stats());
}

/// C12: 100 000 spurious polls allocate nothing and call no loader. (P14)
fn c12_spurious_polls<R: Host>() {
    let sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c.lock_age(ms(1000)));
    let (mut leader, mut waiter) = (cache.get(&7), cache.get(&7));
    let (_, own) = wakers::Counting::new();
    let (_, other) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut leader, &own).is_pending());
    memory::assert_no_growth(|| {
        for i in 0..50_000 {
            assert!(wakers::poll_with(&mut waiter, if i % 2 == 0 { &own } else { &other }).is_pending());
        }
    });
    assert_eq!(loads.calls(), 1);
    assert_eq!(cache.stats().waiters, 2);
}

/// C13: the waker of one waiter drops another waiter of the same key when the load is published. (P2, P13)
fn c13_a_wake_that_drops_a_waiter<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let (mut a, mut w1, mut w2) = (owned(&cache), owned(&cache), owned(&cache));
    assert!(wakers::poll_once(&mut a).is_pending());
    let (_, nobody) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut w1, &nobody).is_pending());
    assert!(wakers::poll_with(&mut w2, &nobody).is_pending());
    let waker = wakers::dropping(w2);
    assert!(wakers::poll_with(&mut w1, &waker).is_pending());
    gate.open_quietly();
    assert!(wakers::poll_once(&mut a).is_ready());
    assert!(!wakers::victim_is_alive());
    assert!(wakers::poll_with(&mut w1, &nobody).is_ready());
    assert_eq!(wakers::now(cache.get(&7)).map(|v| *v).ok(), Some(1));
    assert_clean(&cache.stats());
}

fn owned<R: Host>(cache: &Scripted<R>) -> Pin<Box<impl Future<Output = Option<u32>> + use<R>>> {
    let cache = cache.clone();
    Box::pin(async move { cache.get(&7).await.map(|v| *v).ok() })
}

/// C13: the same if the load asks to be polled: the wake of its timer drops a waiter. (P2, P13)
fn c13_the_same_when_the_load_wakes<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(after(50).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let a = sim.get(&cache, 7);
    let (mut w1, mut w2) = (owned(&cache), owned(&cache));
    let (_, nobody) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut w2, &nobody).is_pending());
    let waker = wakers::dropping(w2);
    assert!(wakers::poll_with(&mut w1, &waker).is_pending());
    sim.to(50);
    assert!(!wakers::victim_is_alive());
    assert_eq!(sim.saw(a), "50: V1 Miss");
    assert_eq!(wakers::poll_with(&mut w1, &nobody), Poll::Ready(Some(1)));
    let late = sim.get(&cache, 7);
    assert_eq!(sim.saw(late), "50: V1 Hit");
    assert_clean(&cache.stats());
}

/// C86: one completion wakes a thousand waiters once each, in order of arrival, within one poll. (P3, P14)
fn c86_wakes<R: Host>() {
    let sim = Sim::new();
    let gate = Gate::default();
    let loads = sim.loads(gate.script().gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let order = wakers::Order::default();
    let mut leader = cache.get(&7);
    assert!(wakers::poll_once(&mut leader).is_pending());
    let mut waiters: Vec<_> = (0..1000).map(|_| cache.get(&7)).collect();
    for (n, waiter) in waiters.iter_mut().enumerate() {
        assert!(wakers::poll_with(waiter, &order.waker(n)).is_pending());
    }
    // Some change to another waker on the way and keep their place.
    for n in [3, 500, 998] {
        assert!(wakers::poll_with(&mut waiters[n], &order.waker(n)).is_pending());
    }
    order.take();
    gate.open_quietly();
    assert!(wakers::poll_once(&mut leader).is_ready());
    assert_eq!(order.take(), (0..1000).collect::<Vec<_>>());
    for waiter in &mut waiters {
        assert!(wakers::poll_once(waiter).is_ready());
    }
    assert_eq!(order.take(), []);
    assert_clean(&cache.stats());
}

/// A lone caller is woken by its load exactly as often as the load asks. (P3, P14)
fn a_lone_caller_is_woken_through_its_own_waker<R: Host>() {
    let mut sim = Sim::new();
    let loads = sim.loads(steps(4, 10).gives(1));
    let cache = sim.cache::<R>(&loads, |c| c);
    let caller = sim.get(&cache, 7);
    sim.to(30);
    assert_eq!(sim.saw(caller), "30: V1 Miss");
    assert_eq!(sim.wakes(caller), 4, "one wake to be polled at all, one for each step of the load");
    assert_eq!(loads.polls(), 4);
}

/// A waker polls its waiter on the spot, in the middle of another caller's poll of the load; that other caller is not
/// polled again. The wake that found the load taken out is not lost. (P3)
fn a_waker_that_polls_on_the_spot<R: Host>() {
    let sim = Sim::new();
    // Pending; then, once told to, it wakes itself within its poll; then it is ready.
    let stage = Rc::new(Cell::new("asleep"));
    let load = {
        let stage = stage.clone();
        move |key: u32| {
            let stage = stage.clone();
            core::future::poll_fn(move |context| match stage.get() {
                "wakes" => {
                    stage.set("ready");
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                "ready" => Poll::Ready(Ok::<_, Boom>(key)),
                _ => Poll::Pending,
            })
        }
    };
    let cache = Cache::builder(R::on(sim.clock())).load_fn(load).build().expect("valid");
    let mut parked = cache.get(&7);
    let (_, nobody) = wakers::Counting::new();
    assert!(wakers::poll_with(&mut parked, &nobody).is_pending());
    let answer = Rc::new(Cell::new(None));
    let (own, told) = (cache.clone(), answer.clone());
    wakers::on_the_spot(async move { told.set(own.get(&7).await.ok()) }).wake();
    stage.set("wakes");
    assert!(wakers::poll_with(&mut parked, &nobody).is_pending());
    assert_eq!(answer.get(), Some(7));
    assert_eq!(cache.stats().loads_begun, 1);
}
