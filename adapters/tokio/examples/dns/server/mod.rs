//! Sockets in front of a [`Service`]: UDP and TCP on one address.

pub(crate) mod connections;
mod tcp;
mod udp;

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet, time::timeout};

use self::connections::Limits;

/// What answers packets; the forwarder is one, the demonstration's upstream another.
pub(crate) trait Service: Send + Sync + 'static {
    /// Writes the packet to send back, if it is at hand; else it has to be waited for.
    fn answer_at_hand(&self, _packet: &[u8], _client: Client, _out: &mut Vec<u8>) -> AtHand {
        AtHand::Wait
    }

    /// Returns the packet to send back, or none to stay silent.
    fn answer(&self, packet: &[u8], client: Client) -> impl Future<Output = Option<Vec<u8>>> + Send;
}

/// What there is to say without waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AtHand {
    /// When the answer was written.
    Answer,
    /// When there is none to be given.
    Silence,
    /// When it has to be waited for.
    Wait,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) ip: IpAddr,
    pub(crate) over: Transport,
}

/// How a packet came; its answer goes back the same way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transport {
    Tcp,
    Udp,
}

/// A running server; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    tasks: JoinSet<()>,
    closing: watch::Sender<bool>,
}

impl Server {
    /// Starts to serve `service` on `address`, with this many UDP sockets.
    ///
    /// Port 0 takes a free one, the same for UDP and TCP.
    pub(crate) async fn bind(address: SocketAddr, workers: usize, service: Arc<impl Service>) -> io::Result<Self> {
        Self::bind_limited(address, workers, service, tcp::limits()).await
    }

    /// The same, with so many TCP connections.
    pub(crate) async fn bind_limited(
        address: SocketAddr,
        workers: usize,
        service: Arc<impl Service>,
        limits: Limits,
    ) -> io::Result<Self> {
        let (address, first, listener) = bind_pair(address)?;
        let (closing, close) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(udp::serve(first, Arc::clone(&service), close.clone()));
        for _ in 1..udp::useful_workers(workers) {
            tasks.spawn(udp::serve(udp::Socket::bind(address)?, Arc::clone(&service), close.clone()));
        }
        tasks.spawn(tcp::serve(listener, service, limits, close));
        Ok(Self { address, tasks, closing })
    }

    /// Returns where it can be reached.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more questions, and returns when those under way are answered, or after so long.
    pub(crate) async fn close(mut self, patience: Duration) {
        self.closing.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // What is not answered by then never is.
        let _ = timeout(patience, ended).await;
    }
}

/// Waits until no more questions are to be taken.
async fn closed(close: &mut watch::Receiver<bool>) {
    // A server that was dropped takes none, either.
    let _ = close.wait_for(|closing| *closing).await;
}

/// Binds UDP and TCP to one port; tries again if a free UDP port is taken for TCP.
fn bind_pair(wanted: SocketAddr) -> io::Result<(SocketAddr, udp::Socket, tokio::net::TcpListener)> {
    let mut tries = if wanted.port() == 0 { 10 } else { 1 };
    loop {
        tries -= 1;
        let socket = udp::Socket::bind(wanted)?;
        let address = socket.address()?;
        match tcp::bind(address) {
            Ok(listener) => return Ok((address, socket, listener)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}
