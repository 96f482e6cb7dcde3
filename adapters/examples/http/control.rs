//! The lifetime of an answer by its `Cache-Control` header, RFC 9111.

use std::time::Duration;

use hyper::{
    HeaderMap,
    header::{AGE, CACHE_CONTROL},
};
use larder_tokio::Ttl;

/// Returns how long a shared cache may keep an answer with these headers; none if they do not say.
pub(crate) fn lifetime(headers: &HeaderMap) -> Option<Ttl> {
    let mut values = headers.get_all(CACHE_CONTROL).iter().peekable();
    values.peek()?;
    let (mut own, mut shared) = (None, None);
    for directive in values.filter_map(|value| value.to_str().ok()).flat_map(directives) {
        let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            // "no-cache" may be kept, but not used without asking; that is the same as not keeping it.
            "no-store" | "no-cache" | "private" => return Some(Ttl::NotStored),
            // The first of several counts.
            "max-age" => own = own.or_else(|| Some(seconds(argument))),
            "s-maxage" => shared = shared.or_else(|| Some(seconds(argument))),
            _ => {}
        }
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()).map_or(0, seconds);
    let left = shared.or(own).unwrap_or(0).saturating_sub(age);
    Some(if left == 0 { Ttl::NotStored } else { Ttl::For(Duration::from_secs(left)) })
}

/// Splits at commas, except within quotes.
fn directives(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value.split(move |character| {
        quoted ^= character == '"';
        character == ',' && !quoted
    })
}

/// Reads a number of seconds: nothing if it is not a number, and `LONGEST` if it is too large.
fn seconds(text: &str) -> u64 {
    let digits = text.trim().trim_matches('"');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    digits.parse().unwrap_or(u64::MAX).min(LONG)
}

/// What a cache takes for a number that it cannot represent, by RFC 9111: 68 years.
const LONG: u64 = 1 << 31;
