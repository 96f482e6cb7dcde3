//! Packets that are no questions.

use std::io::ErrorKind;

use hickory_proto::{
    op::{Edns, Message, OpCode, ResponseCode},
    rr::RecordType,
};
use tokio::net::TcpStream;

use crate::{
    asking::{connect, exchange, exchange_tcp, question, receive, send},
    framing,
    scripted::{Setup, addresses, at_once, patient},
};

const NAME: &str = "www.example.test.";

/// C92: what can be no client's question is met with silence, and the next good question is answered.
#[tokio::test]
async fn c92_silence() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let good = question(NAME, RecordType::A).to_vec().unwrap();
    let mut response = good.clone();
    response[2] |= 0x80;
    for packet in [&[][..], &good[..11], &response] {
        let socket = connect(setup.address()).await;
        socket.send(packet).await.unwrap();
        socket.send(&good).await.unwrap();
        let answer = Message::from_vec(&receive(&socket).await).unwrap();
        assert_eq!(answer.answers.len(), 1, "{packet:?}");
    }
    assert_eq!(setup.forwarder.report().junk, 3);
}

/// C92: other junk gets its id back, with a code that says what was wrong.
#[tokio::test]
async fn c92_rejections() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let good = question(NAME, RecordType::A);

    let mut two = good.clone();
    two.add_queries(good.queries.clone());
    let mut none = good.clone();
    none.queries.clear();
    let mut cut = good.to_vec().unwrap();
    cut.truncate(20);
    // A name that is a pointer to itself; and two that point to each other.
    let header = &good.to_vec().unwrap()[..12];
    let to_itself = [header, &[0xc0, 12, 0, 1, 0, 1]].concat();
    let to_each_other = [header, &[0xc0, 14, 0xc0, 12, 0, 1, 0, 1]].concat();
    // A pointer to the header, by itself and behind a label.
    let to_header = [header, &[0xc0, 0, 0, 1, 0, 1]].concat();
    let label_to_header = [header, &[3, b'w', b'w', b'w', 0xc1, 0, 0, 1, 0, 1]].concat();
    let pointers = [to_itself, to_each_other, to_header, label_to_header];
    for packet in [two.to_vec().unwrap(), none.to_vec().unwrap(), cut].into_iter().chain(pointers) {
        let answer = send(setup.address(), &packet).await;
        assert_eq!(answer[..2], packet[..2], "the same id");
        assert_eq!((answer[2] & 0x80, answer[3] & 0xf), (0x80, 1), "FORMERR to {packet:?}");
    }

    for op_code in [OpCode::Status, OpCode::Notify, OpCode::Update, OpCode::Unknown(9)] {
        let mut message = good.clone();
        message.metadata.op_code = op_code;
        let answer = exchange(setup.address(), &message).await;
        assert_eq!(answer.metadata.id, message.metadata.id);
        assert_eq!((answer.metadata.op_code, answer.metadata.response_code), (op_code, ResponseCode::NotImp));
    }
    assert_eq!(exchange(setup.address(), &good).await.answers.len(), 1, "still serving");
    assert_eq!(setup.upstream.asked(), 1, "the junk went no further");
}

/// C92: whatever bytes come, the next good question is answered.
#[tokio::test]
async fn c92_random_bytes() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let good = question(NAME, RecordType::A).to_vec().unwrap();
    let mut random = fastrand::Rng::with_seed(92);
    let socket = connect(setup.address()).await;
    for round in 0..200 {
        // Half of them random throughout, half of them good questions with some bytes changed.
        let mut packet: Vec<u8> = (0..512).map(|_| random.u8(..)).collect();
        if round % 2 == 0 {
            packet.clone_from(&good);
            for _ in 0..random.usize(1..4) {
                let place = random.usize(..packet.len());
                packet[place] = random.u8(..);
            }
            // Questions for other names belong to the upstream, which answers them, too.
        }
        socket.send(&packet).await.unwrap();
        let fresh = question(NAME, RecordType::A);
        assert_eq!(exchange(setup.address(), &fresh).await.answers.len(), 1);
    }
}

/// C92 over TCP: silence is the end of that connection, a rejection is not.
#[tokio::test]
async fn c92_over_tcp() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let good = question(NAME, RecordType::A);
    let mut stream = TcpStream::connect(setup.address()).await.unwrap();
    let mut unknown = good.to_vec().unwrap();
    unknown[2] |= 0x78;
    let (read, mut write) = stream.split();
    let mut reader = framing::Reader::new(read);
    framing::write(&mut write, &unknown).await.unwrap();
    let answer = reader.next().await.unwrap();
    assert_eq!((&answer[..2], answer[3]), (&unknown[..2], 4));
    framing::write(&mut write, &good.to_vec().unwrap()).await.unwrap();
    assert_eq!(Message::from_vec(&reader.next().await.unwrap()).unwrap().answers.len(), 1);
    framing::write(&mut write, &[]).await.unwrap();
    assert_eq!(reader.next().await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(exchange_tcp(setup.address(), &good).await.answers.len(), 1);
}

/// Of EDNS only version 0 exists (RFC 6891, 6.1.3), and zone transfers are not for a forwarder.
#[tokio::test]
async fn what_is_not_spoken_here() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let mut future = question(NAME, RecordType::A);
    future.edns = Some(Edns::new());
    future.edns.as_mut().unwrap().set_version(1);
    let answer = exchange(setup.address(), &future).await;
    // By its number, since hickory reads 16 as BADSIG: the two share it, and only EDNS has this one.
    assert_eq!(u16::from(answer.metadata.response_code), u16::from(ResponseCode::BADVERS));
    assert_eq!(answer.edns.unwrap().version(), 0);

    let transfer = exchange(setup.address(), &question(NAME, RecordType::AXFR)).await;
    assert_eq!(transfer.metadata.response_code, ResponseCode::NotImp);
    assert_eq!(setup.upstream.asked(), 0);
}
