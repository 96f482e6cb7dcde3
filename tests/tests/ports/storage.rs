//! A storage engine keeps decoded parts of its files: entries of any type, weighed by their size, dropped by prefix.

use std::{
    any::Any,
    fmt,
    sync::{Arc, LazyLock},
};

use larder_tokio::{Cache, ConfigError, LoadError, Loaded, Tokio};
use tokio::sync::oneshot;

/// What a file may hold, and how much memory it takes once decoded.
trait Part: Any + Send + Sync {
    fn bytes(&self) -> u64;
}

#[derive(Debug, PartialEq)]
struct Schema(Vec<&'static str>);

impl Part for Schema {
    fn bytes(&self) -> u64 {
        self.0.iter().map(|name| name.len() as u64).sum()
    }
}

#[derive(Debug, PartialEq)]
struct Page(Vec<u8>);

impl Part for Page {
    fn bytes(&self) -> u64 {
        self.0.len() as u64
    }
}

#[derive(Debug, PartialEq)]
enum Fault {
    NoSuchFile(String),
    OtherType,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchFile(path) => write!(f, "there is no {path}"),
            Self::OtherType => f.write_str("the entry is of another type"),
        }
    }
}

/// One cache for all parts of all files.
#[derive(Clone)]
struct Parts(Cache<String, Arc<dyn Any + Send + Sync>, Fault>);

impl Parts {
    fn new(bytes: u64) -> Result<Self, ConfigError> {
        Ok(Self(Cache::builder(Tokio::new()).name("parts").capacity(bytes).build()?))
    }

    /// The part of this path, read by the call's own load if it is not there.
    async fn get<T: Part, F>(&self, path: &str, read: impl FnOnce() -> F) -> Result<Arc<T>, Arc<Fault>>
    where
        F: Future<Output = Result<T, Fault>> + Send + 'static,
    {
        let load = || {
            let read = read();
            async {
                let part = Arc::new(read.await?);
                let bytes = part.bytes();
                Ok(Loaded::new(part as Arc<dyn Any + Send + Sync>).weight(bytes))
            }
        };
        match self.0.lookup(path).by(load).await {
            Ok(found) => found.into_value().downcast().map_err(|_| Arc::new(Fault::OtherType)),
            Err(error) => Err(error.into_error().expect("it is a fault of the load's own")),
        }
    }

    /// All that is known of a data set is outdated.
    fn drop_all_of(&self, data_set: &str) -> usize {
        self.0.remove_if(|path| path.starts_with(data_set))
    }
}

static PAGE: LazyLock<Vec<u8>> = LazyLock::new(|| vec![7; 4_000]);

async fn read_page() -> Result<Page, Fault> {
    Ok(Page(PAGE.clone()))
}

#[tokio::test]
async fn entries_of_any_type_by_their_size() {
    let parts = Parts::new(10_000).expect("valid");
    let schema = parts.get("sales/schema", || async { Ok(Schema(vec!["day", "sum"])) });
    let same = parts.get("sales/schema", || async { Err(Fault::NoSuchFile("it is read once".into())) });
    let (schema, same): (Result<Arc<Schema>, _>, Result<Arc<Schema>, _>) = tokio::join!(schema, same);
    assert!(Arc::ptr_eq(&schema.expect("it is read"), &same.expect("it is shared")));
    let other = parts.get::<Page, _>("sales/schema", read_page).await;
    assert_eq!(other.map(drop).map_err(|fault| fault.to_string()), Err("the entry is of another type".into()));
    for id in 0..10 {
        let page = parts.get(&format!("sales/page {id}"), read_page).await.expect("it is read");
        assert_eq!(page.bytes(), 4_000);
        assert!(parts.0.weight() <= 10_000);
    }
    assert!(parts.0.stats().evicted > 0 && parts.0.weight() >= 4_000);
}

#[tokio::test]
async fn errors_are_the_loads_own_and_not_kept() {
    let parts = Parts::new(10_000).expect("valid");
    let missing = || async {
        tokio::task::yield_now().await;
        Err(Fault::NoSuchFile("sales/gone".into()))
    };
    let (one, other) =
        tokio::join!(parts.get::<Page, _>("sales/gone", missing), parts.get::<Page, _>("sales/gone", missing));
    let (one, other) = (one.expect_err("it fails"), other.expect_err("it fails"));
    assert!(Arc::ptr_eq(&one, &other) && *one == Fault::NoSuchFile("sales/gone".into()));
    assert_eq!(parts.get("sales/gone", read_page).await.expect("it is there by now").bytes(), 4_000);
}

#[tokio::test]
async fn a_data_set_is_dropped_and_others_go_on() {
    let parts = Parts::new(100_000).expect("valid");
    parts.get("sales/1", read_page).await.expect("it is read");
    parts.get("stock/1", read_page).await.expect("it is read");
    let slow = |path: &'static str| {
        let (done, wait) = oneshot::channel();
        let parts = parts.clone();
        let read = async move { wait.await.map_err(|_| Fault::NoSuchFile(path.into())) };
        (done, tokio::spawn(async move { parts.get::<Page, _>(path, || read).await }))
    };
    let (sales, stock) = (slow("sales/2"), slow("stock/2"));
    while parts.0.stats().loads_begun < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(parts.drop_all_of("sales/"), 1);
    // What was being read of it is served to who has asked before, and not kept.
    for (done, task) in [sales, stock] {
        done.send(Page(vec![1])).expect("somebody waits");
        assert_eq!(task.await.expect("no panic").expect("it is read").bytes(), 1);
    }
    let mut left: Vec<_> = parts.0.iter().map(|(path, _)| path).collect();
    left.sort();
    assert_eq!(left, ["stock/1", "stock/2"]);
    assert!(matches!(parts.0.get("sales/1").await, Err(LoadError::NoLoader)));
}
