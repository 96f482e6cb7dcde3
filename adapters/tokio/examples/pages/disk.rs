//! The two files as back ends. All file work blocks, so it runs on tokio's blocking threads.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use larder_tokio::{Backend, BoxIo};
use tokio::task::spawn_blocking;

use crate::layout::{PAGE, ROOT, Record, Root};

/// The pages, by their numbers.
#[derive(Clone)]
pub(crate) struct PageFile(Arc<File>);

/// The superblock; there is one, under number 0.
#[derive(Clone)]
pub(crate) struct RootFile(Arc<Mutex<Roots>>);

struct Roots {
    file: File,
    /// The number of the last superblock, and its place; the next one is written to the other place.
    last: u64,
    place: u64,
}

impl PageFile {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        open(&folder.join("pages")).map(|file| Self(Arc::new(file)))
    }
}

impl RootFile {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let file = open(&folder.join("root"))?;
        Ok(Self(Arc::new(Mutex::new(Roots { file, last: 0, place: 0 }))))
    }
}

impl Backend<u64> for PageFile {
    type Value = Record;
    type Error = io::Error;
    type Load = BoxIo<io::Result<Record>>;
    type Flush = BoxIo<io::Result<()>>;
    type Discard = BoxIo<()>;

    fn load(&self, page: u64) -> Self::Load {
        let file = Arc::clone(&self.0);
        blocking(move || {
            let mut bytes = [0; PAGE];
            file.read_exact_at(&mut bytes, page * PAGE as u64)?;
            Record::from_bytes(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
        })
    }

    fn flush(&self, page: u64, record: Record) -> Self::Flush {
        let file = Arc::clone(&self.0);
        blocking(move || file.write_all_at(&record.to_bytes(), page * PAGE as u64))
    }

    fn discard(&self, _: u64, _: Record) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, pages: Vec<u64>) {
        eprintln!("{} pages were not written", pages.len());
    }
}

impl Backend<u64> for RootFile {
    type Value = Arc<Root>;
    type Error = io::Error;
    type Load = BoxIo<io::Result<Arc<Root>>>;
    type Flush = BoxIo<io::Result<()>>;
    type Discard = BoxIo<()>;

    fn load(&self, _: u64) -> Self::Load {
        let roots = Arc::clone(&self.0);
        blocking(move || {
            let mut roots = roots.lock().unwrap_or_else(PoisonError::into_inner);
            let mut bytes = [0; 2 * ROOT];
            let length = roots.file.read_at(&mut bytes, 0)?;
            let (root, place) = Root::newest(&bytes[..length]).unwrap_or_else(|| (Root::new(), 1));
            (roots.last, roots.place) = (root.number, place);
            Ok(Arc::new(root))
        })
    }

    fn flush(&self, _: u64, root: Arc<Root>) -> Self::Flush {
        let roots = Arc::clone(&self.0);
        blocking(move || {
            let mut roots = roots.lock().unwrap_or_else(PoisonError::into_inner);
            // A write that was given up may still arrive late: it must not replace a newer one.
            if root.number <= roots.last {
                return Ok(());
            }
            let place = 1 - roots.place;
            roots.file.write_all_at(&root.to_bytes(), place * ROOT as u64)?;
            (roots.last, roots.place) = (root.number, place);
            Ok(())
        })
    }

    fn discard(&self, _: u64, _: Arc<Root>) -> Self::Discard {
        Box::pin(async {})
    }

    fn lost(&self, _: Vec<u64>) {
        eprintln!("the superblock was not written");
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> BoxIo<io::Result<T>> {
    Box::pin(async move { spawn_blocking(work).await.map_err(io::Error::other)? })
}
