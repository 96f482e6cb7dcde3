//! How long answers are kept, and what clients are told about it.

use std::{sync::Arc, time::Duration};

use hickory_proto::{
    op::ResponseCode,
    rr::{DNSClass, RecordType},
};
use tokio::sync::Semaphore;

use crate::{
    asking::{ask, exchange, hickory, question, ttls, until},
    scripted::{Setup, addresses, at_once, denial, gated, pass, patient},
};

const NAME: &str = "www.example.test.";

/// C90: an answer of TTL 30 says 18 after 12 seconds.
#[tokio::test]
async fn c90_ttls_count_down() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[30])))).await;
    assert_eq!(ttls(&hickory(setup.address(), NAME, RecordType::A).await), [30]);
    pass(Duration::from_secs(12)).await;
    assert_eq!(ttls(&hickory(setup.address(), NAME, RecordType::A).await), [18]);
    pass(Duration::from_secs(18)).await;
    assert_eq!(ttls(&hickory(setup.address(), NAME, RecordType::A).await), [30], "asked anew");
    assert_eq!(setup.upstream.asked(), 2);
}

/// C90: records of 300 and 60 seconds are kept for 60.
#[tokio::test]
async fn c90_the_smallest_ttl_counts() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300, 60])))).await;
    ask(setup.address(), NAME).await;
    pass(Duration::from_secs(58)).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [242, 2]);
    assert_eq!(setup.upstream.asked(), 1);
    pass(Duration::from_secs(2)).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [300, 60]);
    assert_eq!(setup.upstream.asked(), 2);
}

/// C90: with TTL zero everyone who waits is answered, and nothing is kept.
#[tokio::test]
async fn c90_ttl_zero_is_shared_but_not_kept() {
    let gate = Arc::new(Semaphore::new(0));
    let setup = Setup::new(patient(), gated(&gate, 0, |_| true)).await;
    let (a, b, ()) = tokio::join!(ask(setup.address(), NAME), ask(setup.address(), NAME), async {
        until(|| setup.forwarder.report().questions == 2).await;
        gate.add_permits(1);
    });
    assert_eq!((ttls(&a), ttls(&b)), (vec![0], vec![0]));
    assert_eq!(setup.upstream.asked(), 1);
    gate.add_permits(1);
    ask(setup.address(), NAME).await;
    assert_eq!(setup.upstream.asked(), 2);
}

/// C90: a denial is kept for the smaller of its SOA's TTL and minimum, and shows that.
#[tokio::test]
async fn c90_denials_are_kept_by_their_soa() {
    for code in [ResponseCode::NXDomain, ResponseCode::NoError] {
        for soa in [(60, 900), (900, 60)] {
            let setup = Setup::new(patient(), at_once(move |question| Some(denial(question, code, Some(soa))))).await;
            let first = ask(setup.address(), NAME).await;
            assert_eq!((first.metadata.response_code, first.authorities[0].ttl), (code, 60));
            pass(Duration::from_secs(59)).await;
            let second = ask(setup.address(), NAME).await;
            assert_eq!((second.metadata.response_code, second.authorities[0].ttl), (code, 1));
            assert_eq!(setup.upstream.asked(), 1);
            pass(Duration::from_secs(1)).await;
            ask(setup.address(), NAME).await;
            assert_eq!(setup.upstream.asked(), 2);
        }
    }
}

/// C90: a denial without an SOA is not kept.
#[tokio::test]
async fn c90_denials_without_soa_are_not_kept() {
    for code in [ResponseCode::NXDomain, ResponseCode::NoError] {
        let setup = Setup::new(patient(), at_once(move |question| Some(denial(question, code, None)))).await;
        for asked in 1..=3 {
            assert_eq!(ask(setup.address(), NAME).await.metadata.response_code, code);
            assert_eq!(setup.upstream.asked(), asked);
        }
    }
}

/// Denials are kept for three hours at most, answers for a week.
#[tokio::test]
async fn lifetimes_are_bounded() {
    let day = 24 * 60 * 60;
    let setup = Setup::new(
        patient(),
        at_once(move |question| match question.queries[0].query_type {
            RecordType::A => Some(addresses(question, &[30 * day])),
            _ => Some(denial(question, ResponseCode::NoError, Some((30 * day, 30 * day)))),
        }),
    )
    .await;
    assert_eq!(ttls(&hickory(setup.address(), NAME, RecordType::A).await), [7 * day]);
    let none = exchange(setup.address(), &question(NAME, RecordType::AAAA)).await;
    assert_eq!(none.authorities[0].ttl, 3 * 60 * 60);
}

/// D89: name, type, class, DO and CD make the key; spelling does not.
#[tokio::test]
async fn the_key_is_the_whole_question() {
    let setup = Setup::new(
        patient(),
        at_once(|question| match question.queries[0].query_type {
            RecordType::A => Some(addresses(question, &[300])),
            _ => Some(denial(question, ResponseCode::NoError, Some((300, 300)))),
        }),
    )
    .await;
    let plain = question(NAME, RecordType::A);
    let mut variants = vec![plain.clone(); 5];
    variants[1].queries[0].set_query_type(RecordType::AAAA);
    variants[2].queries[0].set_query_class(DNSClass::CH);
    variants[3].metadata.checking_disabled = true;
    variants[4].edns.get_or_insert_default().set_dnssec_ok(true);
    for _ in 0..2 {
        for variant in &variants {
            exchange(setup.address(), variant).await;
        }
        ask(setup.address(), "WWW.eXample.TEST.").await;
        assert_eq!(setup.upstream.asked(), 5);
    }
}
