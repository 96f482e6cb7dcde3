//! UDP: one socket for each worker, and the kernel spreads the clients over them.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio::{
    io::Interest,
    net::UdpSocket,
    sync::{Semaphore, watch},
};

use super::{AtHand, Client, Service, Transport, closed};

/// Returns how many sockets can share one port here.
pub(super) fn useful_workers(wanted: usize) -> usize {
    if cfg!(unix) { wanted.max(1) } else { 1 }
}

/// A socket that tells at which of this machine's addresses it was asked.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UdpSocket,
    state: UdpSocketState,
    /// Whether it has several addresses, of which one has to be chosen to answer from.
    is_anywhere: bool,
}

/// Whom to answer, and from where.
#[derive(Clone, Copy, Debug)]
struct Way {
    client: SocketAddr,
    from: Option<IpAddr>,
}

impl Socket {
    /// Binds a socket that shares its port with the other workers' sockets.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = RawSocket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        // Room for a burst; the system may grant less, and less still works.
        let _ = socket.set_recv_buffer_size(1 << 20);
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let state = UdpSocketState::new((&socket).into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        Ok(Self { socket, state, is_anywhere: address.ip().is_unspecified() })
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Waits for packets, and takes those that there are.
    async fn receive(&self, buffers: &mut [u8], about: &mut [RecvMeta]) -> io::Result<usize> {
        self.socket
            .async_io(Interest::READABLE, || {
                let mut rest = buffers.chunks_exact_mut(PACKETS);
                let mut slices: [IoSliceMut<'_>; BATCH] =
                    std::array::from_fn(|_| IoSliceMut::new(rest.next().unwrap_or_default()));
                self.state.recv((&self.socket).into(), &mut slices, about)
            })
            .await
    }

    async fn send(&self, packet: &[u8], way: Way) {
        let transmit =
            Transmit { destination: way.client, ecn: None, contents: packet, segment_size: None, src_ip: way.from };
        let send = || self.state.try_send((&self.socket).into(), &transmit);
        let sent = self.socket.try_io(Interest::WRITABLE, send);
        if sent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            // A client that has gone away misses nothing.
            let _ = self.socket.async_io(Interest::WRITABLE, send).await;
        }
    }
}

/// Answers what comes in until no more is to be taken, and returns when all is answered.
///
/// What is at hand is answered at once; what is not, each in a task of its own: one slow answer delays no other.
pub(super) async fn serve(socket: Socket, service: Arc<impl Service>, mut close: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(IN_FLIGHT));
    let worker = Worker { socket: Arc::new(socket), service, places: Arc::clone(&places) };
    tokio::select! {
        () = worker.answer_all() => {}
        () = closed(&mut close) => {}
    }
    let _ = places.acquire_many(IN_FLIGHT as u32).await;
}

struct Worker<S> {
    socket: Arc<Socket>,
    service: Arc<S>,
    places: Arc<Semaphore>,
}

impl<S: Service> Worker<S> {
    async fn answer_all(&self) {
        let mut buffers = vec![0; BATCH * PACKETS];
        let mut about = [RecvMeta::default(); BATCH];
        let mut out = Vec::with_capacity(PACKETS);
        loop {
            let Ok(received) = self.socket.receive(&mut buffers, &mut about).await else {
                // Some systems report here that an earlier answer met a closed port: no reason to stop, nor to spin.
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            };
            for (buffer, about) in buffers.chunks_exact(PACKETS).zip(&about).take(received) {
                let way = Way { client: about.addr, from: about.dst_ip.filter(|_| self.socket.is_anywhere) };
                // The system may hand over several packets of one client as one piece.
                let packets = buffer[..about.len].chunks(about.stride.max(1));
                for packet in packets.chain((about.len == 0).then_some(&[][..])) {
                    self.answer(packet, way, &mut out).await;
                }
            }
        }
    }

    async fn answer(&self, packet: &[u8], way: Way, out: &mut Vec<u8>) {
        let client = Client { ip: way.client.ip(), over: Transport::Udp };
        match self.service.answer_at_hand(packet, client, out) {
            AtHand::Answer => self.socket.send(out, way).await,
            AtHand::Silence => {}
            AtHand::Wait => self.answer_later(packet.into(), way, client),
        }
    }

    fn answer_later(&self, packet: Box<[u8]>, way: Way, client: Client) {
        // When overrun, drop the packet: its client asks again, and by then the answer may be there.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let (socket, service) = (Arc::clone(&self.socket), Arc::clone(&self.service));
        tokio::spawn(async move {
            if let Some(answer) = service.answer(&packet, client).await {
                socket.send(&answer, way).await;
            }
            drop(place);
        });
    }
}

/// Questions a worker holds at a time.
const IN_FLIGHT: usize = 10_000;

/// How many pieces are taken at a time.
const BATCH: usize = 16;

/// The longest piece: several packets of one client, each far shorter.
const PACKETS: usize = 1 << 16;
