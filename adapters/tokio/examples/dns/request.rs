//! What a client sent: a question, or junk and what it deserves.

use super::{
    question::{Key, Question},
    server::Transport,
    wire::{
        CHECKING_DISABLED, CLASSIC_PAYLOAD, DNSSEC_OK, FIXED, Fields, HEADER, OPCODE, OPT, RECURSION_DESIRED, RESPONSE,
        UDP_PAYLOAD, number,
    },
};

/// One client's request: the question, and what only concerns the answer to this client.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The header and the question as the client spelled it; some vary upper and lower case and check that it comes back.
    pub(crate) head: &'a [u8],
    key: Key,
    pub(crate) edns: Option<Edns>,
}

/// What a client says by EDNS (RFC 6891).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
}

/// A packet that is no question.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Junk {
    /// When there is nobody to answer, or an answer could start a ping-pong.
    Silence,
    /// When it is answered by these bytes: a header that says what was wrong.
    Rejection([u8; HEADER]),
}

impl<'a> Request<'a> {
    /// Reads a packet.
    pub(crate) fn parse(packet: &'a [u8]) -> Result<Self, Junk> {
        let Some(header) = packet.first_chunk::<HEADER>() else {
            return Err(Junk::Silence);
        };
        if header[2] & RESPONSE != 0 {
            return Err(Junk::Silence);
        }
        if header[2] & OPCODE != 0 {
            return Err(reject(header, NOT_IMPLEMENTED));
        }
        Self::read(packet).ok_or_else(|| reject(header, FORMAT_ERROR))
    }

    fn read(packet: &'a [u8]) -> Option<Self> {
        if packet[4..10] != [0, 1, 0, 0, 0, 0] {
            return None;
        }
        let mut key = Key::read(&packet[HEADER..])?;
        let end = HEADER + key.asked();
        let edns = Edns::find(packet, end)?;
        let secure = edns.is_some_and(|edns| edns.dnssec_ok);
        key.set_flags(secure, packet[3] & CHECKING_DISABLED != 0);
        Some(Self { head: &packet[..end], key, edns })
    }

    pub(crate) fn question(&self) -> Question<'_> {
        self.key.question()
    }

    pub(crate) fn wants_recursion(&self) -> bool {
        self.head[2] & RECURSION_DESIRED != 0
    }

    /// Returns how many bytes of answer this client takes.
    pub(crate) fn limit(&self, over: Transport) -> usize {
        let payload = match over {
            Transport::Tcp => u16::MAX,
            Transport::Udp => {
                self.edns.map_or(CLASSIC_PAYLOAD, |edns| edns.payload.clamp(CLASSIC_PAYLOAD, UDP_PAYLOAD))
            }
        };
        payload.into()
    }
}

impl Edns {
    /// Looks through the last section, which begins at `at`; the outer `None` is a packet that cannot be read.
    fn find(packet: &[u8], mut at: usize) -> Option<Option<Self>> {
        let mut found = None;
        for _ in 0..number(packet, 10)? {
            let is_nameless = packet.get(at) == Some(&0);
            let record = Fields::read(packet, at)?;
            if record.kind == OPT {
                let options = &packet[record.at + FIXED..record.end];
                if !is_nameless || found.is_some() || !are_whole(options) {
                    return None;
                }
                found = Some(Self {
                    payload: number(packet, record.at + 2)?,
                    version: packet[record.at + 5],
                    dnssec_ok: packet[record.at + 6] & DNSSEC_OK != 0,
                });
            }
            at = record.end;
        }
        Some(found)
    }
}

/// Tells whether options follow each other without a rest.
fn are_whole(mut options: &[u8]) -> bool {
    while !options.is_empty() {
        let Some(rest) = number(options, 2).and_then(|length| options.get(4 + usize::from(length)..)) else {
            return false;
        };
        options = rest;
    }
    true
}

/// Makes a bare header of an answer: same id, same opcode, no question.
fn reject(header: &[u8; HEADER], code: u8) -> Junk {
    let mut answer = [0; HEADER];
    answer[..2].copy_from_slice(&header[..2]);
    answer[2] = RESPONSE | (header[2] & (OPCODE | RECURSION_DESIRED));
    answer[3] = code;
    Junk::Rejection(answer)
}

// Response codes.
const FORMAT_ERROR: u8 = 1;
const NOT_IMPLEMENTED: u8 = 4;
