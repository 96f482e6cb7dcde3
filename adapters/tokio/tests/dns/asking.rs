//! Ways to ask a server.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use hickory_net::{
    client::{Client, ClientHandle},
    runtime::TokioRuntimeProvider,
    tcp::TcpClientStream,
    udp::UdpClientStream,
};
use hickory_proto::{
    op::{Message, Query},
    rr::{DNSClass, Name, RecordType},
};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use crate::framing;

/// Asks with hickory's client over UDP.
pub(crate) async fn hickory(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let stream = UdpClientStream::builder(server, TokioRuntimeProvider::default()).with_timeout(Some(HANG)).build();
    let (mut client, background) = Client::<TokioRuntimeProvider>::from_sender(stream);
    let background = tokio::spawn(background);
    let response = client.query(Name::from_ascii(name).unwrap(), DNSClass::IN, kind).await.unwrap();
    background.abort();
    response.into()
}

/// Asks with hickory's client over TCP.
pub(crate) async fn hickory_tcp(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let (stream, handle) = TcpClientStream::new(server, None, Some(HANG), TokioRuntimeProvider::default());
    let (mut client, background) = Client::<TokioRuntimeProvider>::new(stream.await.unwrap(), handle);
    let background = tokio::spawn(background);
    let response = client.query(Name::from_ascii(name).unwrap(), DNSClass::IN, kind).await.unwrap();
    background.abort();
    response.into()
}

/// Asks for addresses with a plain socket.
pub(crate) async fn ask(server: SocketAddr, name: &str) -> Message {
    exchange(server, &question(name, RecordType::A)).await
}

/// Sends this message and returns what comes back.
pub(crate) async fn exchange(server: SocketAddr, message: &Message) -> Message {
    let bytes = send(server, &message.to_vec().unwrap()).await;
    Message::from_vec(&bytes).unwrap()
}

/// Sends these bytes and returns what comes back.
pub(crate) async fn send(server: SocketAddr, packet: &[u8]) -> Vec<u8> {
    let socket = connect(server).await;
    socket.send(packet).await.unwrap();
    receive(&socket).await
}

pub(crate) async fn connect(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    socket.connect(server).await.unwrap();
    socket
}

pub(crate) async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65536];
    let length = timeout(HANG, socket.recv(&mut buffer)).await.expect("an answer").unwrap();
    buffer.truncate(length);
    buffer
}

/// Sends this message over TCP and returns what comes back.
pub(crate) async fn exchange_tcp(server: SocketAddr, message: &Message) -> Message {
    let mut stream = TcpStream::connect(server).await.unwrap();
    framing::write(&mut stream, &message.to_vec().unwrap()).await.unwrap();
    let mut reader = framing::Reader::new(stream);
    Message::from_vec(&timeout(HANG, reader.next()).await.expect("an answer").unwrap()).unwrap()
}

/// Makes a question with a random id.
pub(crate) fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

/// Returns the TTLs of the answer section.
pub(crate) fn ttls(message: &Message) -> Vec<u32> {
    message.answers.iter().map(|record| record.ttl).collect()
}

/// Waits until `condition` holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(HANG, wait).await.expect("the condition comes true");
}

/// Returns the code that explains an answer (RFC 8914), which is the last thing in it.
pub(crate) fn explained(answer: &[u8]) -> Option<u16> {
    let (option, code) = answer.split_last_chunk::<2>()?;
    option.ends_with(&[0, 6, 0, 15, 0, 2]).then(|| u16::from_be_bytes(*code))
}

/// So long that only what hangs takes it.
pub(crate) const HANG: Duration = Duration::from_secs(30);
