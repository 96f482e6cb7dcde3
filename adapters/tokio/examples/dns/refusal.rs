//! Questions that are well-formed and not answered as others are.

use hickory_proto::{op::ResponseCode, rr::RecordType};

use super::request::Request;

/// What is said instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Refusal {
    /// When it is a code, and perhaps another that explains it.
    Code(ResponseCode, Option<u16>),
    /// When it is a small answer: everything that a name has is nobody's business (RFC 8482).
    Small,
}

/// Says what is said instead of an answer, if the question is no ordinary one.
pub(crate) fn refusal(request: &Request<'_>) -> Option<Refusal> {
    let question = request.question();
    let code = |code| Some(Refusal::Code(code, None));
    match (question.kind(), question.class()) {
        _ if request.edns.is_some_and(|edns| edns.version > 0) => code(ResponseCode::BADVERS),
        (RecordType::OPT, _) => code(ResponseCode::FormErr),
        (_, NONE | ANY) => code(ResponseCode::NotImp),
        // What the server itself is, is not told; and the upstream should not be asked for it.
        (_, CHAOS) if is_about_the_server(question.asked()) => code(ResponseCode::Refused),
        (RecordType::ANY, _) => Some(Refusal::Small),
        // Zone transfers, and what else is no type of records, are nothing that a cache of answers could keep.
        (kind, _) if META.contains(&u16::from(kind)) => code(ResponseCode::NotImp),
        _ => None,
    }
}

/// Tells whether a question is for one of the names that stand for the server that is asked (RFC 4892).
fn is_about_the_server(asked: &[u8]) -> bool {
    let name = &asked[..asked.len() - 4];
    name.ends_with(b"\x04bind\0") || name.ends_with(b"\x06server\0")
}

// Classes.
const CHAOS: u16 = 3;
const NONE: u16 = 254;
const ANY: u16 = 255;

/// Types that no record has, up to the one for all that have one.
const META: std::ops::Range<u16> = 249..255;
