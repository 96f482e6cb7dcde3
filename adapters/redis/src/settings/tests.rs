use std::time::Duration;

use larder::Ttl;

use super::{Settings, millis};
use crate::TierConfigError;

#[test]
fn each_setting_that_makes_no_sense_is_named() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = Settings::new();
        change(&mut settings);
        settings.check().err()
    };
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|s| s.lease = Duration::from_secs(3600)), None);
    assert_eq!(refused(|s| s.names.namespace.clear()), Some(TierConfigError::Namespace));
    assert_eq!(refused(|s| s.names.namespace = "a{b".into()), Some(TierConfigError::Namespace));
    assert_eq!(refused(|s| s.lease = Duration::from_micros(999)), Some(TierConfigError::Lease));
    assert_eq!(refused(|s| s.epoch_memory = Some(s.lease / 2)), Some(TierConfigError::EpochMemory));
    assert_eq!(refused(|s| s.ttl = Ttl::For(Duration::ZERO)), Some(TierConfigError::Ttl));
    assert_eq!(refused(|s| s.ttl = Ttl::Inherit), Some(TierConfigError::Ttl));
    assert_eq!(refused(|s| s.deadline = Duration::ZERO), Some(TierConfigError::Deadline));
    assert_eq!(refused(|s| s.ping_every = Duration::ZERO), Some(TierConfigError::PingEvery));
    assert_eq!(refused(|s| s.hearing_limit = s.ping_every), Some(TierConfigError::HearingLimit));
    assert_eq!(refused(|s| s.poll_every = Duration::ZERO), Some(TierConfigError::PollEvery));
    assert_eq!(refused(|s| s.alone = 0), Some(TierConfigError::Alone));
}

#[test]
fn times_are_told_in_milliseconds_and_saturate() {
    assert_eq!(millis(Duration::from_micros(1_999)), "1");
    assert_eq!(millis(Duration::MAX), (1_u64 << 47).to_string());
}
