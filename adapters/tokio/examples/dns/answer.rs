//! What is kept of an upstream's reply, and for how long.

use std::{mem::size_of, sync::atomic::AtomicU64, time::Duration};

use super::{
    names::{Name, Writer},
    question::Question,
    records::Record,
    sift::{SOA, sift},
    wire::{AUTHENTIC, CODE, HEADER, number},
};

/// An answer that is worth keeping: the name exists, or certainly does not.
///
/// It is kept as the bytes that clients get, with the places of the TTLs in them, so that a client costs a copy. Its names
/// point to the one in the question, so each client gets its own spelling back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u8,
    pub(crate) authentic: bool,
    /// How many records are in the answer and in the authority section.
    pub(crate) counts: [u16; 2],
    /// All that follows the question.
    pub(crate) body: Box<[u8]>,
    /// Where the TTLs are in that.
    pub(crate) ttls: Box<[u16]>,
    /// How long it may be kept, in seconds; none at all for a denial that does not say.
    lifetime: Option<u32>,
    /// When the first client began to wait for a newer one, in milliseconds of the cache's clock.
    pub(crate) awaited_since: AtomicU64,
}

impl Answer {
    /// Takes the records that belong to the question out of a reply; none if it cannot be read.
    pub(crate) fn read(question: Question<'_>, reply: &[u8]) -> Option<Self> {
        let at = HEADER + question.asked().len();
        let (mut answers, at) = Record::read_all(reply, at, number(reply, 6)?)?;
        let (mut authorities, _) = Record::read_all(reply, at, number(reply, 8)?)?;
        sift(question, &mut answers, &mut authorities)?;
        let flags = *reply.get(3)?;
        Self::new(question, flags & CODE, flags & AUTHENTIC != 0, answers, authorities)
    }

    /// Makes an answer of these records; none if they fit no message.
    fn new<'a>(
        question: Question<'_>,
        code: u8,
        authentic: bool,
        mut answers: Vec<Record<'a>>,
        mut authorities: Vec<Record<'a>>,
    ) -> Option<Self> {
        for record in answers.iter_mut().chain(&mut authorities) {
            record.ttl = record.ttl.min(LONGEST);
        }
        let settles = code == 0 && answers.iter().any(|record| record.kind == question.kind().into());
        let may_be_kept = settles || limit_denial(&mut authorities);
        let shortest = answers.iter().chain(&authorities).map(|record| record.ttl).min();
        let counts = [answers.len().try_into().ok()?, authorities.len().try_into().ok()?];
        let (body, ttls) = encode(question, answers.iter().chain(&authorities))?;
        let lifetime = shortest.filter(|_| may_be_kept);
        Some(Self { code, authentic, counts, body, ttls, lifetime, awaited_since: AtomicU64::new(0) })
    }

    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.lifetime.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Returns how many bytes it takes to keep.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.body.len() + 2 * self.ttls.len()
    }
}

/// Gives a denial's SOA the denial's own lifetime (RFC 2308, 5), which clients are then shown as its TTL.
///
/// False without an SOA: then nothing says how long the denial holds.
fn limit_denial(authorities: &mut [Record<'_>]) -> bool {
    let soa = authorities.iter_mut().find(|record| record.kind == SOA);
    // Its minimum is the last of its numbers.
    let Some((record, minimum)) = soa.and_then(|record| record.after.last_chunk().map(|last| (record, *last))) else {
        return false;
    };
    record.ttl = record.ttl.min(u32::from_be_bytes(minimum)).min(LONGEST_DENIAL);
    true
}

/// Writes the records as they follow the question, and notes where their TTLs are.
fn encode<'a>(
    question: Question<'_>,
    records: impl Iterator<Item = &'a Record<'a>>,
) -> Option<(Box<[u8]>, Box<[u16]>)> {
    let mut begin = vec![0; HEADER];
    begin.extend_from_slice(question.asked());
    let question_end = begin.len();
    let mut writer = Writer::after(begin, HEADER);
    let ttls: Option<_> = records.map(|record| u16::try_from(record.write(&mut writer) - question_end).ok()).collect();
    // (With room for what EDNS adds to it.)
    let body = writer.out.get(question_end..).filter(|_| writer.out.len() <= usize::from(u16::MAX) - 17)?;
    Some((body.into(), ttls?))
}

/// A small answer to the question for everything (RFC 8482).
pub(crate) fn of_any(question: Question<'_>) -> Option<Answer> {
    let record = Record::new(Name::first(question.0)?, HINFO, 3600, b"\x07RFC8482\0");
    Answer::new(question, 0, false, vec![record], Vec::new())
}

/// The type that says of what kind a machine is.
const HINFO: u16 = 13;

/// A week: longer TTLs are more often mistakes than wishes (RFC 8767, 4).
const LONGEST: u32 = 7 * 24 * 60 * 60;

/// Three hours, as RFC 2308, 5 advises.
const LONGEST_DENIAL: u32 = 3 * 60 * 60;
