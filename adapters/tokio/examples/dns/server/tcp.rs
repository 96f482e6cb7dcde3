//! TCP: for answers that do not fit a UDP packet.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    super::framing,
    AtHand, Client, Service, Transport, closed,
    connections::{Admission, Connections, Limits},
};

/// Binds the listening socket.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server gets its port back at once.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves each connection in a task of its own; returns when no more are to be taken and all have ended.
pub(super) async fn serve(
    listener: TcpListener,
    service: Arc<impl Service>,
    limits: Limits,
    mut close: watch::Receiver<bool>,
) {
    let book = Arc::new(Mutex::new(Connections::new(limits)));
    let mut running: HashMap<u64, AbortHandle> = HashMap::new();
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = tasks.join_next() => {
                if let Ok(number) = ended {
                    running.remove(&number);
                }
                continue;
            }
            () = closed(&mut close) => break,
        };
        let Ok((stream, client)) = accepted else {
            // Out of file descriptors, most likely: those in use come back.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let Admission::Kept { number, instead_of } = lock(&book).admit(client.ip().to_canonical()) else {
            continue;
        };
        if let Some(idle) = instead_of.and_then(|idle| running.remove(&idle)) {
            idle.abort();
        }
        let client = Client { ip: client.ip(), over: Transport::Tcp };
        let talk = Talk { client, number, book: Arc::clone(&book), service: Arc::clone(&service) };
        let close = close.clone();
        let task = tasks.spawn(async move {
            let _ = talk.converse(stream, close).await;
            talk.number
        });
        running.insert(number, task);
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

/// One connection.
struct Talk<S> {
    client: Client,
    number: u64,
    book: Arc<Mutex<Connections>>,
    service: Arc<S>,
}

impl<S: Service> Talk<S> {
    /// Answers one client's questions as the answers come, until it leaves, stays idle or sends what deserves silence.
    async fn converse(&self, stream: TcpStream, mut close: watch::Receiver<bool>) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let (read, mut write) = stream.into_split();
        let mut reader = framing::Reader::new(read);
        let mut answers = JoinSet::new();
        let mut is_open = true;
        while is_open || !answers.is_empty() {
            tokio::select! {
                packet = timeout(IDLE, reader.next()), if is_open && answers.len() < PIPELINE => match packet {
                    Ok(Ok(packet)) => {
                        lock(&self.book).asked(self.number);
                        answers.spawn(answer(Arc::clone(&self.service), packet, self.client));
                    }
                    // What was asked is answered all the same.
                    Ok(Err(_)) => is_open = false,
                    Err(_) => is_open = !answers.is_empty(),
                },
                Some(answer) = answers.join_next() => {
                    lock(&self.book).answered(self.number);
                    match answer {
                        Ok(Some(answer)) => timeout(IDLE, framing::write(&mut write, &answer)).await??,
                        _ => is_open = false,
                    }
                }
                () = closed(&mut close), if is_open => is_open = false,
            }
        }
        Ok(())
    }
}

impl<S> Drop for Talk<S> {
    fn drop(&mut self) {
        lock(&self.book).ended(self.number);
    }
}

async fn answer(service: Arc<impl Service>, packet: Vec<u8>, client: Client) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match service.answer_at_hand(&packet, client, &mut out) {
        AtHand::Answer => Some(out),
        AtHand::Silence => None,
        AtHand::Wait => service.answer(&packet, client).await,
    }
}

fn lock(book: &Mutex<Connections>) -> MutexGuard<'_, Connections> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Half of the files that the system lets this process have; the others are for asking.
pub(super) fn limits() -> Limits {
    #[cfg(unix)]
    let files = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)
        .map_or(CONNECTIONS, |(files, _)| usize::try_from(files).unwrap_or(usize::MAX) / 2);
    #[cfg(not(unix))]
    let files = CONNECTIONS;
    let all = files.clamp(1, CONNECTIONS);
    Limits { all, each: all.div_ceil(2) }
}

const BACKLOG: i32 = 1024;
const CONNECTIONS: usize = 1000;

/// Questions of one connection that are under way at a time.
const PIPELINE: usize = 128;
const IDLE: Duration = Duration::from_secs(10);
