//! One socket to an upstream, shared by many questions.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    net::UdpSocket,
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, sleep},
};

use super::{
    super::{
        question::Question,
        wire::{CODE, HEADER, RESPONSE, number},
    },
    UpstreamError,
};

/// A socket that only its upstream can send to, and the questions that are under way on it.
#[derive(Debug)]
pub(super) struct Port {
    shared: Arc<Shared>,
    reader: AbortHandle,
    asked: AtomicU32,
}

#[derive(Debug)]
struct Shared {
    socket: UdpSocket,
    open: Mutex<HashMap<u16, Open>>,
}

/// A question that waits for its reply.
#[derive(Debug)]
struct Open {
    question: Arc<[u8]>,
    sent: Instant,
    upstream: usize,
    arrivals: mpsc::Sender<Arrival>,
}

/// What came of a try.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) upstream: usize,
    /// The reply and how long it took, or why there will be none.
    pub(super) reply: Result<(Vec<u8>, Duration), UpstreamError>,
}

/// A try that is under way; dropping it forgets the question.
#[derive(Debug)]
pub(super) struct Try {
    port: Arc<Port>,
    id: u16,
    question: Arc<[u8]>,
}

impl Port {
    /// Opens a socket: the system picks a free port at random, and drops what others send there.
    pub(super) fn open(upstream: SocketAddr) -> io::Result<Arc<Self>> {
        let any: SocketAddr = match upstream {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = std::net::UdpSocket::bind(any)?;
        socket.connect(upstream)?;
        socket.set_nonblocking(true)?;
        let shared = Arc::new(Shared { socket: UdpSocket::from_std(socket)?, open: Mutex::default() });
        let reader = tokio::spawn(read(Arc::clone(&shared))).abort_handle();
        Ok(Arc::new(Self { shared, reader, asked: AtomicU32::new(0) }))
    }

    /// Tells whether it has been in use for so long that another port would be harder to guess.
    pub(super) fn is_worn(&self) -> bool {
        self.asked.load(Relaxed) >= QUESTIONS
    }

    /// Sends a question under an id that cannot be guessed.
    pub(super) async fn ask(
        self: &Arc<Self>,
        question: &Arc<[u8]>,
        edns: bool,
        upstream: usize,
        arrivals: &mpsc::Sender<Arrival>,
    ) -> io::Result<Try> {
        self.asked.fetch_add(1, Relaxed);
        let open = Open { question: Arc::clone(question), sent: Instant::now(), upstream, arrivals: arrivals.clone() };
        let id = self.shared.register(open).ok_or(io::ErrorKind::ResourceBusy)?;
        let asked = Try { port: Arc::clone(self), id, question: Arc::clone(question) };
        let packet = Question(question).packet(id, edns);
        if self.shared.socket.send(&packet).await.is_err() {
            // An error of an earlier question may come out here, once.
            self.shared.socket.send(&packet).await?;
        }
        Ok(asked)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let mut open = self.port.shared.open();
        // Its reply may have come, and another call's question have the id since.
        if open.get(&self.id).is_some_and(|asked| Arc::ptr_eq(&asked.question, &self.question)) {
            open.remove(&self.id);
        }
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<u16, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, question: Open) -> Option<u16> {
        let mut open = self.open();
        let id = (0..100).map(|_| rand::random()).find(|id| !open.contains_key(id))?;
        open.insert(id, question);
        Some(id)
    }

    /// Hands a packet to the question that it replies to, if it does: right id, right question.
    fn deliver(&self, packet: &[u8]) {
        let mut open = self.open();
        let asked = number(packet, 0).and_then(|id| open.get(&id).map(|asked| (id, asked)));
        let Some((id, _)) = asked.filter(|(_, asked)| is_reply(packet, Question(&asked.question))) else {
            return;
        };
        let Some(asked) = open.remove(&id) else {
            return;
        };
        drop(open);
        asked.tell(Ok((packet.to_vec(), asked.sent.elapsed())));
    }

    /// Tells all who wait that the system has an error for them.
    fn fail(&self, error: &io::Error) {
        let open: Vec<_> = self.open().drain().collect();
        for (_, asked) in open {
            asked.tell(Err(UpstreamError::Io(error.kind().into())));
        }
    }
}

impl Open {
    fn tell(&self, reply: Result<(Vec<u8>, Duration), UpstreamError>) {
        // With so many replies there already, one more would be no news.
        let _ = self.arrivals.try_send(Arrival { upstream: self.upstream, reply });
    }
}

/// Tells whether a packet replies to a question: a server that knows no EDNS may leave the question out.
fn is_reply(packet: &[u8], question: Question<'_>) -> bool {
    let Some(header) = packet.first_chunk::<HEADER>() else {
        return false;
    };
    let is_complaint = header[4..6] == [0, 0] && matches!(header[3] & CODE, FORMAT_ERROR | NOT_IMPLEMENTED);
    header[2] & RESPONSE != 0 && (is_complaint || question.is_repeated_by(packet))
}

async fn read(shared: Arc<Shared>) {
    let mut buffer = vec![0; PACKET];
    loop {
        match shared.socket.recv(&mut buffer).await {
            Ok(length) => shared.deliver(&buffer[..length]),
            Err(error) => {
                shared.fail(&error);
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// How many questions a port is good for.
const QUESTIONS: u32 = 1000;

/// Longest packet read: more than was asked for.
const PACKET: usize = 4096;

// Response codes of servers that do not understand a question.
pub(super) const FORMAT_ERROR: u8 = 1;
pub(super) const NOT_IMPLEMENTED: u8 = 4;
