//! What is found on disk after a kill.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::layout::{PAGE, Record, Root};

/// The result of one kill.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Updates that the process has reported but that are not on disk.
    pub(crate) lost: usize,
    /// Records whose page does not match the superblock: the superblock was written too early.
    pub(crate) torn: usize,
    /// Records on disk.
    pub(crate) records: usize,
}

/// Compares the files with the updates that are known to be on disk: the last version of each record.
pub(crate) fn verify(folder: &Path, told: &BTreeMap<u64, u64>) -> io::Result<Found> {
    let pages = read(&folder.join("pages"))?;
    let root = Root::newest(&read(&folder.join("root"))?).map_or_else(Root::new, |(root, _)| root);
    let mut found = Found { records: root.written(), ..Found::default() };
    for (record, (page, version)) in root.records.iter().enumerate() {
        let record = record as u64;
        found.lost += usize::from(told.get(&record).is_some_and(|told| told > version));
        if *page != 0 {
            let start = *page as usize * PAGE;
            let there = pages.get(start..start + PAGE).and_then(Record::from_bytes);
            found.torn += usize::from(there != Some(Record { record, version: *version }));
        }
    }
    Ok(found)
}

/// Reads a file; it counts as empty if the child was killed before it had made it.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}
