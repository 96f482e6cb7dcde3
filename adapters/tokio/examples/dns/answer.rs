//! What is kept of an upstream's reply, and for how long.

use std::time::Duration;

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, RecordType},
};

use super::request::Question;

/// An answer that is worth keeping: the name exists, or certainly does not.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: ResponseCode,
    pub(crate) authentic: bool,
    pub(crate) answers: Vec<Record>,
    pub(crate) authorities: Vec<Record>,
    pub(crate) additionals: Vec<Record>,
    /// How long it may be kept; none at all for a denial that does not say.
    pub(crate) lifetime: Option<Duration>,
}

impl Answer {
    /// Takes the records out of a reply and works out their lifetime.
    pub(crate) fn new(question: &Question, reply: Message) -> Self {
        let mut answer = Self {
            authentic: reply.metadata.authentic_data,
            answers: reply.answers,
            authorities: reply.authorities,
            additionals: reply.additionals,
            ..Self::empty(reply.metadata.response_code)
        };
        for record in answer.records_mut() {
            record.ttl = record.ttl.min(LONGEST);
        }
        if answer.settles(question) || answer.limit_denial() {
            answer.lifetime = answer.records_mut().map(|record| record.ttl).min().map(seconds);
        }
        answer
    }

    /// Makes an answer that says only this, and is not kept.
    pub(crate) fn empty(code: ResponseCode) -> Self {
        Self {
            code,
            authentic: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
            lifetime: None,
        }
    }

    /// Tells whether it holds what was asked for, and so is no denial.
    fn settles(&self, question: &Question) -> bool {
        let wanted = |record: &Record| question.kind == RecordType::ANY || record.record_type() == question.kind;
        self.code == ResponseCode::NoError && self.answers.iter().any(wanted)
    }

    /// Gives a denial's SOA the denial's own lifetime (RFC 2308, 5), which clients are then shown as its TTL.
    ///
    /// False without an SOA: then nothing says how long the denial holds.
    fn limit_denial(&mut self) -> bool {
        for record in &mut self.authorities {
            if let RData::SOA(soa) = &record.data {
                record.ttl = record.ttl.min(soa.minimum).min(LONGEST_DENIAL);
                return true;
            }
        }
        false
    }

    fn records_mut(&mut self) -> impl Iterator<Item = &mut Record> {
        self.answers.iter_mut().chain(&mut self.authorities).chain(&mut self.additionals)
    }
}

fn seconds(ttl: u32) -> Duration {
    Duration::from_secs(ttl.into())
}

/// A week: longer TTLs are more often mistakes than wishes (RFC 8767, 4).
const LONGEST: u32 = 7 * 24 * 60 * 60;

/// Three hours, as RFC 2308, 5 advises.
const LONGEST_DENIAL: u32 = 3 * 60 * 60;
