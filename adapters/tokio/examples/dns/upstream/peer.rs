//! One upstream: its address, its ports and its health.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};

use super::{
    super::{framing, question::Question, wire::RESPONSE},
    health::Health,
    port::Port,
};

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    ports: Mutex<Vec<Option<Arc<Port>>>>,
    health: Mutex<Health>,
}

impl Peer {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, ports: Mutex::new(vec![None; PORTS]), health: Mutex::default() }
    }

    /// Picks a port at random, and opens it if need be.
    ///
    /// Where the system gives none, one of the others does.
    pub(super) fn port(&self) -> io::Result<Arc<Port>> {
        let place = rand::random_range(..PORTS);
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(port) = ports[place].as_ref().filter(|port| !port.is_worn()) {
            return Ok(Arc::clone(port));
        }
        match Port::open(self.address) {
            Ok(port) => Ok(Arc::clone(ports[place].insert(port))),
            Err(error) => ports.iter().flatten().next().cloned().ok_or(error),
        }
    }

    /// Reads or changes what is known of its health.
    pub(super) fn health<T>(&self, act: impl FnOnce(&mut Health) -> T) -> T {
        act(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks over TCP, where a reply over UDP was cut.
    pub(super) async fn ask_tcp(&self, question: Question<'_>, edns: bool) -> io::Result<Vec<u8>> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            let id: u16 = rand::random();
            framing::write(&mut stream, &question.packet(id, edns)).await?;
            let mut reader = framing::Reader::new(stream);
            loop {
                let reply = reader.next().await?;
                let is_reply = reply.get(2).is_some_and(|flags| flags & RESPONSE != 0);
                if is_reply && reply.starts_with(&id.to_be_bytes()) && question.is_repeated_by(&reply) {
                    return Ok(reply);
                }
            }
        };
        timeout(TCP_PATIENCE, exchange).await?
    }
}

/// Sockets to one upstream: who wants to slip in a false answer has to guess one of their ports, and the id.
const PORTS: usize = 64;

/// A connection that takes longer is of no use to any client.
const TCP_PATIENCE: Duration = Duration::from_secs(4);
