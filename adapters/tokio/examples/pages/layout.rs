//! The layout of pages and superblocks on disk. Both end with a checksum, so that torn ones are noticed.

use larder_tokio::DefaultHasher;

/// How many records there are.
pub(crate) const RECORDS: usize = 300;

/// The size of a page, in bytes.
pub(crate) const PAGE: usize = 512;

/// The size of a superblock, in bytes. The file has two places, which are written in turn.
pub(crate) const ROOT: usize = 8192;

/// One version of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) record: u64,
    pub(crate) version: u64,
}

/// Where each record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// The number of this superblock.
    pub(crate) number: u64,
    /// The page and the version of each record; page 0 holds none.
    pub(crate) records: Vec<(u64, u64)>,
}

impl Record {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut bytes: Vec<u8> = [self.record, self.version].into_iter().flat_map(u64::to_le_bytes).collect();
        // The rest of the page belongs to this version as well.
        bytes.resize(PAGE - 8, self.version as u8);
        seal(bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut numbers = numbers(open(bytes)?);
        Some(Self { record: numbers.next()?, version: numbers.next()? })
    }
}

impl Root {
    /// A superblock that points to nothing.
    pub(crate) fn new() -> Self {
        Self { number: 0, records: vec![(0, 0); RECORDS] }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let records = self.records.iter().flat_map(|(page, version)| [*page, *version]);
        let mut bytes: Vec<u8> = [self.number].into_iter().chain(records).flat_map(u64::to_le_bytes).collect();
        bytes.resize(ROOT - 8, 0);
        seal(bytes)
    }

    /// Reads one superblock, unless it is torn.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut numbers = numbers(open(bytes)?);
        let number = numbers.next()?;
        let records = (0..RECORDS).map(|_| Some((numbers.next()?, numbers.next()?))).collect::<Option<_>>()?;
        Some(Self { number, records })
    }

    /// Reads the newer of the two superblocks, and returns which of the two places it is in.
    pub(crate) fn newest(bytes: &[u8]) -> Option<(Self, u64)> {
        let roots = bytes.chunks(ROOT).zip(0..).filter_map(|(bytes, place)| Some((Self::from_bytes(bytes)?, place)));
        roots.max_by_key(|(root, _)| root.number)
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
}

/// Adds the checksum.
fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = checksum(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Checks the checksum and removes it.
fn open(bytes: &[u8]) -> Option<&[u8]> {
    let (content, sum) = bytes.split_last_chunk()?;
    (checksum(content) == u64::from_le_bytes(*sum)).then_some(content)
}

fn checksum(bytes: &[u8]) -> u64 {
    DefaultHasher::with_seed(0x5eed).hash_one(bytes)
}
