//! What is asked, as bytes: the key of the cache.

use hickory_proto::rr::RecordType;

use super::wire::{
    CHECKING_DISABLED, DNSSEC_OK, HEADER, LONGEST_NAME, OPT, RECURSION_DESIRED, UDP_PAYLOAD, after_plain_name, number,
};

/// A question: the name in lower case, type and class as in a message, and one byte of flags.
///
/// DNSSEC OK and Checking Disabled belong to it because the answers to the same question differ by them; spellings of one
/// name share an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a>(pub(crate) &'a [u8]);

impl<'a> Question<'a> {
    /// Returns name, type and class.
    pub(crate) fn asked(self) -> &'a [u8] {
        self.0.split_last().map_or(&[], |(_, asked)| asked)
    }

    pub(crate) fn kind(self) -> RecordType {
        number(self.0, self.0.len().saturating_sub(5)).unwrap_or_default().into()
    }

    pub(crate) fn class(self) -> u16 {
        number(self.0, self.0.len().saturating_sub(3)).unwrap_or_default()
    }

    pub(crate) fn dnssec_ok(self) -> bool {
        self.flags() & DO != 0
    }

    pub(crate) fn checking_disabled(self) -> bool {
        self.flags() & CD != 0
    }

    fn flags(self) -> u8 {
        self.0.last().copied().unwrap_or_default()
    }

    /// Tells whether `reply` repeats this question, in whatever spelling.
    pub(crate) fn is_repeated_by(self, reply: &[u8]) -> bool {
        let asked = self.asked();
        number(reply, 4) == Some(1)
            && reply.get(HEADER..HEADER + asked.len()).is_some_and(|repeated| {
                let name = asked.len() - 4;
                repeated[..name].eq_ignore_ascii_case(&asked[..name]) && repeated[name..] == asked[name..]
            })
    }

    /// Writes the packet that asks an upstream.
    pub(crate) fn packet(self, id: u16, edns: bool) -> Vec<u8> {
        let mut packet = Vec::with_capacity(HEADER + self.0.len() + 11);
        packet.extend_from_slice(&id.to_be_bytes());
        packet.push(RECURSION_DESIRED);
        packet.push(if self.checking_disabled() { CHECKING_DISABLED } else { 0 });
        packet.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, u8::from(edns)]);
        packet.extend_from_slice(self.asked());
        if edns {
            write_edns(&mut packet, 0, self.dnssec_ok(), None);
        }
        packet
    }
}

/// Writes the pseudo-record of EDNS, with at most one code that explains an error (RFC 8914).
pub(crate) fn write_edns(message: &mut Vec<u8>, high_code: u8, dnssec_ok: bool, explained: Option<u16>) {
    message.push(0);
    message.extend_from_slice(&OPT.to_be_bytes());
    message.extend_from_slice(&UDP_PAYLOAD.to_be_bytes());
    message.extend_from_slice(&[high_code, 0, if dnssec_ok { DNSSEC_OK } else { 0 }, 0]);
    match explained {
        None => message.extend_from_slice(&[0, 0]),
        Some(code) => {
            message.extend_from_slice(&[0, 6, 0, EXPLAINED, 0, 2]);
            message.extend_from_slice(&code.to_be_bytes());
        }
    }
}

/// A key made in place, so that looking it up allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    bytes: [u8; LONGEST_NAME + 5],
    length: usize,
}

impl Key {
    /// Takes name, type and class as they are at the begin of `question`; none if they are not.
    pub(crate) fn read(question: &[u8]) -> Option<Self> {
        // (A pointer has nothing to point to yet.)
        let name = after_plain_name(question).filter(|&end| end <= LONGEST_NAME)?;
        let asked = question.get(..name + 4)?;
        let mut bytes = [0; LONGEST_NAME + 5];
        bytes[..asked.len()].copy_from_slice(asked);
        bytes[..name].make_ascii_lowercase();
        Some(Self { bytes, length: asked.len() + 1 })
    }

    pub(crate) fn set_flags(&mut self, dnssec_ok: bool, checking_disabled: bool) {
        self.bytes[self.length - 1] = if dnssec_ok { DO } else { 0 } | if checking_disabled { CD } else { 0 };
    }

    /// Returns how long name, type and class are.
    pub(crate) fn asked(&self) -> usize {
        self.length - 1
    }

    pub(crate) fn question(&self) -> Question<'_> {
        Question(&self.bytes[..self.length])
    }
}

const DO: u8 = 1;
const CD: u8 = 2;

/// The option of EDNS that explains an error.
const EXPLAINED: u8 = 15;
