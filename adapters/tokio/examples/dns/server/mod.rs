//! Sockets in front of a [`Service`]: UDP and TCP on one address.

mod tcp;
mod udp;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use tokio::task::JoinSet;

/// What answers packets; the forwarder is one, the demonstration's upstream another.
pub(crate) trait Service: Send + Sync + 'static {
    /// Returns the packet to send back, or none to stay silent.
    fn answer(&self, packet: &[u8], over: Transport) -> impl Future<Output = Option<Vec<u8>>> + Send;
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
    _tasks: JoinSet<()>,
}

impl Server {
    /// Starts to serve `service` on `address`, with this many UDP sockets.
    ///
    /// Port 0 takes a free one, the same for UDP and TCP.
    pub(crate) async fn bind(address: SocketAddr, workers: usize, service: Arc<impl Service>) -> io::Result<Self> {
        let (address, first, listener) = bind_pair(address)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(udp::serve(first, Arc::clone(&service)));
        for _ in 1..udp::useful_workers(workers) {
            tasks.spawn(udp::serve(udp::bind(address)?, Arc::clone(&service)));
        }
        tasks.spawn(tcp::serve(listener, service));
        Ok(Self { address, _tasks: tasks })
    }

    /// Returns where it can be reached.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Binds UDP and TCP to one port; tries again if a free UDP port is taken for TCP.
fn bind_pair(wanted: SocketAddr) -> io::Result<(SocketAddr, tokio::net::UdpSocket, tokio::net::TcpListener)> {
    let mut tries = if wanted.port() == 0 { 10 } else { 1 };
    loop {
        tries -= 1;
        let socket = udp::bind(wanted)?;
        let address = socket.local_addr()?;
        match tcp::bind(address) {
            Ok(listener) => return Ok((address, socket, listener)),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => {}
        }
    }
}
