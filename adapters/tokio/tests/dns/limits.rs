//! How much there may be at a time: bytes, and questions under way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Message, ResponseCode},
    rr::{RData, Record, RecordType, rdata::TXT},
};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    asking::{ask, connect, exchange_tcp, explained, question, receive, send, until},
    cache::CacheSettings,
    forwarder::Settings,
    scripted::{Reply, Setup, addresses, as_by_default, at_once, pass, patient, reply_to},
    server::Transport,
};

/// Replies when it is allowed to, and counts how many questions wait for that.
fn gated(
    gate: &Arc<Semaphore>,
    waiting: &Arc<AtomicUsize>,
) -> impl Fn(Message, Transport) -> Reply + Send + Sync + 'static {
    let (gate, waiting) = (Arc::clone(gate), Arc::clone(waiting));
    move |question, _| {
        let (gate, waiting) = (Arc::clone(&gate), Arc::clone(&waiting));
        Box::pin(async move {
            waiting.fetch_add(1, SeqCst);
            let _pass = gate.acquire().await.unwrap();
            waiting.fetch_sub(1, SeqCst);
            Some(addresses(&question, &[300]))
        })
    }
}

/// Makes a reply of so many bytes.
fn text(question: &Message, bytes: usize) -> Message {
    let mut reply = reply_to(question, ResponseCode::NoError);
    for _ in 0..bytes / 250 {
        let data = RData::TXT(TXT::new(vec!["x".repeat(250)]));
        reply.add_answer(Record::from_rdata(question.queries[0].name.clone(), 300, data));
    }
    reply
}

/// C123: answers of 57 kB each take no more than they may, however many they are.
#[tokio::test]
async fn c123_memory() {
    let memory = 1 << 20;
    let settings = Settings { cache: Some(CacheSettings { memory, ..CacheSettings::default() }), ..patient() };
    let setup = Setup::new(settings, at_once(|question| Some(text(question, 57_000)))).await;
    for number in 0..40 {
        let answer =
            exchange_tcp(setup.address(), &question(&format!("h{number}.example.test."), RecordType::TXT)).await;
        assert!(answer.to_vec().unwrap().len() > 57_000);
        assert!(setup.holdings().memory <= memory, "{} bytes", setup.holdings().memory);
    }
    assert!(setup.holdings().memory > memory / 2, "and makes use of it: {} bytes", setup.holdings().memory);
}

/// C123: small answers are many.
#[tokio::test]
async fn c123_small_answers() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    for number in 0..100 {
        ask(setup.address(), &format!("h{number}.example.test.")).await;
    }
    let each = setup.holdings().memory / 100;
    assert!((200..=640).contains(&each), "{each} bytes");
}

/// C124: no more questions are open than may be; the others wait for a place, and all are answered.
#[tokio::test]
async fn c124_open_questions() {
    let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::default());
    let settings = Settings { max_open: 10, ..patient() };
    let setup = Setup::new(settings, gated(&gate, &waiting)).await;
    let server = setup.address();
    let mut clients: JoinSet<_> = (0..100)
        .map(|number| async move { ask(server, &format!("h{number}.example.test.")).await.metadata.response_code })
        .collect();
    until(|| setup.forwarder.report().questions == 100).await;
    until(|| waiting.load(SeqCst) == 10).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((setup.upstream.asked(), waiting.load(SeqCst)), (10, 10));
    gate.add_permits(1);
    while let Some(code) = clients.join_next().await {
        assert_eq!(code.unwrap(), ResponseCode::NoError);
        assert!(waiting.load(SeqCst) <= 10);
    }
    assert_eq!(setup.upstream.asked(), 100);
}

/// C124: who finds no place in time is told so, and may come again: nothing is kept of it.
#[tokio::test]
async fn c124_own_failures_are_not_kept() {
    let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::<AtomicUsize>::default());
    let settings = Settings { max_open: 1, ..as_by_default() };
    let setup = Setup::new(settings, gated(&gate, &waiting)).await;
    let server = setup.address();
    let first = tokio::spawn(async move { ask(server, "first.example.test.").await });
    until(|| waiting.load(SeqCst) == 1).await;
    let mut second = question("second.example.test.", RecordType::A);
    second.edns = Some(Edns::new());
    let second = second.to_vec().unwrap();
    let refused = tokio::spawn({
        let second = second.clone();
        async move { send(server, &second).await }
    });
    until(|| setup.forwarder.report().questions == 2).await;
    pass(Duration::from_millis(1801)).await;
    let refused = refused.await.unwrap();
    assert_eq!(refused[3] & 0xf, 2, "SERVFAIL");
    assert!(matches!(explained(&refused), Some(14 | 22)), "not ready, or not in time");
    gate.add_permits(100);
    first.await.unwrap();
    let answer = Message::from_vec(&send(server, &second).await).unwrap();
    assert_eq!(answer.answers.len(), 1, "asked anew");
}

/// C124: a thousand new names at once need no descriptor each, and none of them fails.
#[tokio::test]
async fn c124_descriptors() {
    let (gate, waiting) = (Arc::new(Semaphore::new(0)), Arc::default());
    let load_budget = Duration::from_secs(60);
    let settings = Settings { cache: Some(CacheSettings { load_budget, ..CacheSettings::default() }), ..patient() };
    let setup = Setup::new(settings, gated(&gate, &waiting)).await;
    let clients = connect(setup.address()).await;
    let names = 1000;
    for id in 0..names {
        let mut message = question(&format!("h{id}.example.test."), RecordType::A);
        message.metadata.id = id;
        clients.send(&message.to_vec().unwrap()).await.unwrap();
        until(|| waiting.load(SeqCst) > id.into()).await;
    }
    #[cfg(target_os = "linux")]
    {
        let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
        // (Other tests have some, too.)
        assert!(open < 900, "{open} descriptors for {names} questions");
    }
    gate.add_permits(names.into());
    for _ in 0..names {
        assert_eq!(receive(&clients).await[3] & 0xf, 0);
    }
}
