//! Answers that are fetched anew before they end.

use std::time::Duration;

use crate::{
    asking::{ask, ttls, until},
    cache::CacheSettings,
    forwarder::Settings,
    scripted::{Setup, addresses, at_once, pass, patient},
};

const NAME: &str = "www.example.test.";

/// Within the last seconds the answer comes at once, and one question fetches it anew.
#[tokio::test]
async fn answers_are_fetched_ahead_of_their_end() {
    let prefetch = Duration::from_secs(10);
    let settings = Settings { cache: Some(CacheSettings { prefetch, ..CacheSettings::default() }), ..patient() };
    let setup = Setup::new(settings, at_once(|question| Some(addresses(question, &[60])))).await;
    ask(setup.address(), NAME).await;
    pass(Duration::from_secs(48)).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [12]);
    assert_eq!(setup.upstream.asked(), 1, "not yet");
    pass(Duration::from_secs(3)).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [9]);
    until(|| setup.holdings().loads == 0).await;
    assert_eq!(ttls(&ask(setup.address(), NAME).await), [60]);
    assert_eq!(setup.upstream.asked(), 2);
}
