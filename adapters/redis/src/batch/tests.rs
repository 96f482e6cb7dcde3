use std::{
    future::{poll_fn, ready},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::FutureExt;
use larder::ManualClock;

use super::Answer;
use crate::{
    Codec, TierError,
    alone::Places,
    decide::Found,
    fakes::{Manners, Nothing, link},
    host::lock,
    origin::Many,
    scripts::Script,
    settings::Settings,
    shared::{Asked, Shared},
    wire::Reply,
};

const LONG: Duration = Duration::from_secs(60);

struct Nowhere;

impl Codec<u64> for Nowhere {
    fn fingerprint(&self) -> String {
        "1".into()
    }

    fn write(&self, _: &u64) -> Option<Vec<u8>> {
        None
    }

    fn read(&self, _: &[u8]) -> Option<u64> {
        None
    }
}

#[test]
fn t8_a_batch_that_is_dropped_when_it_has_failed_is_cooled_down() {
    let link = link(&ManualClock::new(), Settings { lease: LONG, cool_down: LONG, ..Settings::new() });
    // Each lookup is given its lease, and none can be given back. (With many futures that are awake, not all are polled at
    // once.)
    let server = Manners::new(|call| async move {
        if call.script != Script::Lookup {
            let never: Poll<()> = Poll::Pending;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                never
            })
            .await;
        }
        let lead = (b"L".to_vec(), 0, 0, 60_000, Vec::new(), Vec::new(), b"e".to_vec(), 1, 0);
        Ok(Reply::Found(Found::read(lead).expect("an answer")))
    });
    link.set_line(Some(server.line()));
    let shared = Arc::new(Shared {
        link: Arc::clone(&link),
        codec: Arc::new(Nowhere),
        fingerprint: "1".into(),
        origin: Box::new(|_, _| Box::pin(ready(Err(TierError::Missing)))),
        first_tier: Box::<Nothing>::default(),
        alone: Places::new(1, LONG),
    });
    let many: Many<u64, u64, ()> = Arc::new(|_| Box::pin(ready(Err(()))));
    let asked = Asked { begun: link.now(), is_reload: false };
    let batch = shared.lookup_many(many, (0..64).collect(), asked, |_, _: Answer<u64, ()>| ());
    assert_eq!(batch.now_or_never(), None);
    let releases = lock(&link.outbox).take_releases(link.now(), usize::MAX);
    let cooling = releases.iter().filter(|release| release.cool_down == LONG).count();
    assert_eq!((releases.len(), cooling), (64, 64));
}
