//! What is broken on purpose, so that the fault driver can be seen to notice: one mutant at a time, named by the environment's
//! `LARDER_TIER_MUTANT`, and only with the feature `driver`.

use std::borrow::Cow;

/// Whether the tier is to be broken in this way.
#[cfg(feature = "driver")]
pub(crate) fn is(name: &str) -> bool {
    static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var("LARDER_TIER_MUTANT").unwrap_or_default()) == name
}

#[cfg(not(feature = "driver"))]
pub(crate) const fn is(_: &str) -> bool {
    false
}

/// A script as it is run.
#[cfg(feature = "driver")]
pub(crate) fn script(text: &'static str) -> Cow<'static, str> {
    /// The mutant, what it takes out, and what it puts there.
    const CHANGES: [(&str, &str, &str); 5] = [
        ("publish-always", "e[1] == ARGV[8] and tonumber(ARGV[9]) >= tonumber(e[2] or '0')", "true"),
        ("no-late", "e[1] == ARGV[8] and tonumber(ARGV[9]) >= tonumber(e[2] or '0')", "ours"),
        ("no-nx", "ARGV[1], 'NX', 'PX'", "ARGV[1], 'PX'"),
        ("keep-epoch", "redis.call('DEL', KEYS[1], KEYS[2], KEYS[4])", "redis.call('DEL', KEYS[1], KEYS[2])"),
        // (As if the value's own key were tracked: who has it no more is told nothing.)
        ("no-notice", "redis.call('SET', KEYS[3], '')\nredis.call('DEL', KEYS[3])\nreturn 1", "return 1"),
    ];
    let change = CHANGES.into_iter().find(|(name, from, _)| is(name) && text.contains(from));
    change.map_or(Cow::Borrowed(text), |(_, from, to)| Cow::Owned(text.replace(from, to)))
}

#[cfg(not(feature = "driver"))]
pub(crate) const fn script(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}
