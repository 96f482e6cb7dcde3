//! Several addresses to be asked at, and several upstreams to ask.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RecordType,
};
use tokio::{net::UdpSocket, time::Instant};

use crate::{
    allow::{Network, Networks},
    asking::{ask, question, receive, ttls, until},
    forwarder::{Forwarder, Settings},
    scripted::{LOOPBACK, Reply, Scripted, Setup, addresses, as_by_default, at_once, pass, patient, reply_to},
    server::{Server, Transport},
    upstream::Patience,
};

const NAME: &str = "www.example.test.";

/// Asks from a socket that hears nothing but the address that it asked.
async fn answers_from(address: SocketAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await.unwrap();
    socket.connect(address).await.unwrap();
    socket.send(&question(NAME, RecordType::A).to_vec().unwrap()).await.unwrap();
    Message::from_vec(&receive(&socket).await).unwrap().answers.len() == 1
}

/// C125: a server at all addresses answers from the one that was asked.
#[cfg(unix)]
#[tokio::test]
async fn c125_answers_come_from_the_address_that_was_asked() {
    let setup = Setup::new(patient(), at_once(|question| Some(addresses(question, &[300])))).await;
    let server = Server::bind((Ipv4Addr::UNSPECIFIED, 0).into(), 2, Arc::clone(&setup.forwarder)).await.unwrap();
    let port = server.address().port();
    for last in [1, 2, 77] {
        assert!(answers_from((Ipv4Addr::new(127, 0, 0, last), port).into()).await);
    }
    let Ok(server) = Server::bind((Ipv6Addr::UNSPECIFIED, 0).into(), 2, Arc::clone(&setup.forwarder)).await else {
        eprintln!("no IPv6 here: not tried");
        return;
    };
    let port = server.address().port();
    assert!(answers_from((Ipv4Addr::new(127, 0, 0, 2), port).into()).await);
    if UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok() {
        assert!(answers_from((Ipv6Addr::LOCALHOST, port).into()).await);
    }
}

/// Starts an upstream that answers, while it works, with this TTL.
async fn upstream(ttl: u32, works: &Arc<AtomicBool>) -> (Arc<Scripted<impl Sized>>, Server) {
    let works = Arc::clone(works);
    let script = Scripted::new(at_once(move |question| works.load(Relaxed).then(|| addresses(question, &[ttl]))));
    let script = Arc::new(script);
    let server = Server::bind(LOOPBACK, 1, Arc::clone(&script)).await.unwrap();
    (script, server)
}

/// The second upstream is asked where the first is silent, first of all after a while, and no more when that is back.
#[tokio::test]
async fn another_upstream_where_the_first_is_silent() {
    let works = Arc::new(AtomicBool::new(false));
    let (first, one) = upstream(100, &works).await;
    let (_, two) = upstream(200, &Arc::new(AtomicBool::new(true))).await;
    let patience = Patience { tries: 4, try_timeout: Duration::from_millis(20) };
    let settings = Settings { patience, ..patient() };
    let forwarder = Arc::new(Forwarder::new(&[one.address(), two.address()], settings).unwrap());
    let server = Server::bind(LOOPBACK, 1, Arc::clone(&forwarder)).await.unwrap();
    for number in 0..20 {
        assert_eq!(ttls(&ask(server.address(), &format!("h{number}.{NAME}")).await), [200]);
    }
    let asked = first.asked();
    assert!((5..15).contains(&asked), "asked {asked} times");
    works.store(true, Relaxed);
    pass(Duration::from_secs(2)).await;
    ask(server.address(), &format!("back.{NAME}")).await;
    until(|| !forwarder.statistics().to_string().contains("silent")).await;
    assert_eq!(ttls(&ask(server.address(), NAME).await), [100]);
}

/// How an upstream over TCP is asked in vain: it is silent there, though it answers over UDP that the rest is to be had so.
fn cut(question: Message, over: Transport) -> Reply {
    Box::pin(async move {
        match over {
            Transport::Udp => Some(reply_to(&question, ResponseCode::NoError).truncate()),
            Transport::Tcp => std::future::pending().await,
        }
    })
}

/// Another upstream is asked where the first says that its answer is to be had over TCP, and that goes nowhere; and first of
/// all after a while.
#[tokio::test]
async fn another_upstream_where_the_first_is_silent_over_tcp() {
    let first = Setup::new(patient(), cut).await;
    let (_, two) = upstream(200, &Arc::new(AtomicBool::new(true))).await;
    let patience = Patience { tries: 4, try_timeout: Duration::from_millis(20) };
    let settings = Settings { patience, ..patient() };
    let forwarder = Arc::new(Forwarder::new(&[first.upstream_address(), two.address()], settings).unwrap());
    let server = Server::bind(LOOPBACK, 1, Arc::clone(&forwarder)).await.unwrap();
    for number in 0..10 {
        let begun = Instant::now();
        assert_eq!(ttls(&ask(server.address(), &format!("h{number}.{NAME}")).await), [200]);
        // (It is given up after four seconds.)
        assert!(begun.elapsed() < Duration::from_secs(4) / 5, "{:?}", begun.elapsed());
    }
    let statistics = forwarder.statistics().to_string();
    assert!(statistics.contains("silent"), "{statistics}");
}

/// A server that is asked over TCP is not asked again meanwhile.
#[tokio::test]
async fn a_slow_answer_over_tcp_is_one() {
    let script = |question: Message, over| -> Reply {
        Box::pin(async move {
            if over == Transport::Udp {
                return Some(reply_to(&question, ResponseCode::NoError).truncate());
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
            Some(addresses(&question, &[300]))
        })
    };
    let slow = Setup::new(patient(), script).await;
    let patience = Patience { tries: 3, try_timeout: Duration::from_millis(20) };
    let forwarder = Forwarder::new(&[slow.upstream_address()], Settings { patience, ..patient() }).unwrap();
    let server = Server::bind(LOOPBACK, 1, Arc::new(forwarder)).await.unwrap();
    assert_eq!(ttls(&ask(server.address(), NAME).await), [300]);
    assert_eq!(slow.upstream.asked(), 2, "over UDP and over TCP");
}

/// The second upstream is asked at once where the first says that it cannot help.
#[tokio::test]
async fn another_upstream_where_the_first_fails() {
    let setup = Setup::new(patient(), at_once(|question| Some(reply_to(question, ResponseCode::ServFail)))).await;
    let nowhere = std::net::UdpSocket::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let (_, works) = upstream(300, &Arc::new(AtomicBool::new(true))).await;
    let upstreams = [nowhere, setup.upstream_address(), works.address()];
    // (With the patience of 60 seconds for a try, waiting would show.)
    let settings = Settings { patience: Patience { tries: 4, ..patient().patience }, ..patient() };
    let forwarder = Arc::new(Forwarder::new(&upstreams, settings).unwrap());
    let server = Server::bind(LOOPBACK, 1, Arc::clone(&forwarder)).await.unwrap();
    assert_eq!(ttls(&ask(server.address(), NAME).await), [300]);
    assert_eq!(forwarder.report().upstream, 3);
}

/// What was asked before is waited for, though the one that was asked last says that it cannot help.
#[tokio::test]
async fn the_last_no_is_not_the_end() {
    let script = |question: Message, _| -> Reply {
        Box::pin(async move {
            // Real time, as that of the sockets is. Nothing tells when the other's no has arrived, so this is long after it;
            // were it not, the test would pass all the same.
            tokio::time::sleep(Duration::from_millis(300)).await;
            Some(addresses(&question, &[300]))
        })
    };
    let slow = Setup::new(patient(), script).await;
    let fails = Setup::new(patient(), at_once(|question| Some(reply_to(question, ResponseCode::ServFail)))).await;
    let patience = Patience { tries: 2, try_timeout: Duration::from_millis(20) };
    let settings = Settings { patience, ..patient() };
    let upstreams = [slow.upstream_address(), fails.upstream_address()];
    let forwarder = Arc::new(Forwarder::new(&upstreams, settings).unwrap());
    let server = Server::bind(LOOPBACK, 1, Arc::clone(&forwarder)).await.unwrap();
    assert_eq!(ttls(&ask(server.address(), NAME).await), [300]);
    assert_eq!(forwarder.report().upstream, 2);
}

/// Only those are answered that may ask.
#[tokio::test]
async fn strangers_are_refused() {
    let allow = Networks::new(vec!["127.0.0.2".parse().unwrap()]);
    let script = at_once(|question: &Message| Some(addresses(question, &[300])));
    let setup = Setup::new(Settings { allow, ..as_by_default() }, script).await;
    assert_eq!(ask(setup.address(), NAME).await.metadata.response_code, ResponseCode::Refused);
    let friend = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).await.unwrap();
    friend.connect(setup.address()).await.unwrap();
    friend.send(&question(NAME, RecordType::A).to_vec().unwrap()).await.unwrap();
    assert_eq!(Message::from_vec(&receive(&friend).await).unwrap().answers.len(), 1);
    let report = setup.forwarder.report();
    assert_eq!((report.refused, report.upstream), (1, 1));
}

/// Networks are read with their bits, and IPv4 is the same when it comes mapped into IPv6.
#[test]
fn networks() {
    let near = Networks::default();
    for ip in ["127.9.9.9", "10.1.2.3", "172.31.0.1", "192.168.1.1", "::1", "fd00::7", "fe80::1", "::ffff:10.1.2.3"] {
        assert!(near.contains(ip.parse().unwrap()), "{ip}");
    }
    for ip in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "::2"] {
        assert!(!near.contains(ip.parse().unwrap()), "{ip}");
    }
    let all = Networks::new(vec!["0.0.0.0/0".parse().unwrap()]);
    assert!(all.contains("8.8.8.8".parse().unwrap()) && !all.contains("2001:db8::1".parse().unwrap()));
    for bad in ["10.0.0.0/33", "::/129", "10.0.0.0/x", "ten", "10.0.0.0/-1"] {
        assert!(bad.parse::<Network>().is_err(), "{bad}");
    }
}
