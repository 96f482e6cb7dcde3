//! From an answer to the bytes that one client gets.

use std::time::Duration;

use hickory_proto::op::ResponseCode;

use super::{
    answer::Answer,
    question::write_edns,
    request::Request,
    server::Transport,
    wire::{AUTHENTIC, CHECKING_DISABLED, CODE, RECURSION_AVAILABLE, RECURSION_DESIRED, RESPONSE, TRUNCATED},
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

    /// Returns the code that explains a stale answer (RFC 8914, 4.4 and 4.20).
    fn explained(self, code: u8) -> Option<u16> {
        match self {
            Self::Fresh(_) => None,
            Self::Stale => Some(if code == 0 { explained::STALE } else { explained::STALE_DENIAL }),
        }
    }
}

/// Writes the response that carries `answer`.
pub(crate) fn answered(
    request: &Request<'_>,
    answer: &Answer,
    freshness: Freshness,
    over: Transport,
    out: &mut Vec<u8>,
) {
    begin(request, answer.code, out);
    let wants = request.edns.is_some_and(|edns| edns.dnssec_ok) || request.head[3] & AUTHENTIC != 0;
    if answer.authentic && wants {
        out[3] |= AUTHENTIC;
    }
    let explained = freshness.explained(answer.code);
    if request.head.len() + answer.body.len() + edns_length(request, explained) > request.limit(over) {
        out[2] |= TRUNCATED;
    } else {
        for (section, count) in answer.counts.iter().enumerate() {
            out[6 + 2 * section..8 + 2 * section].copy_from_slice(&count.to_be_bytes());
        }
        out.extend_from_slice(&answer.body);
        for at in answer.ttls.iter().map(|&at| request.head.len() + usize::from(at)) {
            if let Some(ttl) = out.get_mut(at..at + 4).and_then(|ttl| ttl.first_chunk_mut::<4>()) {
                *ttl = freshness.show(u32::from_be_bytes(*ttl)).to_be_bytes();
            }
        }
    }
    end(request, 0, explained, out);
}

/// Writes a response that carries nothing but a code, and perhaps another that explains it.
pub(crate) fn failed(request: &Request<'_>, code: ResponseCode, explained: Option<u16>, out: &mut Vec<u8>) {
    begin(request, code.low(), out);
    end(request, code.high(), explained, out);
}

/// Writes the header and the question.
fn begin(request: &Request<'_>, code: u8, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(request.head);
    out[2] = RESPONSE | (request.head[2] & RECURSION_DESIRED);
    out[3] = RECURSION_AVAILABLE | (request.head[3] & CHECKING_DISABLED) | (code & CODE);
    out[6..12].fill(0);
}

/// Writes EDNS where the client has it.
fn end(request: &Request<'_>, high_code: u8, explained: Option<u16>, out: &mut Vec<u8>) {
    if let Some(edns) = request.edns {
        // No answer has so many records that this overflows.
        out[11] = out[11].wrapping_add(1);
        out[10] = out[10].wrapping_add(u8::from(out[11] == 0));
        write_edns(out, high_code, edns.dnssec_ok, explained);
    }
}

fn edns_length(request: &Request<'_>, explained: Option<u16>) -> usize {
    match (request.edns, explained) {
        (None, _) => 0,
        (Some(_), None) => 11,
        (Some(_), Some(_)) => 17,
    }
}

/// The TTL of a stale answer, in seconds (RFC 8767, 4).
const STALE_TTL: u32 = 30;

/// Codes that explain an answer or the lack of one (RFC 8914).
pub(crate) mod explained {
    pub(crate) const STALE: u16 = 3;
    pub(crate) const KEPT_FAILURE: u16 = 13;
    pub(crate) const NOT_READY: u16 = 14;
    pub(crate) const PROHIBITED: u16 = 18;
    pub(crate) const STALE_DENIAL: u16 = 19;
    pub(crate) const NO_REPLY: u16 = 22;
    pub(crate) const NETWORK: u16 = 23;
}
