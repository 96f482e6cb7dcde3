//! UDP: one socket for each worker, and the kernel spreads the clients over them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::UdpSocket, sync::Semaphore};

use super::{Service, Transport};

/// Returns how many sockets can share one port here.
pub(crate) fn useful_workers(wanted: usize) -> usize {
    if cfg!(unix) { wanted.max(1) } else { 1 }
}

/// Binds a socket that shares its port with the other workers' sockets.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    // Room for a burst; the system may grant less, and less still works.
    let _ = socket.set_recv_buffer_size(1 << 20);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Answers what comes in, each packet in a task of its own: one slow answer delays no other.
pub(crate) async fn serve(socket: UdpSocket, service: Arc<impl Service>) {
    let socket = Arc::new(socket);
    let places = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut buffer = [0; PACKET];
    loop {
        let (length, client) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(_) => {
                // Some systems report here that an earlier answer met a closed port: no reason to stop, nor to spin.
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
        };
        // When overrun, drop the packet: its client asks again, and by then the answer may be there.
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let packet = buffer[..length].to_vec();
        let (socket, service) = (Arc::clone(&socket), Arc::clone(&service));
        tokio::spawn(async move {
            if let Some(answer) = service.answer(&packet, Transport::Udp).await {
                // A client that has gone away misses nothing.
                let _ = socket.send_to(&answer, client).await;
            }
            drop(place);
        });
    }
}

/// Questions a worker holds at a time.
const IN_FLIGHT: usize = 10_000;

/// Longest packet read; a question is far shorter.
const PACKET: usize = 4096;
