//! Records in two caches; all caching is in this file.

use std::{
    collections::BTreeSet,
    error::Error,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use larder_tokio::{FlushError, Pinned, Room, Tokio, WriteBack, WriteBackError};

use crate::{
    disk::{PageFile, RootFile},
    layout::{Record, Root},
};

type Roots = WriteBack<u64, Arc<Root>, io::Error>;

/// Records that many tasks can update at once.
pub(crate) struct Store {
    pages: WriteBack<u64, Record, io::Error>,
    roots: Roots,
    root: Pinned<u64, Arc<Root>, io::Error, Tokio>,
    free: Mutex<Free>,
}

/// Pages that nothing on disk points to.
struct Free {
    pages: BTreeSet<u64>,
    /// The first page after all that were ever used.
    end: u64,
}

/// An update that is not on disk yet.
pub(crate) struct Update {
    pub(crate) record: u64,
    pub(crate) version: u64,
    /// The page of the previous version, if there was one: it becomes free once this update is on disk.
    page: u64,
}

impl Store {
    pub(crate) async fn open(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let runtime = Tokio::new();
        // Smaller than the pages written between two superblocks, so that some pages are written to make room.
        let pages = WriteBack::builder(runtime, PageFile::open(folder)?).name("pages").capacity(32).build()?;
        let roots: Roots = WriteBack::builder(runtime, RootFile::open(folder)?).name("roots").build()?;
        // No superblock is written before the pages that it points to.
        roots.always_depend_on(&pages)?;
        let root = roots.get_or_load(&0).await?;
        let used: BTreeSet<_> = root.value().records.iter().map(|(page, _)| *page).collect();
        let end = used.last().map_or(1, |last| last + 1);
        let free = Free { pages: (1..end).filter(|page| !used.contains(page)).collect(), end };
        Ok(Self { pages, roots, root, free: Mutex::new(free) })
    }

    /// Reads the version of a record, and compares it with the superblock.
    pub(crate) async fn read(&self, record: u64) -> Result<u64, Box<dyn Error + Send + Sync>> {
        let (page, version) = self.root.value().records[record as usize];
        if page != 0 {
            let found = self.pages.get_or_load(&page).await?.value();
            if found != (Record { record, version }) {
                return Err(format!("page {page} holds {found:?} instead of version {version} of {record}").into());
            }
        }
        Ok(version)
    }

    /// Writes the next version of a record; no other task may write it meanwhile.
    pub(crate) async fn update(&self, record: u64) -> Result<Update, WriteBackError<u64, io::Error>> {
        let version = self.root.value().records[record as usize].1 + 1;
        let new = self.allocate();
        self.pages.insert(new, Record { record, version }, Room::Wait).await?;
        let mut page = 0;
        let mut change = |root: &mut Arc<Root>| {
            let root = Arc::make_mut(root);
            root.number += 1;
            (page, _) = std::mem::replace(&mut root.records[record as usize], (new, version));
        };
        // All tasks write the root, so this is a compare-and-swap; no task's update is lost.
        while self.root.update(&mut change).is_err() {}
        Ok(Update { record, version, page })
    }

    /// Writes all earlier updates to disk.
    pub(crate) async fn commit(&self, updates: &[Update]) -> Result<(), FlushError<u64, io::Error>> {
        self.roots.flush().await?;
        let mut free = self.free();
        free.pages.extend(updates.iter().map(|update| update.page).filter(|page| *page != 0));
        Ok(())
    }

    fn allocate(&self) -> u64 {
        let mut free = self.free();
        free.pages.pop_first().unwrap_or_else(|| {
            free.end += 1;
            free.end - 1
        })
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Root {
    /// Returns how many records there are.
    pub(crate) fn written(&self) -> usize {
        self.records.iter().filter(|(page, _)| *page != 0).count()
    }
}
