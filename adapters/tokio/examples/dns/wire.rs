//! What every part needs that reads or writes bytes of messages (RFC 1035, 4.1).

/// The length of a header.
pub(crate) const HEADER: usize = 12;

/// The largest answer sent over UDP, and the size told to the upstream: fits every path without fragments.
pub(crate) const UDP_PAYLOAD: u16 = 1232;

/// What a client without EDNS takes over UDP (RFC 1035, 2.3.4).
pub(crate) const CLASSIC_PAYLOAD: u16 = 512;

/// What the longest name takes, its root included.
pub(crate) const LONGEST_NAME: usize = 255;

// Bits of the header's third byte.
pub(crate) const RESPONSE: u8 = 0x80;
pub(crate) const OPCODE: u8 = 0x78;
pub(crate) const TRUNCATED: u8 = 0x02;
pub(crate) const RECURSION_DESIRED: u8 = 0x01;
// Bits of its fourth byte.
pub(crate) const RECURSION_AVAILABLE: u8 = 0x80;
pub(crate) const AUTHENTIC: u8 = 0x20;
pub(crate) const CHECKING_DISABLED: u8 = 0x10;
pub(crate) const CODE: u8 = 0x0f;

/// The type of the pseudo-record that carries EDNS (RFC 6891).
pub(crate) const OPT: u16 = 41;

/// The bit for DNSSEC OK in the first byte of the flags of EDNS.
pub(crate) const DNSSEC_OK: u8 = 0x80;

/// Reads a number of two bytes.
pub(crate) fn number(message: &[u8], at: usize) -> Option<u16> {
    message.get(at..at + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// Returns where the name ends that begins at `at`: after its root, or after its pointer.
pub(crate) fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            0xc0.. => return (at + 2 <= message.len()).then_some(at + 2),
            _ => return None,
        }
    }
}

/// Returns where a name ends that begins a message and has no pointer.
pub(crate) fn after_plain_name(message: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length @ 1..=63 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}

/// A record as it lies in a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    /// Where type, class, TTL and length begin.
    pub(crate) at: usize,
    pub(crate) kind: u16,
    /// Where the record ends.
    pub(crate) end: usize,
}

impl Fields {
    /// Reads the record whose name begins at `at`.
    pub(crate) fn read(message: &[u8], at: usize) -> Option<Self> {
        let at = after_name(message, at)?;
        let end = at + FIXED + usize::from(number(message, at + 8)?);
        (end <= message.len()).then_some(Self { at, kind: number(message, at)?, end })
    }
}

/// What lies between a record's name and its data.
pub(crate) const FIXED: usize = 10;
