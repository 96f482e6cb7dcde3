//! Answers that are none: forged, late or mixed up.

use std::time::Duration;

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{Name, RData, RecordType},
};
use tokio::net::UdpSocket;

use crate::{
    asking::{ask, question, ttls},
    forwarder::Settings,
    scripted::{LOOPBACK, addresses, patient, reply_to, start},
    upstream::Patience,
};

const NAME: &str = "www.example.test.";

/// D92: another id, question or sender is ignored; the true answer is waited for.
#[tokio::test]
async fn d92_false_answers_are_ignored() {
    let upstream = UdpSocket::bind(LOOPBACK).await.unwrap();
    let (_, server) = start(upstream.local_addr().unwrap(), patient()).await;

    let act = async {
        let mut buffer = [0; 4096];
        let (length, forwarder) = upstream.recv_from(&mut buffer).await.unwrap();
        let asked = Message::from_vec(&buffer[..length]).unwrap();
        let truth = addresses(&asked, &[300]);

        let mut other_id = addresses(&asked, &[1]);
        other_id.metadata.id = !asked.metadata.id;
        let mut other_name = addresses(&asked, &[2]);
        other_name.queries[0].set_name(Name::from_ascii("evil.example.test.").unwrap());
        let mut other_type = addresses(&asked, &[3]);
        other_type.queries[0].set_query_type(RecordType::TXT);
        let mut no_question = addresses(&asked, &[4]);
        no_question.queries.clear();
        for lie in [other_id, other_name, other_type, no_question, asked.clone()] {
            upstream.send_to(&lie.to_vec().unwrap(), forwarder).await.unwrap();
        }
        upstream.send_to(&[0; 5], forwarder).await.unwrap();
        // All that counts is right in this one, but not its sender.
        let stranger = UdpSocket::bind(LOOPBACK).await.unwrap();
        stranger.send_to(&addresses(&asked, &[5]).to_vec().unwrap(), forwarder).await.unwrap();
        upstream.send_to(&truth.to_vec().unwrap(), forwarder).await.unwrap();
    };
    let (answer, ()) = tokio::join!(ask(server.address(), NAME), act);
    assert_eq!(ttls(&answer), [300]);
}

/// Ids and ports differ from question to question.
#[tokio::test]
async fn ids_and_ports_cannot_be_guessed() {
    let upstream = UdpSocket::bind(LOOPBACK).await.unwrap();
    let (_, server) = start(upstream.local_addr().unwrap(), patient()).await;
    let act = async {
        let (mut ids, mut ports) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let mut buffer = [0; 4096];
            let (length, forwarder) = upstream.recv_from(&mut buffer).await.unwrap();
            let asked = Message::from_vec(&buffer[..length]).unwrap();
            ids.push(asked.metadata.id);
            ports.push(forwarder.port());
            let reply = reply_to(&asked, ResponseCode::NXDomain);
            upstream.send_to(&reply.to_vec().unwrap(), forwarder).await.unwrap();
        }
        (ids, ports)
    };
    let asks = async {
        for _ in 0..20 {
            ask(server.address(), NAME).await;
        }
    };
    let ((), (mut ids, mut ports)) = tokio::join!(asks, act);
    for numbers in [&mut ids, &mut ports] {
        numbers.sort_unstable();
        numbers.dedup();
        assert!(numbers.len() > 10, "{numbers:?}");
    }
}

/// A question that got lost is asked again.
#[tokio::test]
async fn lost_questions_are_repeated() {
    let upstream = UdpSocket::bind(LOOPBACK).await.unwrap();
    let patience = Patience { tries: 3, try_timeout: Duration::from_millis(300) };
    let (forwarder, server) = start(upstream.local_addr().unwrap(), Settings { patience, ..patient() }).await;
    let act = async {
        let mut buffer = [0; 4096];
        upstream.recv_from(&mut buffer).await.unwrap();
        let (length, forwarder) = upstream.recv_from(&mut buffer).await.unwrap();
        let asked = Message::from_vec(&buffer[..length]).unwrap();
        upstream.send_to(&addresses(&asked, &[300]).to_vec().unwrap(), forwarder).await.unwrap();
    };
    let asked = question(NAME, RecordType::A);
    let (answer, ()) = tokio::join!(crate::asking::exchange(server.address(), &asked), act);
    assert!(matches!(answer.answers[0].data, RData::A(_)));
    assert!(forwarder.report().upstream >= 2);
}
