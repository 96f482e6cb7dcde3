//! From an answer to the bytes that one client gets.

use std::time::Duration;

use hickory_proto::{
    op::{Edns, Message, OpCode, ResponseCode},
    rr::Record,
};

use super::{
    answer::Answer,
    request::{Request, UDP_PAYLOAD},
    server::Transport,
};

/// How old an answer is when it is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Freshness {
    /// When it is still valid, this long after it came from the upstream.
    Fresh(Duration),
    /// When it has run out and nothing newer could be had.
    Stale,
}

impl Freshness {
    /// Returns the TTL that a client is shown.
    fn show(self, ttl: u32) -> u32 {
        match self {
            Self::Fresh(age) => ttl.saturating_sub(age.as_secs().try_into().unwrap_or(u32::MAX)),
            Self::Stale => STALE_TTL,
        }
    }
}

/// Writes the response that carries `answer`.
pub(crate) fn answered(request: &Request, answer: &Answer, freshness: Freshness, over: Transport) -> Vec<u8> {
    let mut response = begin(request, answer.code);
    response.metadata.authentic_data = answer.authentic && (request.question.dnssec_ok || request.wants_authentic);
    let adapt = |record: &Record| {
        let mut record = record.clone();
        record.ttl = freshness.show(record.ttl);
        if record.name == request.query.name {
            // Names compare without case: this gives the client its own spelling back.
            record.name = request.query.name.clone();
        }
        record
    };
    response.answers = answer.answers.iter().map(adapt).collect();
    response.authorities = answer.authorities.iter().map(adapt).collect();
    response.additionals = answer.additionals.iter().map(adapt).collect();
    encode(&response, request, over)
}

/// Writes a response that carries nothing but a code.
pub(crate) fn failed(request: &Request, code: ResponseCode, over: Transport) -> Vec<u8> {
    encode(&begin(request, code), request, over)
}

/// Makes the part that all responses share.
fn begin(request: &Request, code: ResponseCode) -> Message {
    let mut response = Message::response(request.id, OpCode::Query);
    response.metadata.response_code = code;
    response.metadata.recursion_desired = request.recursion_desired;
    response.metadata.recursion_available = true;
    response.metadata.checking_disabled = request.question.checking_disabled;
    response.add_query(request.query.clone());
    if request.edns.is_some() {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD).set_dnssec_ok(request.question.dnssec_ok);
        response.set_edns(edns);
    }
    response
}

/// Writes `response`, or only its head with the TC bit where it is too long for the client.
fn encode(response: &Message, request: &Request, over: Transport) -> Vec<u8> {
    let limit = match over {
        Transport::Udp => request.udp_limit(),
        Transport::Tcp => usize::from(u16::MAX),
    };
    match response.to_vec() {
        Ok(bytes) if bytes.len() <= limit => bytes,
        // What was read from the wire can be written again, so the empty packet is never seen.
        _ => response.truncate().to_vec().unwrap_or_default(),
    }
}

/// The TTL of a stale answer, in seconds (RFC 8767, 4).
const STALE_TTL: u32 = 30;
