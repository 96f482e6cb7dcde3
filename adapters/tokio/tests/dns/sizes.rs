//! Answers that do not fit a packet.

use hickory_proto::{
    op::{Edns, Message},
    rr::RecordType,
};

use crate::{
    asking::{exchange, exchange_tcp, hickory_tcp, question, send},
    scripted::{Setup, addresses, at_once, patient},
    server::Transport,
};

/// Returns a question with as many addresses to its answer as its name says.
fn hosts(count: usize, payload: Option<u16>) -> Message {
    let mut message = question(&format!("{count}.example.test."), RecordType::A);
    message.edns = payload.map(|payload| {
        let mut edns = Edns::new();
        edns.set_max_payload(payload);
        edns
    });
    message
}

fn count_of(question: &Message) -> usize {
    let name = question.queries[0].name.to_ascii();
    name.split('.').next().unwrap().parse().unwrap()
}

/// D92: 512 bytes without EDNS, else what the client takes and 1232 at most; TC where it is cut, all of it over TCP.
#[tokio::test]
async fn d92_truncation() {
    let script = at_once(|question| Some(addresses(question, &vec![300; count_of(question)])));
    let setup = Setup::new(patient(), script).await;
    // Addresses take 16 bytes each, header and question together 33 or so, EDNS 11.
    for (count, payload, fits) in [
        (20, None, true),
        (40, None, false),
        (40, Some(1232), true),
        (40, Some(600), false),
        (40, Some(100), false),
        (20, Some(100), true),
        (100, Some(1232), false),
        (100, Some(4096), false),
    ] {
        let asked = hosts(count, payload);
        let bytes = send(setup.address(), &asked.to_vec().unwrap()).await;
        let limit = payload.unwrap_or(512).clamp(512, 1232);
        assert!(bytes.len() <= usize::from(limit), "{count}, {payload:?}: {} bytes", bytes.len());
        let answer = Message::from_vec(&bytes).unwrap();
        assert_eq!(answer.metadata.truncation, !fits, "{count}, {payload:?}");
        assert_eq!(answer.answers.len(), if fits { count } else { 0 });
        assert_eq!((answer.queries, answer.edns.is_some()), (asked.queries.clone(), payload.is_some()));

        let whole = exchange_tcp(setup.address(), &asked).await;
        assert_eq!((whole.metadata.truncation, whole.answers.len()), (false, count));
    }
    assert_eq!(hickory_tcp(setup.address(), "400.example.test.", RecordType::A).await.answers.len(), 400);
}

/// D92: an upstream's answer that was cut is asked for again over TCP.
#[tokio::test]
async fn d92_an_upstream_that_cuts() {
    let setup = Setup::new(patient(), |question: Message, over| {
        Box::pin(async move {
            let whole = addresses(&question, &vec![300; count_of(&question)]);
            Some(if over == Transport::Tcp { whole } else { whole.truncate() })
        })
    })
    .await;
    let answer = exchange(setup.address(), &hosts(60, Some(1232))).await;
    assert_eq!((answer.metadata.truncation, answer.answers.len()), (false, 60));
    assert_eq!(setup.upstream.asked(), 2);
}
