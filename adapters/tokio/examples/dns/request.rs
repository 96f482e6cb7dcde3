//! What a client sent: a question, or junk and what it deserves.

use hickory_proto::{
    op::{Edns, Message, Query},
    rr::{DNSClass, Name, RecordType},
};

/// The largest answer sent over UDP, and the size told to the upstream: fits every path without fragments.
pub(crate) const UDP_PAYLOAD: u16 = 1232;

/// What is asked; the key of the cache.
///
/// DNSSEC OK and Checking Disabled belong to it because the answers to the same question differ by them.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Question {
    /// In lower case: spellings of one name share an answer.
    pub(crate) name: Name,
    pub(crate) kind: RecordType,
    pub(crate) class: DNSClass,
    pub(crate) dnssec_ok: bool,
    pub(crate) checking_disabled: bool,
}

impl Question {
    /// Tells whether `queries` ask this, in whatever spelling.
    pub(crate) fn is_asked_by(&self, queries: &[Query]) -> bool {
        matches!(queries, [query] if query.name == self.name
            && query.query_type == self.kind
            && query.query_class == self.class)
    }
}

/// One client's request: the question, and what only concerns the answer to this client.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) question: Question,
    /// The question as the client spelled it; some vary upper and lower case and check that it comes back.
    pub(crate) query: Query,
    pub(crate) id: u16,
    pub(crate) recursion_desired: bool,
    pub(crate) wants_authentic: bool,
    pub(crate) edns: Option<Edns>,
}

/// A packet that is no question.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Junk {
    /// When there is nobody to answer, or an answer could start a ping-pong.
    Silence,
    /// When it is answered by these bytes: a header that says what was wrong.
    Rejection([u8; HEADER]),
}

impl Request {
    /// Reads a packet.
    ///
    /// The header is judged by itself first, so that what follows is parsed only where it can be a question.
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, Junk> {
        let Some(header) = packet.first_chunk::<HEADER>() else {
            return Err(Junk::Silence);
        };
        if header[2] & RESPONSE != 0 {
            return Err(Junk::Silence);
        }
        if header[2] & OPCODE != 0 {
            return Err(reject(header, NOT_IMPLEMENTED));
        }
        if header[4..6] != [0, 1] {
            return Err(reject(header, FORMAT_ERROR));
        }
        let message = Message::from_vec(packet).map_err(|_| reject(header, FORMAT_ERROR))?;
        Self::from_message(message).ok_or_else(|| reject(header, FORMAT_ERROR))
    }

    fn from_message(mut message: Message) -> Option<Self> {
        let query = message.queries.pop()?;
        let question = Question {
            name: query.name.to_lowercase(),
            kind: query.query_type,
            class: query.query_class,
            dnssec_ok: message.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok),
            checking_disabled: message.metadata.checking_disabled,
        };
        Some(Self {
            question,
            query,
            id: message.metadata.id,
            recursion_desired: message.metadata.recursion_desired,
            wants_authentic: message.metadata.authentic_data,
            edns: message.edns,
        })
    }

    /// Returns how many bytes of answer this client takes over UDP.
    pub(crate) fn udp_limit(&self) -> usize {
        let limit =
            self.edns.as_ref().map_or(CLASSIC_PAYLOAD, |edns| edns.max_payload().clamp(CLASSIC_PAYLOAD, UDP_PAYLOAD));
        usize::from(limit)
    }
}

/// Makes a bare header of an answer: same id, same opcode, no question.
fn reject(header: &[u8; HEADER], code: u8) -> Junk {
    let mut answer = [0; HEADER];
    answer[..2].copy_from_slice(&header[..2]);
    answer[2] = RESPONSE | (header[2] & (OPCODE | RECURSION_DESIRED));
    answer[3] = code;
    Junk::Rejection(answer)
}

/// The length of a DNS header.
pub(crate) const HEADER: usize = 12;

// Bits of the header's third byte, and response codes in its fourth.
const RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const RECURSION_DESIRED: u8 = 0x01;
const FORMAT_ERROR: u8 = 1;
const NOT_IMPLEMENTED: u8 = 4;

/// What a client without EDNS takes over UDP (RFC 1035, 2.3.4).
const CLASSIC_PAYLOAD: u16 = 512;
