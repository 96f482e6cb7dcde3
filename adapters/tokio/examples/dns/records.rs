//! Records as they come and go: names in them are read whole, since they may point into a message that is not kept.

use super::{
    names::{Name, Writer},
    wire::{FIXED, number},
};

/// A record.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) owner: Name,
    pub(crate) kind: u16,
    class: u16,
    pub(crate) ttl: u32,
    /// The data before its names, those, and what follows them.
    before: &'a [u8],
    pub(crate) names: Vec<Name>,
    pub(crate) after: &'a [u8],
}

impl<'a> Record<'a> {
    pub(crate) fn new(owner: Name, kind: u16, ttl: u32, data: &'a [u8]) -> Self {
        Self { owner, kind, class: 1, ttl, before: data, names: Vec::new(), after: &[] }
    }

    /// Reads `count` records, and returns where they end.
    pub(crate) fn read_all(message: &'a [u8], mut at: usize, count: u16) -> Option<(Vec<Self>, usize)> {
        let mut records = Vec::with_capacity(usize::from(count).min(16));
        for _ in 0..count {
            let (record, end) = Self::read(message, at)?;
            records.push(record);
            at = end;
        }
        Some((records, at))
    }

    fn read(message: &'a [u8], at: usize) -> Option<(Self, usize)> {
        let (owner, at) = Name::read(message, at)?;
        let ttl = message.get(at + 4..at + 8)?.first_chunk().copied().map(u32::from_be_bytes)?;
        let (kind, class) = (number(message, at)?, number(message, at + 2)?);
        let begin = at + FIXED;
        let end = begin + usize::from(number(message, at + 8)?);
        let message = message.get(..end)?;
        let (skip, count) = layout(kind, &message[begin..]);
        let mut at = begin + skip;
        let before = message.get(begin..at)?;
        let mut names = Vec::with_capacity(count);
        for _ in 0..count {
            let (name, next) = Name::read(message, at)?;
            names.push(name);
            at = next;
        }
        let after = message.get(at..)?;
        Some((Self { owner, kind, class, ttl, before, names, after }, end))
    }

    /// Writes it, and returns where its TTL is.
    pub(crate) fn write(&self, to: &mut Writer) -> usize {
        to.name(&self.owner);
        let at = to.out.len();
        to.out.extend_from_slice(&self.kind.to_be_bytes());
        to.out.extend_from_slice(&self.class.to_be_bytes());
        to.out.extend_from_slice(&self.ttl.to_be_bytes());
        to.out.extend_from_slice(&[0, 0]);
        let begin = to.out.len();
        to.out.extend_from_slice(self.before);
        for name in &self.names {
            // Only those that have been there from the beginning may be shortened (RFC 3597, 4).
            if self.kind <= MX { to.name(name) } else { to.out.extend_from_slice(name.bytes()) }
        }
        to.out.extend_from_slice(self.after);
        // What came in a message fits a message; if it has grown too much, the message is too long as well.
        let length = u16::try_from(to.out.len() - begin).unwrap_or(u16::MAX);
        to.out[begin - 2..begin].copy_from_slice(&length.to_be_bytes());
        at + 4
    }
}

/// Says where in the data of this type are names that may point: how many bytes are before them, and how many they are.
fn layout(kind: u16, data: &[u8]) -> (usize, usize) {
    match kind {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME
        2..=5 | 7..=9 | 12 | 39 => (0, 1),
        // SOA, MINFO, RP
        6 | 14 | 17 => (0, 2),
        // MX, AFSDB, RT, KX
        MX | 18 | 21 | 36 => (2, 1),
        // PX
        26 => (2, 2),
        // SRV
        33 => (6, 1),
        // NAPTR: two numbers and three strings
        35 => {
            let after_string = |at: usize| data.get(at).map_or(at, |&length| at + 1 + usize::from(length));
            (after_string(after_string(after_string(4))), 1)
        }
        _ => (data.len(), 0),
    }
}

/// The last of the types of RFC 1035 that have names.
const MX: u16 = 15;
