//! Names in messages: read whole, compared without case, written short (RFC 1035, 4.1.4).

use super::wire::LONGEST_NAME;

/// A name as it was spelled, each label after its length, up to the root.
#[derive(Clone, Debug)]
pub(crate) struct Name(Vec<u8>);

impl Name {
    /// Takes the name at the begin of these bytes, which is whole.
    pub(crate) fn first(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes, 0).map(|(name, _)| name)
    }

    /// Reads the name that begins at `at`, and returns where it ends there.
    pub(crate) fn read(message: &[u8], mut at: usize) -> Option<(Self, usize)> {
        let mut name = Vec::with_capacity(32);
        let (mut end, mut lowest) = (None, at);
        loop {
            let length = usize::from(*message.get(at)?);
            if length >= POINTER {
                let next = (length & !POINTER) << 8 | usize::from(*message.get(at + 1)?);
                // What points forward, or to itself, could go on for ever.
                if next >= lowest {
                    return None;
                }
                end.get_or_insert(at + 2);
                (at, lowest) = (next, next);
                continue;
            }
            if length > LONGEST_LABEL {
                return None;
            }
            name.extend_from_slice(message.get(at..=at + length)?);
            at += 1 + length;
            if name.len() > LONGEST_NAME {
                return None;
            }
            if length == 0 {
                return Some((Self(name), end.unwrap_or(at)));
            }
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name, its parent, the parent of that and so on, the root at last.
    fn line(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::successors(Some(&self.0[..]), |name| parent(name))
    }

    /// Tells whether the other name is this one or below it.
    pub(crate) fn is_above(&self, other: &Self) -> bool {
        other.line().any(|name| name.eq_ignore_ascii_case(&self.0))
    }

    /// Tells whether the other name has the same parent, or is below that.
    pub(crate) fn is_near(&self, other: &Self) -> bool {
        let parent = self.line().nth(1).filter(|parent| parent.len() > 1);
        parent.is_some_and(|parent| other.line().any(|name| name.eq_ignore_ascii_case(parent)))
    }
}

/// Returns what follows the first label.
fn parent(name: &[u8]) -> Option<&[u8]> {
    name.get(1 + usize::from(*name.first()?)..).filter(|parent| !parent.is_empty())
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Name {}

/// A message that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) out: Vec<u8>,
    /// Where names begin that later ones may point to.
    known: Vec<u16>,
}

impl Writer {
    /// Begins with what is there; its only name begins at `name`.
    pub(crate) fn after(begin: Vec<u8>, name: usize) -> Self {
        let mut writer = Self { out: begin, known: Vec::with_capacity(KNOWN) };
        if let Some((whole, _)) = Name::read(&writer.out, name) {
            writer.know(&whole, whole.0.len(), name);
        }
        writer
    }

    /// Writes a name, by a pointer to an earlier one as far as possible.
    pub(crate) fn name(&mut self, name: &Name) {
        let at = self.out.len();
        let find = |end: &[u8]| self.known.iter().find(|&&at| is_at(&self.out, at.into(), end)).copied();
        let found = name.line().filter(|end| end.len() > 1).find_map(|end| find(end).map(|at| (end.len(), at)));
        let (rest, pointer) = found.map_or((1, None), |(rest, at)| (rest, Some(at)));
        let new = name.0.len() - rest;
        self.out.extend_from_slice(&name.0[..new]);
        self.know(name, new, at);
        match pointer {
            Some(at) => self.out.extend_from_slice(&((POINTER as u16) << 8 | at).to_be_bytes()),
            None => self.out.push(0),
        }
    }

    /// Notes that the first `new` bytes of a name were written at `at`.
    fn know(&mut self, name: &Name, new: usize, at: usize) {
        let begins =
            name.line().map(|end| name.0.len() - end.len()).take_while(|&begin| begin < new.min(name.0.len() - 1));
        for at in begins.map(|begin| at + begin) {
            // Pointers have 14 bits, and to look through a few names is enough.
            if at < 1 << 14 && self.known.len() < KNOWN {
                self.known.push(at as u16);
            }
        }
    }
}

/// Tells whether a name that was written at `at` is this one.
fn is_at(message: &[u8], mut at: usize, mut name: &[u8]) -> bool {
    loop {
        let Some(&length) = message.get(at) else {
            return false;
        };
        if usize::from(length) >= POINTER {
            let Some(&low) = message.get(at + 1) else {
                return false;
            };
            at = (usize::from(length) & !POINTER) << 8 | usize::from(low);
            continue;
        }
        let label = 1 + usize::from(length);
        match (message.get(at..at + label), name.split_at_checked(label)) {
            (Some(written), Some((first, rest))) if written.eq_ignore_ascii_case(first) => {
                if length == 0 {
                    return true;
                }
                (at, name) = (at + label, rest);
            }
            _ => return false,
        }
    }
}

/// A length with these bits is none, but the begin of a pointer.
const POINTER: usize = 0xc0;
const LONGEST_LABEL: usize = 63;

/// So many names are remembered for later ones to point to.
const KNOWN: usize = 64;
