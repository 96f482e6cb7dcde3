//! TCP: for answers that do not fit a UDP packet.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};

use super::{super::framing, Service, Transport};

/// Binds the listening socket.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server gets its port back at once.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves each connection in a task of its own; all end with the server.
pub(crate) async fn serve(listener: TcpListener, service: Arc<impl Service>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    // The semaphore is never closed: the loop ends with its task.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: those in use come back.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let service = Arc::clone(&service);
        connections.spawn(async move {
            let _ = converse(stream, service).await;
            drop(place);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Answers one client's questions in their order until it leaves, stays idle or sends what deserves silence.
async fn converse(mut stream: TcpStream, service: Arc<impl Service>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let packet = timeout(IDLE, framing::read(&mut stream)).await??;
        let Some(answer) = service.answer(&packet, Transport::Tcp).await else {
            return Ok(());
        };
        timeout(IDLE, framing::write(&mut stream, &answer)).await??;
    }
}

const BACKLOG: i32 = 1024;
const CONNECTIONS: usize = 1000;
const IDLE: Duration = Duration::from_secs(10);
