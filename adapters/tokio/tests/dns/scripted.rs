//! An upstream that does what a test says, with a forwarder in front of it.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record,
        rdata::{A, SOA},
    },
};
use tokio::sync::Semaphore;

use crate::{
    allow::Networks,
    cache::CacheSettings,
    forwarder::{Forwarder, Settings},
    options,
    report::Holdings,
    server::{Client, Server, Service, Transport},
    upstream::Patience,
    wire::UDP_PAYLOAD,
};

/// What a script gives: a reply in time, or none.
pub(crate) type Reply = Pin<Box<dyn Future<Output = Option<Message>> + Send>>;

/// The upstream: counts what it is asked and answers by its script.
pub(crate) struct Scripted<F> {
    script: F,
    asked: AtomicU64,
}

impl<F> Scripted<F> {
    pub(crate) fn new(script: F) -> Self {
        Self { script, asked: AtomicU64::new(0) }
    }

    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Relaxed)
    }
}

impl<F: Fn(Message, Transport) -> Reply + Send + Sync + 'static> Service for Scripted<F> {
    async fn answer(&self, packet: &[u8], client: Client) -> Option<Vec<u8>> {
        let over = client.over;
        self.asked.fetch_add(1, Relaxed);
        let question = Message::from_vec(packet).expect("the forwarder sends good questions");
        let reply = (self.script)(question, over).await?;
        let bytes = reply.to_vec().expect("scripted replies can be written");
        // Like any server it sends no more than it was told it may.
        let fits = over == Transport::Tcp || bytes.len() <= usize::from(UDP_PAYLOAD);
        Some(if fits { bytes } else { reply.truncate().to_vec().unwrap() })
    }
}

/// A forwarder and its upstream, both running.
pub(crate) struct Setup<F> {
    pub(crate) forwarder: Arc<Forwarder>,
    pub(crate) server: Server,
    pub(crate) upstream: Arc<Scripted<F>>,
    upstream_server: Server,
}

impl<F: Fn(Message, Transport) -> Reply + Send + Sync + 'static> Setup<F> {
    pub(crate) async fn new(settings: Settings, script: F) -> Self {
        let upstream = Arc::new(Scripted::new(script));
        let upstream_server = Server::bind(LOOPBACK, 1, Arc::clone(&upstream)).await.unwrap();
        let (forwarder, server) = start(upstream_server.address(), settings).await;
        Self { forwarder, server, upstream, upstream_server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn holdings(&self) -> Holdings {
        self.forwarder.holdings().unwrap()
    }

    pub(crate) fn upstream_address(&self) -> SocketAddr {
        self.upstream_server.address()
    }
}

/// Starts a forwarder.
pub(crate) async fn start(upstream: SocketAddr, settings: Settings) -> (Arc<Forwarder>, Server) {
    let forwarder = Arc::new(Forwarder::new(&[upstream], settings).unwrap());
    let server = Server::bind(LOOPBACK, 2, Arc::clone(&forwarder)).await.unwrap();
    (forwarder, server)
}

/// Settings for an upstream that answers: so patient that only a hang would show.
pub(crate) fn patient() -> Settings {
    Settings {
        client_timeout: Duration::from_secs(60),
        cache: Some(CacheSettings::default()),
        patience: Patience { tries: 1, try_timeout: Duration::from_secs(60) },
        max_open: 10_000,
        allow: Networks::default(),
    }
}

/// The settings that the program has if nothing is said.
pub(crate) fn as_by_default() -> Settings {
    let arguments = ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:0"].map(Into::into);
    match options::parse(arguments) {
        Ok(options::Command::Serve(_, settings)) => settings,
        other => panic!("{other:?}"),
    }
}

/// Turns a plain function into a script.
pub(crate) fn at_once<G>(answer: G) -> impl Fn(Message, Transport) -> Reply + Send + Sync + 'static
where
    G: Fn(&Message) -> Option<Message> + Send + Sync + 'static,
{
    move |question, _| {
        let reply = answer(&question);
        Box::pin(async move { reply })
    }
}

/// A script that gives an address of this TTL; where `waits` says so it takes a permit of the gate, and waits for one.
pub(crate) fn gated(
    gate: &Arc<Semaphore>,
    ttl: u32,
    waits: fn(&Message) -> bool,
) -> impl Fn(Message, Transport) -> Reply + Send + Sync + 'static {
    let gate = Arc::clone(gate);
    move |question, _| {
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            if waits(&question) {
                gate.acquire().await.unwrap().forget();
            }
            Some(addresses(&question, &[ttl]))
        })
    }
}

/// Tells whether a question is for a name that is slow.
pub(crate) fn is_slow(question: &Message) -> bool {
    question.queries[0].name.to_ascii().starts_with("slow")
}

/// Begins the reply to a question.
pub(crate) fn reply_to(question: &Message, code: ResponseCode) -> Message {
    let mut reply = Message::response(question.metadata.id, OpCode::Query);
    reply.metadata.response_code = code;
    reply.add_queries(question.queries.iter().cloned());
    reply
}

/// Makes a reply with one address for each of these TTLs.
pub(crate) fn addresses(question: &Message, ttls: &[u32]) -> Message {
    let mut reply = reply_to(question, ResponseCode::NoError);
    for (host, ttl) in ttls.iter().enumerate() {
        let address = Ipv4Addr::from_bits(Ipv4Addr::new(192, 0, 2, 1).to_bits() + u32::try_from(host).unwrap());
        reply.add_answer(Record::from_rdata(question.queries[0].name.clone(), *ttl, RData::A(A(address))));
    }
    reply
}

/// Makes a denial, with an SOA of this TTL and minimum or without one.
pub(crate) fn denial(question: &Message, code: ResponseCode, soa: Option<(u32, u32)>) -> Message {
    let mut reply = reply_to(question, code);
    if let Some((ttl, minimum)) = soa {
        let origin = Name::from_ascii("example.test.").unwrap();
        let data = SOA::new(origin.clone(), origin.clone(), 1, 3600, 600, 86400, minimum);
        reply.add_authority(Record::from_rdata(origin, ttl, RData::SOA(data)));
    }
    reply
}

/// Moves tokio's clock forward; real time, and with it the sockets, goes on afterwards.
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Any free port.
pub(crate) const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
