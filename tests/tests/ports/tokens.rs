//! Tokens by tenant: refreshed ahead of their end, dropped once a server refuses them, and not asked for in a loop.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use larder_tokio::{
    ConfigError, CurrentRuntime, Generation, LoadError, Loaded, ManualClock, Status, Ttl, larder, parts::Hosted,
};

#[derive(Clone, Debug, PartialEq)]
enum Refusal {
    NoSuchTenant,
    TooManyRequests { retry_after: u64 },
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSuchTenant => f.write_str("there is no such tenant"),
            Self::TooManyRequests { retry_after } => write!(f, "too many requests, retry after {retry_after} s"),
        }
    }
}

/// The issuer of tokens; each call takes a second of travel, and the next answer may be given beforehand.
#[derive(Default)]
struct Issuer {
    clock: ManualClock,
    issued: AtomicU32,
    next: Mutex<Option<Refusal>>,
}

impl Issuer {
    /// A token, and how long it lives from when it was issued.
    async fn token_for(&self, tenant: &str) -> Result<(Arc<str>, Duration), Refusal> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.clock.advance(Duration::from_secs(1));
        match self.next.lock().expect("nobody panics").take() {
            Some(refusal) => Err(refusal),
            None => Ok((format!("{tenant} {number}").into(), Duration::from_secs(3_600))),
        }
    }

    fn refuse_once(&self, refusal: Refusal) {
        *self.next.lock().expect("nobody panics") = Some(refusal);
    }
}

struct Tokens {
    tokens: larder::Cache<String, Arc<str>, Refusal, Hosted<CurrentRuntime, ManualClock>>,
}

/// A token, and which one it is, for who has to say that it was refused.
struct Token {
    text: Arc<str>,
    generation: Option<Generation>,
}

impl Tokens {
    fn new(issuer: &Arc<Issuer>) -> Result<Self, ConfigError> {
        let (clock, issuer) = (issuer.clock.clone(), Arc::clone(issuer));
        let tokens = larder::Cache::builder(Hosted::with_clock(clock))
            .capacity(1_000)
            .refresh_ahead(Duration::from_secs(300))
            .error_ttl(Duration::from_secs(60))
            .error_ttl_by(|refusal| match refusal {
                Refusal::TooManyRequests { retry_after } => Some(Duration::from_secs(*retry_after)),
                Refusal::NoSuchTenant => None,
            })
            .loaded_fn(move |tenant: String| {
                let issuer = Arc::clone(&issuer);
                async move {
                    let (token, lives) = issuer.token_for(&tenant).await?;
                    Ok(Loaded::new(token).ttl(Ttl::from_begin(lives)))
                }
            })
            .build()?;
        Ok(Self { tokens })
    }

    async fn get(&self, tenant: &str) -> Result<Token, LoadError<Refusal>> {
        let found = self.tokens.get_stale_spawn(tenant).await?.outcome;
        Ok(Token { generation: found.generation(), text: found.into_value() })
    }

    /// A server has refused this one. However many say so, one new token is asked for.
    fn refused(&self, tenant: &str, token: &Token) -> bool {
        token.generation.is_some_and(|generation| self.tokens.invalidate_if(tenant, generation))
    }
}

fn tokens() -> (Arc<Issuer>, Tokens) {
    let issuer = Arc::new(Issuer::default());
    let tokens = Tokens::new(&issuer).expect("valid");
    (issuer, tokens)
}

/// Lets the tasks that were spawned run to their ends.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn refreshed_ahead_and_by_tenant() {
    let (issuer, tokens) = tokens();
    let (one, same, other) = tokio::join!(tokens.get("acme"), tokens.get("acme"), tokens.get("initech"));
    let (one, same) = (one.expect("issued"), same.expect("issued"));
    assert_eq!((&*one.text, &*same.text, &*other.expect("issued").text), ("acme 0", "acme 0", "initech 1"));
    // Its life has run while it travelled: within the margin from here on, which costs nobody a wait.
    issuer.clock.set(larder::Instant::from_nanos(3_300_000_000_000));
    assert_eq!(&*tokens.get("acme").await.expect("still good").text, "acme 0");
    settle().await;
    assert_eq!(&*tokens.get("acme").await.expect("refreshed").text, "acme 2");
    assert_eq!(issuer.issued.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (issuer, tokens) = tokens();
    let held = tokens.get("acme").await.expect("issued");
    let says = (0..5).filter(|_| tokens.refused("acme", &held)).count();
    assert_eq!((says, &*tokens.get("acme").await.expect("issued").text), (1, "acme 1"));
    assert!(!tokens.refused("acme", &held), "that one is gone already");
    assert_eq!(issuer.issued.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn refusals_are_kept_by_what_they_say() {
    let (issuer, tokens) = tokens();
    for (refusal, kept) in [(Refusal::TooManyRequests { retry_after: 7 }, 7), (Refusal::NoSuchTenant, 60)] {
        let tenant = refusal.to_string();
        issuer.refuse_once(refusal.clone());
        for passed in [0, kept - 1] {
            issuer.clock.advance(Duration::from_secs(passed));
            let error = tokens.get(&tenant).await.map(drop).expect_err("refused");
            assert_eq!((error.error(), error.is_cached()), (Some(&refusal), passed > 0));
        }
        issuer.clock.advance(Duration::from_secs(1));
        assert!(tokens.get(&tenant).await.is_ok(), "asked again");
    }
    // A refusal within the margin harms nobody while the token is good.
    issuer.clock.advance(Duration::from_secs(3_400));
    tokens.get("acme").await.expect("issued");
    issuer.clock.advance(Duration::from_secs(3_400));
    issuer.refuse_once(Refusal::TooManyRequests { retry_after: 60 });
    for _ in 0..3 {
        let found = tokens.tokens.get_stale_spawn("acme").await.expect("still good").outcome;
        assert_eq!(found.status(), Status::Hit);
        settle().await;
    }
    assert_eq!(issuer.issued.load(Ordering::SeqCst), 6);
}
