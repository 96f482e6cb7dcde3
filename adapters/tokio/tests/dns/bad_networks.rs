//! Networks that are slow or lose packets.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use hickory_proto::op::{Message, ResponseCode};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    asking::{ask, ttls, until},
    scripted::{Reply, Setup, addresses, as_by_default, at_once, pass},
    server::Transport,
    upstream::health::{Health, order},
};

const NAME: &str = "www.example.test.";

/// An upstream whose every reply waits until the test lets it go; the TTL tells which try it replies to.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<HashMap<u32, Arc<Semaphore>>>>);

impl Held {
    fn gate(&self, number: u32) -> Arc<Semaphore> {
        Arc::clone(self.0.lock().unwrap().entry(number).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    fn let_go(&self, number: u32) {
        self.gate(number).add_permits(1);
    }

    fn script(&self) -> impl Fn(Message, Transport) -> Reply + Send + Sync + 'static {
        let (held, next) = (self.clone(), Mutex::new(0));
        move |question, _| {
            let mut next = next.lock().unwrap();
            *next += 1;
            let (number, gate) = (*next, held.gate(*next));
            Box::pin(async move {
                gate.acquire().await.unwrap().forget();
                Some(addresses(&question, &[1000 + number]))
            })
        }
    }
}

/// C122: an answer that is slower than the next try counts all the same, and costs no client its answer.
#[tokio::test]
async fn c122_the_first_answer_counts() {
    let held = Held::default();
    let setup = Setup::new(as_by_default(), held.script()).await;
    let server = setup.address();
    let client = tokio::spawn(async move { ask(server, NAME).await });
    for tries in 1..=3 {
        until(|| setup.upstream.asked() == tries).await;
        pass(Duration::from_millis(401)).await;
    }
    held.let_go(1);
    assert_eq!(ttls(&client.await.unwrap()), [1001], "of the first try, after the third");
    let asked = setup.upstream.asked();
    assert!(asked <= 4, "{asked} tries");
    assert_eq!(ttls(&ask(server, NAME).await), [1001]);
    assert_eq!(setup.upstream.asked(), asked, "it was kept");
}

/// C122: what is slower than a client waits is kept for the next one, without another question.
#[tokio::test]
async fn c122_late_answers_are_kept() {
    let held = Held::default();
    let setup = Setup::new(as_by_default(), held.script()).await;
    let server = setup.address();
    let client = tokio::spawn(async move { ask(server, NAME).await });
    for tries in 1..=4 {
        until(|| setup.upstream.asked() == tries).await;
        pass(Duration::from_millis(401)).await;
    }
    pass(Duration::from_millis(200)).await;
    assert_eq!(client.await.unwrap().metadata.response_code, ResponseCode::ServFail);
    let next = tokio::spawn(async move { ask(server, NAME).await });
    until(|| setup.forwarder.report().questions == 2).await;
    held.let_go(2);
    assert_eq!(ttls(&next.await.unwrap()), [1002]);
    assert_eq!(setup.forwarder.report().joins, 1, "one load for both");
}

/// C122: a load has ten seconds, and all the tries it is allowed; then the failure is kept.
#[tokio::test]
async fn c122_the_budget_of_a_load() {
    let setup = Setup::new(as_by_default(), at_once(|_| None)).await;
    let server = setup.address();
    let client = tokio::spawn(async move { ask(server, NAME).await });
    for tries in 1..=7 {
        until(|| setup.upstream.asked() == tries).await;
        pass(Duration::from_millis(401)).await;
    }
    assert_eq!(client.await.unwrap().metadata.response_code, ResponseCode::ServFail);
    pass(Duration::from_secs(8)).await;
    until(|| setup.holdings().loads == 0).await;
    assert_eq!(ask(server, NAME).await.metadata.response_code, ResponseCode::ServFail);
    assert_eq!(setup.upstream.asked(), 7, "no try more, and none for the second client");
}

/// C122: what one client has waited, the next need not wait again where there is a stale answer.
#[tokio::test]
async fn c122_stale_answers_come_at_once_after_the_first() {
    let held = Held::default();
    let setup = Setup::new(as_by_default(), held.script()).await;
    let server = setup.address();
    held.let_go(1);
    ask(server, NAME).await;
    pass(Duration::from_secs(1002)).await;
    let client = tokio::spawn(async move { ask(server, NAME).await });
    until(|| setup.upstream.asked() >= 2).await;
    pass(Duration::from_millis(1801)).await;
    assert_eq!(ttls(&client.await.unwrap()), [30]);
    // (Were it to wait for its 1.8 seconds, it would have to wait in real time.)
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(ttls(&ask(server, NAME).await), [30]);
    }
    assert!(start.elapsed() < Duration::from_secs(9), "not two seconds each");
    held.let_go(2);
    until(|| setup.holdings().loads == 0).await;
    assert_eq!(ttls(&ask(server, NAME).await), [1002]);
}

/// C126: where every fifth try is lost, all questions are answered, by less than 1.5 tries each.
#[tokio::test]
async fn c126_loss() {
    let random = Mutex::new(fastrand::Rng::with_seed(126));
    let setup = Setup::new(as_by_default(), move |question: Message, _| {
        // Ten percent on each way.
        let is_lost = random.lock().unwrap().f64() < 0.19;
        Box::pin(async move {
            // Real time, as that of the sockets is: the pauses between tries follow this round trip.
            sleep(Duration::from_millis(5)).await;
            (!is_lost).then(|| addresses(&question, &[300]))
        })
    })
    .await;
    let server = setup.address();
    let mut clients: JoinSet<_> = (0..10)
        .map(|client| async move {
            for number in 0..20 {
                let answer = ask(server, &format!("h{client}-{number}.example.test.")).await;
                assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
            }
        })
        .collect();
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    let asked = setup.upstream.asked();
    assert!((200..=300).contains(&asked), "{asked} tries for 200 questions");
}

/// C126: the first wait goes by the round trips that were measured, and doubles.
#[test]
fn c126_waits_follow_the_round_trip() {
    let longest = Duration::from_millis(400);
    let milliseconds = Duration::from_millis;
    let mut health = Health::default();
    assert_eq!(health.patience(1, longest), longest, "nothing measured yet");
    for _ in 0..50 {
        health.answered(milliseconds(20));
    }
    let waits: Vec<_> = (1..=5).map(|tries| health.patience(tries, longest)).collect();
    assert_eq!(waits, [50, 100, 200, 400, 400].map(milliseconds), "the first within five round trips");
    for _ in 0..50 {
        health.answered(milliseconds(1000));
    }
    let waits: Vec<_> = (1..=3).map(|tries| health.patience(tries, longest)).collect();
    assert!(waits.iter().all(|wait| (milliseconds(1900)..=milliseconds(5000)).contains(wait)), "{waits:?}");
    assert!(health.round_trip().unwrap() > milliseconds(990));
}

/// A silent upstream is asked last, and now and then whether it is back; any answer brings it back.
#[tokio::test]
async fn silent_upstreams_are_asked_last() {
    let mut upstreams = [Health::default(); 3];
    assert_eq!(order(&upstreams), [0, 1, 2]);
    for _ in 0..5 {
        assert!(!upstreams[0].is_silent());
        upstreams[0].unanswered();
    }
    assert_eq!(order(&upstreams), [1, 2, 0]);
    let now = Instant::now();
    assert!(upstreams[0].is_to_be_probed(now));
    assert!(!upstreams[0].is_to_be_probed(now + Duration::from_millis(999)));
    assert!(upstreams[0].is_to_be_probed(now + Duration::from_millis(1000)));
    assert!(!upstreams[1].is_to_be_probed(now));
    upstreams[0].answered(Duration::from_millis(20));
    assert_eq!(order(&upstreams), [0, 1, 2]);
}
