//! What programs do with caches in their structs: methods that load, state that tasks share, clocks that tests own. (C119)

use std::sync::Arc;

use larder_tests::Duration;
use larder_tokio::{
    BoxError, Cache, Clock, ConfigError, CurrentRuntime, LazySlot, Loaded, ManualClock, Tokio, TokioClock, larder,
    parts::Hosted,
};

/// Something that answers questions, and counts those who hold on to it.
struct Database(&'static str);

impl Database {
    async fn name_of(&self, id: u64) -> Result<String, BoxError> {
        Ok(format!("{} {id}", self.0))
    }
}

/// A service whose calls bring their loads.
struct Users {
    database: Arc<Database>,
    names: Cache<u64, String>,
}

impl Users {
    /// The closure borrows; its future owns a handle, which is made on a miss alone.
    async fn name(&self, id: u64) -> Result<String, BoxError> {
        let load = || {
            let database = Arc::clone(&self.database);
            async move { database.name_of(id).await }
        };
        Ok(self.names.get_or_load(&id, load).await?)
    }

    /// The future borrows as well.
    async fn name_lent(&self, id: u64) -> Result<String, BoxError> {
        Ok(self.names.get_with(&id, || self.database.name_of(id)).await?)
    }
}

/// C119: a method whose load borrows until the miss.
#[tokio::test]
async fn c119_a_load_that_borrows_until_the_miss() {
    let users = Users { database: Arc::new(Database("user")), names: Cache::new(100) };
    assert_eq!(users.name(7).await.expect("it is loaded"), "user 7");
    assert_eq!(Arc::strong_count(&users.database), 1, "the load is gone, and its handle with it");
    assert_eq!(users.name(7).await.expect("it is there"), "user 7");
    assert_eq!(users.name_lent(7).await.expect("it is there"), "user 7");
    assert_eq!(users.name_lent(8).await.expect("it is loaded"), "user 8");
    assert_eq!(users.names.stats().loads_begun, 2);
}

/// What a web server hands to its handlers: cloned for each request, and shared by all.
#[derive(Clone)]
struct State {
    users: Arc<Users>,
    pages: Cache<String, Arc<str>>,
    token: LazySlot<String>,
}

impl State {
    fn new() -> Result<Self, ConfigError> {
        let pages = Cache::builder(Tokio::new())
            .load_fn(|path: String| async move { Ok(Arc::from(format!("<p>{path}</p>"))) })
            .build()?;
        let token =
            LazySlot::builder(Tokio::new()).fetch_fn(|_| async { Ok(Loaded::new(String::from("t0k3n"))) }).build()?;
        Ok(Self {
            users: Arc::new(Users { database: Arc::new(Database("user")), names: Cache::new(100) }),
            pages,
            token,
        })
    }
}

/// A handler, which the server runs as a task.
async fn show(state: State, id: u64) -> Result<String, BoxError> {
    let (name, page) = tokio::try_join!(state.users.name(id), async { Ok(state.pages.get("/users").await?) })?;
    Ok(format!("{} {name} {page}", state.token.get().await?))
}

/// Anything with a handler's signature.
fn serve<S, F>(state: &S, handler: impl Fn(S, u64) -> F) -> Vec<tokio::task::JoinHandle<F::Output>>
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output: Send> + Send + 'static,
{
    (0..20).map(|n| tokio::spawn(handler(state.clone(), n % 2))).collect()
}

/// C119: state that handlers share, in tasks.
#[tokio::test]
async fn c119_state_that_tasks_share() {
    let state = State::new().expect("valid");
    for (n, request) in serve(&state, show).into_iter().enumerate() {
        let answer = request.await.expect("no panic").expect("it is loaded");
        assert_eq!(answer, format!("t0k3n user {} <p>/users</p>", n % 2));
    }
    assert_eq!((state.users.names.stats().loads_begun, state.pages.stats().loads_begun), (2, 1));
    assert_eq!(state.token.stats().loads_begun, 1);
}

/// A service on tokio whose clock is a parameter.
struct Quotes<C: Clock + Clone = TokioClock> {
    quotes: larder::Cache<u32, String, BoxError, Hosted<CurrentRuntime, C>>,
}

impl<C: Clock + Clone + Send + Sync + 'static> Quotes<C> {
    fn new(clock: C) -> Result<Self, ConfigError> {
        let quotes = larder::Cache::builder(Hosted::with_clock(clock))
            .ttl(Duration::from_secs(60))
            .load_fn(|id: u32| async move { Ok(format!("quote {id}")) })
            .build()?;
        Ok(Self { quotes })
    }

    fn in_background(self: &Arc<Self>, id: u32) -> tokio::task::JoinHandle<Result<String, BoxError>> {
        let this = Arc::clone(self);
        tokio::spawn(async move { Ok(this.quotes.get(&id).await?) })
    }
}

/// C119: a clock of the test's own in code that spawns.
#[tokio::test]
async fn c119_a_clock_of_ones_own_in_tasks() {
    let clock = ManualClock::new();
    let quotes = Arc::new(Quotes::new(clock.clone()).expect("valid"));
    for (seconds, loads) in [(0, 1), (59, 1), (1, 2)] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(quotes.in_background(7).await.expect("no panic").expect("it is loaded"), "quote 7");
        assert_eq!(quotes.quotes.stats().loads_begun, loads);
    }
    let on_tokio = Quotes::new(TokioClock::new()).expect("valid");
    assert_eq!(Arc::new(on_tokio).in_background(7).await.expect("no panic").expect("it is loaded"), "quote 7");
}
