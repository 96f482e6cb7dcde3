//! Asks the upstream server.
//!
//! Who can guess a question's id and port can slip in a false answer, so both are random for every try, and only an
//! answer from the right address, with the right id, to the right question counts. Others are ignored.

use std::{
    error, fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use hickory_proto::op::{Edns, Message, MessageType, Query, ResponseCode};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use super::{
    answer::Answer,
    framing,
    request::{Question, UDP_PAYLOAD},
};

/// How patiently to ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) tries: u32,
    pub(crate) try_timeout: Duration,
}

/// The server that knows the answers.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: SocketAddr,
    patience: Patience,
    sent: AtomicU64,
}

/// Why there is no answer worth keeping.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum UpstreamError {
    /// When the upstream answered by this code; clients are told the same.
    Code(ResponseCode),
    /// When a socket failed: often nobody listens there now.
    Io(io::Error),
    /// When nothing came in time.
    Silence,
}

impl Upstream {
    pub(crate) fn new(address: SocketAddr, patience: Patience) -> Self {
        Self { address, patience, sent: AtomicU64::new(0) }
    }

    /// Returns how many questions were sent, repeated ones included.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Asks until there is an answer or all tries are used up.
    ///
    /// # Cancel safety
    ///
    /// Dropping it gives up: its socket is closed, late answers are lost.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Answer, UpstreamError> {
        let mut failure = UpstreamError::Silence;
        for _ in 0..self.patience.tries {
            match timeout(self.patience.try_timeout, self.try_once(question)).await {
                Ok(Ok(reply)) => return judge(question, reply),
                Ok(Err(error)) => failure = UpstreamError::Io(error),
                Err(_) => failure = UpstreamError::Silence,
            }
        }
        Err(failure)
    }

    async fn try_once(&self, question: &Question) -> io::Result<Message> {
        let reply = self.ask_udp(question).await?;
        if reply.metadata.truncation { self.ask_tcp(question).await } else { Ok(reply) }
    }

    async fn ask_udp(&self, question: &Question) -> io::Result<Message> {
        // Port 0: the system picks a free port at random. Connected: it drops what others send there.
        let socket = UdpSocket::bind(match self.address {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        })
        .await?;
        socket.connect(self.address).await?;
        let (id, packet) = self.write(question)?;
        socket.send(&packet).await?;
        let mut buffer = [0; PACKET];
        loop {
            let length = socket.recv(&mut buffer).await?;
            if let Some(reply) = read(&buffer[..length], id, question) {
                return Ok(reply);
            }
        }
    }

    async fn ask_tcp(&self, question: &Question) -> io::Result<Message> {
        let mut stream = TcpStream::connect(self.address).await?;
        let (id, packet) = self.write(question)?;
        framing::write(&mut stream, &packet).await?;
        loop {
            if let Some(reply) = read(&framing::read(&mut stream).await?, id, question) {
                return Ok(reply);
            }
        }
    }

    /// Writes a question under a new id, and counts it.
    fn write(&self, question: &Question) -> io::Result<(u16, Vec<u8>)> {
        // Comes with an id from a generator that cannot be guessed.
        let mut message = Message::query();
        message.metadata.recursion_desired = true;
        message.metadata.checking_disabled = question.checking_disabled;
        let mut query = Query::query(question.name.clone(), question.kind);
        query.set_query_class(question.class);
        message.add_query(query);
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD).set_dnssec_ok(question.dnssec_ok);
        message.set_edns(edns);
        let packet = message.to_vec().map_err(io::Error::other)?;
        self.sent.fetch_add(1, Relaxed);
        Ok((message.metadata.id, packet))
    }
}

/// Reads a packet if it is the reply to this question.
fn read(packet: &[u8], id: u16, question: &Question) -> Option<Message> {
    let reply = Message::from_vec(packet).ok()?;
    let metadata = &reply.metadata;
    let fits =
        metadata.id == id && metadata.message_type == MessageType::Response && question.is_asked_by(&reply.queries);
    fits.then_some(reply)
}

/// Tells answers from failures: only "here it is" and "there is none" are answers (RFC 8767, 4).
fn judge(question: &Question, reply: Message) -> Result<Answer, UpstreamError> {
    match reply.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(Answer::new(question, reply)),
        code => Err(UpstreamError::Code(code)),
    }
}

impl UpstreamError {
    /// Returns what a client is told.
    pub(crate) fn code(&self) -> ResponseCode {
        match self {
            Self::Code(code) => *code,
            Self::Io(_) | Self::Silence => ResponseCode::ServFail,
        }
    }
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "the upstream answered: {code}"),
            Self::Io(_) => f.write_str("the upstream cannot be reached"),
            Self::Silence => f.write_str("the upstream did not answer in time"),
        }
    }
}

impl error::Error for UpstreamError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Code(_) | Self::Silence => None,
        }
    }
}

/// Longest packet read over UDP: more than was asked for.
const PACKET: usize = 4096;
