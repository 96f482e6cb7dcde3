//! The process that is killed: it updates records until then, and reports what is on disk.

use std::{
    error::Error,
    io::{Write, stdout},
    path::Path,
    sync::Arc,
};

use tokio::{runtime::Builder, task::JoinSet};

use crate::{layout::RECORDS, store::Store};

/// How many tasks update records; each has its own records.
const WRITERS: usize = 6;

/// Runs until it is killed.
pub(crate) fn run(folder: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let store = Arc::new(Store::open(folder).await?);
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            writers.spawn(write(Arc::clone(&store), writer, fastrand::Rng::with_seed(seed + writer as u64)));
        }
        match writers.join_next().await {
            Some(ended) => ended?.map_err(|error| -> Box<dyn Error> { error }),
            None => Ok(()),
        }
    })
}

async fn write(
    store: Arc<Store>,
    writer: usize,
    mut random: fastrand::Rng,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mine: Vec<_> = (0..RECORDS as u64).filter(|record| *record as usize % WRITERS == writer).collect();
    loop {
        let mut updates = Vec::new();
        for _ in 0..random.usize(1..12) {
            let record = mine[random.usize(..mine.len())];
            store.read(record).await?;
            updates.push(store.update(record).await?);
        }
        store.commit(&updates).await?;
        // In one write, so that the lines of several tasks do not mix.
        let told: String = updates.iter().map(|update| format!("{} {}\n", update.record, update.version)).collect();
        stdout().lock().write_all(told.as_bytes())?;
    }
}
