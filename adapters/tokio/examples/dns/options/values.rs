//! Values of options, from text.

use std::{fmt, str::FromStr, time::Duration};

use super::UsageError;

pub(super) fn number<T: FromStr<Err: fmt::Display>>(name: &str, value: &str) -> Result<T, UsageError> {
    value.parse().map_err(|error| UsageError(format!("--{name} {value}: {error}")))
}

pub(super) fn positive<T>(name: &str, value: &str) -> Result<T, UsageError>
where
    T: FromStr<Err: fmt::Display> + Default + PartialEq,
{
    match number(name, value)? {
        zero if zero == T::default() => Err(UsageError(format!("--{name} {value}: must be at least 1"))),
        number => Ok(number),
    }
}

pub(super) fn share(name: &str, value: &str) -> Result<f64, UsageError> {
    match number(name, value)? {
        share if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(UsageError(format!("--{name} {value}: must be between 0 and 1"))),
    }
}

/// Reads "64M", "1G", "500K"; without a unit they are bytes.
pub(super) fn size(name: &str, value: &str) -> Result<u64, UsageError> {
    let (digits, unit) = split(value);
    let shift = match unit {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return Err(UsageError(format!("--{name} {value}: the units of size are K, M and G"))),
    };
    let size: u64 = number(name, digits)?;
    size.checked_mul(1 << shift).ok_or_else(|| UsageError(format!("--{name} {value}: that is too much")))
}

/// Reads "1.8s", "200ms", "5m", "12h", "1d"; without a unit they are seconds.
pub(super) fn duration(name: &str, value: &str) -> Result<Duration, UsageError> {
    let (digits, unit) = split(value);
    let unit = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return Err(UsageError(format!("--{name} {value}: the units of time are ms, s, m, h and d"))),
    };
    let seconds: f64 = number(name, digits)?;
    Duration::try_from_secs_f64(seconds * unit).map_err(|error| UsageError(format!("--{name} {value}: {error}")))
}

fn split(value: &str) -> (&str, &str) {
    value.split_at(value.trim_end_matches(|character: char| character.is_ascii_alphabetic()).len())
}
