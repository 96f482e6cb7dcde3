//! Many clients with one question.

use std::{collections::HashMap, sync::Arc};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RecordType,
};
use tokio::sync::Semaphore;

use crate::{
    asking::{connect, question, receive, until},
    scripted::{Setup, gated, patient},
};

/// C89: a thousand clients, one upstream question, each answered with its own id and spelling.
///
/// The upstream waits until all have asked, and its TTL of zero leaves nothing in the cache: who is answered, is
/// answered by having joined.
#[tokio::test]
async fn c89_many_clients_one_question() {
    many_clients(0).await;
}

/// The same with an answer that is kept.
#[tokio::test]
async fn c89_many_clients_one_question_kept() {
    many_clients(300).await;
}

async fn many_clients(ttl: u32) {
    let gate = Arc::new(Semaphore::new(0));
    let setup = Setup::new(patient(), gated(&gate, ttl, |_| true)).await;

    // Ten clients share a socket, as behind a router: fewer file descriptors, the same thousand questions.
    let mut sockets = Vec::new();
    for socket in 0..100_u16 {
        let clients = connect(setup.address()).await;
        let mut asked = HashMap::new();
        for client in 0..10 {
            let mut message = question(&spell("popular.example.test.", socket * 10 + client), RecordType::A);
            message.metadata.id = socket * 10 + client;
            clients.send(&message.to_vec().unwrap()).await.unwrap();
            asked.insert(message.metadata.id, message.queries);
        }
        sockets.push((clients, asked));
        // Let the forwarder drain its sockets' buffers, which are of limited size.
        tokio::task::yield_now().await;
    }
    until(|| setup.forwarder.report().questions == 1000).await;
    gate.add_permits(1000);

    for (clients, mut asked) in sockets {
        while !asked.is_empty() {
            let answer = Message::from_vec(&receive(&clients).await).unwrap();
            let queries = asked.remove(&answer.metadata.id).expect("the id of a client, once");
            assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
            assert_eq!(answer.queries[0].name.to_ascii(), queries[0].name.to_ascii());
            assert_eq!(answer.answers[0].name.to_ascii(), queries[0].name.to_ascii());
            assert_eq!(answer.answers[0].ttl, ttl);
        }
    }
    assert_eq!(setup.upstream.asked(), 1);
    assert_eq!(setup.forwarder.report().joins, 999);
}

/// Writes the letters of `name` large or small by the bits of `number`.
fn spell(name: &str, number: u16) -> String {
    let large = |index: usize| number >> (index % 10) & 1 == 1;
    name.char_indices().map(|(index, letter)| if large(index) { letter.to_ascii_uppercase() } else { letter }).collect()
}
