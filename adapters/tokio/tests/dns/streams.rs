//! TCP: many connections, and many questions on one.

use std::{io::ErrorKind, net::IpAddr, sync::Arc};

use hickory_proto::rr::RecordType;
use tokio::{net::TcpStream, sync::Semaphore, time::timeout};

use crate::{
    asking::{HANG, exchange_tcp, question},
    framing,
    scripted::{LOOPBACK, Setup, addresses, at_once, gated, is_slow, patient},
    server::{
        Server,
        connections::{Admission, Connections, Limits},
    },
};

const NAME: &str = "www.example.test.";

/// C127: however many idle connections there are, and come anew, a new client is served; who has been idle longest goes.
#[tokio::test]
async fn c127_idle_connections() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let limits = Limits { all: 20, each: 20 };
    let server = Server::bind_limited(LOOPBACK, 1, Arc::clone(&setup.forwarder), limits).await.unwrap();
    let asked = question(NAME, RecordType::A);
    let mut idle = Vec::new();
    for round in 0..3 {
        for _ in 0..20 {
            idle.push(TcpStream::connect(server.address()).await.unwrap());
        }
        assert_eq!(exchange_tcp(server.address(), &asked).await.answers.len(), 1, "round {round}");
    }
    let mut oldest = framing::Reader::new(idle.remove(0));
    let end = timeout(HANG, oldest.next()).await.expect("it was closed").unwrap_err();
    assert!(matches!(end.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset));
    // The newest one is still there.
    let mut newest = idle.pop().unwrap();
    framing::write(&mut newest, &asked.to_vec().unwrap()).await.unwrap();
    timeout(HANG, framing::Reader::new(newest).next()).await.expect("an answer").unwrap();
}

/// C127: a slow question holds up no other on its connection.
#[tokio::test]
async fn c127_answers_out_of_order() {
    let gate = Arc::new(Semaphore::new(0));
    let setup = Setup::new(patient(), gated(&gate, 300, is_slow)).await;
    let (read, mut write) = TcpStream::connect(setup.address()).await.unwrap().into_split();
    let mut reader = framing::Reader::new(read);
    for id in 0..100 {
        let mut asked =
            question(&if id == 0 { format!("slow.{NAME}") } else { format!("h{id}.{NAME}") }, RecordType::A);
        asked.metadata.id = id;
        framing::write(&mut write, &asked.to_vec().unwrap()).await.unwrap();
    }
    let mut answered = Vec::new();
    for _ in 0..99 {
        let answer = timeout(HANG, reader.next()).await.expect("it does not wait for the slow one").unwrap();
        answered.push(u16::from_be_bytes([answer[0], answer[1]]));
    }
    answered.sort_unstable();
    assert!(answered.into_iter().eq(1..100));
    gate.add_permits(1);
    let answer = timeout(HANG, reader.next()).await.expect("the slow one").unwrap();
    assert_eq!(answer[..2], [0, 0]);
}

/// Of one client's connections, or of all, the one goes that has been idle for longest; a busy one never.
#[test]
fn who_goes() {
    let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
    let mut book = Connections::new(Limits { all: 3, each: 2 });
    let mut numbers = Vec::new();
    let mut admit = |book: &mut Connections, client| match book.admit(client) {
        Admission::Kept { number, instead_of } => {
            numbers.push(number);
            instead_of.map(|gone| numbers.iter().position(|number| *number == gone).unwrap())
        }
        Admission::Refused => Some(usize::MAX),
    };
    assert_eq!(admit(&mut book, one), None); // 0
    assert_eq!(admit(&mut book, one), None); // 1
    assert_eq!(admit(&mut book, one), Some(0), "one of its own"); // 2
    assert_eq!(admit(&mut book, other), None); // 3
    assert_eq!(admit(&mut book, other), Some(1), "the oldest of all"); // 4
    let Admission::Kept { number: busy, .. } = Connections::new(Limits { all: 1, each: 1 }).admit(one) else {
        panic!("there is room");
    };
    let mut book = Connections::new(Limits { all: 1, each: 1 });
    book.admit(one);
    book.asked(busy);
    assert_eq!(book.admit(other), Admission::Refused, "the only one is busy");
    book.answered(busy);
    assert!(matches!(book.admit(other), Admission::Kept { instead_of: Some(gone), .. } if gone == busy));
    let Admission::Kept { number, .. } = Connections::new(Limits { all: 0, each: 1 }).admit(one) else {
        return;
    };
    panic!("{number} has no place");
}
