//! The upstream falls silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use hickory_proto::op::{Message, ResponseCode};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    asking::{ask, ttls, until},
    cache::CacheSettings,
    forwarder::Settings,
    scripted::{LOOPBACK, Reply, Setup, addresses, at_once, gated, pass, patient, reply_to, start},
    server::Transport,
    upstream::Patience,
};

const NAME: &str = "www.example.test.";

/// The timers that pass in real time are short, the others at their defaults.
fn hasty() -> Settings {
    Settings {
        client_timeout: Duration::from_millis(600),
        cache: Some(CacheSettings { load_budget: Duration::from_millis(500), ..CacheSettings::default() }),
        patience: Patience { tries: 1, try_timeout: Duration::from_millis(500) },
        ..patient()
    }
}

/// Answers with a TTL of a minute as long as it lives.
fn mortal(alive: &Arc<AtomicBool>) -> impl Fn(Message, Transport) -> Reply + Send + Sync + 'static {
    let alive = Arc::clone(alive);
    at_once(move |question| alive.load(Relaxed).then(|| addresses(question, &[60])))
}

/// C91: fresh answers, then stale ones with TTL 30 and one try per recheck time, then, too old, SERVFAIL.
#[tokio::test]
async fn c91_the_upstream_dies() {
    let alive = Arc::new(AtomicBool::new(true));
    let setup = Setup::new(hasty(), mortal(&alive)).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [60]);
    alive.store(false, Relaxed);

    pass(Duration::from_secs(40)).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [20], "fresh");
    assert_eq!(setup.upstream.asked(), 1);

    pass(Duration::from_secs(40)).await;
    for recheck in 1..=3 {
        for _ in 0..10 {
            let start = Instant::now();
            assert_eq!(ttls(&ask(setup.address(), NAME).await), [30], "stale");
            assert!(start.elapsed() < Duration::from_secs(10), "long before the client gives up");
            assert_eq!(setup.upstream.asked(), 1 + recheck, "one try per recheck time");
        }
        pass(Duration::from_secs(29)).await;
        assert_eq!(ttls(&ask(setup.address(), NAME).await), [30]);
        assert_eq!(setup.upstream.asked(), 1 + recheck, "not yet");
        pass(Duration::from_secs(2)).await;
    }
    assert_eq!(setup.forwarder.report().stale, 33);

    alive.store(true, Relaxed);
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [60], "back again");

    alive.store(false, Relaxed);
    pass(Duration::from_secs(60 + 24 * 60 * 60 + 1)).await;
    assert_eq!(ask(setup.address(), NAME).await.metadata.response_code, ResponseCode::ServFail, "too old");
}

/// C91: however many ask at once, the stale answer costs one try.
#[tokio::test]
async fn c91_many_clients_get_the_stale_answer() {
    let alive = Arc::new(AtomicBool::new(true));
    let setup = Setup::new(hasty(), mortal(&alive)).await;
    ask(setup.address(), NAME).await;
    alive.store(false, Relaxed);
    pass(Duration::from_secs(61)).await;
    let mut clients: JoinSet<_> = (0..100).map(|_| ask(setup.address(), NAME)).collect();
    while let Some(answer) = clients.join_next().await {
        assert_eq!(ttls(&answer.unwrap()), [30]);
    }
    assert_eq!((setup.upstream.asked(), setup.forwarder.report().stale), (2, 100));
}

/// C91: with nothing cached all get SERVFAIL in time, from one upstream try, and again after the error TTL.
#[tokio::test]
async fn c91_nothing_cached() {
    let setup = Setup::new(hasty(), at_once(|_| None)).await;
    for tries in 1..=3 {
        let mut clients: JoinSet<_> = (0..100).map(|_| ask(setup.address(), NAME)).collect();
        while let Some(answer) = clients.join_next().await {
            assert_eq!(answer.unwrap().metadata.response_code, ResponseCode::ServFail);
        }
        assert_eq!(setup.upstream.asked(), tries);
        pass(Duration::from_secs(4)).await;
        assert_eq!(ask(setup.address(), NAME).await.metadata.response_code, ResponseCode::ServFail);
        assert_eq!(setup.upstream.asked(), tries, "the failure is kept");
        pass(Duration::from_secs(2)).await;
    }
}

/// An upstream that answers by an error is as good as a dead one where there is something stale.
#[tokio::test]
async fn c91_an_upstream_that_fails() {
    let code = Arc::new(std::sync::Mutex::new(ResponseCode::NoError));
    let setup = Setup::new(patient(), {
        let code = Arc::clone(&code);
        at_once(move |question| {
            let code = *code.lock().unwrap();
            Some(if code == ResponseCode::NoError { addresses(question, &[60]) } else { reply_to(question, code) })
        })
    })
    .await;
    ask(setup.address(), NAME).await;
    pass(Duration::from_secs(61)).await;
    for bad in [ResponseCode::ServFail, ResponseCode::Refused] {
        *code.lock().unwrap() = bad;
        assert_eq!(ttls(&ask(setup.address(), NAME).await), [30]);
        pass(Duration::from_secs(31)).await;
        // With nothing to fall back on, clients are told what the upstream said.
        assert_eq!(ask(setup.address(), &format!("{bad:?}.{NAME}")).await.metadata.response_code, bad);
    }
}

/// Nobody listens at the upstream's address: the same, only sooner.
#[tokio::test]
async fn c91_an_upstream_that_is_not_there() {
    // Bound, closed again, and so very likely free.
    let nowhere = std::net::UdpSocket::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let (forwarder, server) = start(nowhere, hasty()).await;
    for _ in 0..3 {
        assert_eq!(ask(server.address(), NAME).await.metadata.response_code, ResponseCode::ServFail);
    }
    assert_eq!(forwarder.report().upstream, 1);
}

/// An answer that is slower than a client's patience is fetched for the next one, if the load budget allows.
#[tokio::test]
async fn late_answers_are_kept() {
    let settings = Settings {
        cache: Some(CacheSettings { load_budget: Duration::from_secs(60), ..CacheSettings::default() }),
        patience: patient().patience,
        ..hasty()
    };
    let gate = Arc::new(Semaphore::new(0));
    let setup = Setup::new(settings, gated(&gate, 60, |_| true)).await;
    assert_eq!(ask(setup.address(), NAME).await.metadata.response_code, ResponseCode::ServFail, "too soon");
    gate.add_permits(1);
    until(|| setup.holdings().loads == 0).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [60]);
    assert_eq!(setup.upstream.asked(), 1);
}
