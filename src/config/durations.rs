//! Durations as Authelia writes them: `30`, `5m`, `1 hour`, `2 minutes and 5 seconds`.

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing in it can be read as a quantity.
    #[error("is not a duration; write for instance 300, 5m, 1 hour or 1h30m")]
    Malformed,
    /// A unit that does not exist.
    #[error(
        "has the unknown unit `{0}`; units are s, m, h, d, w, M (30 days), \
        y (365 days) and their long names"
    )]
    Unit(String),
    /// A point or a comma.
    #[error("has a fraction or a comma; write whole numbers, for instance 1h30m")]
    Fraction,
    /// Below nothing.
    #[error("is negative")]
    Negative,
    /// More than about 292 years.
    #[error("is longer than 292 years")]
    TooLong,
}

/// The longest duration, in nanoseconds.
const MAX_NANOS: u128 = i64::MAX as u128;

/// Reads a duration; the answer is in seconds, a part of a second counting as a whole one.
///
/// Digits alone are seconds, an empty text is 0.
pub fn parse(text: &str) -> Result<u64, DurationError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Ok(0);
    }
    if rest.starts_with('-') {
        return Err(DurationError::Negative);
    }
    if rest.bytes().all(|b| b.is_ascii_digit()) {
        return seconds(nanos(rest, 1_000_000_000)?);
    }
    let mut sum: u128 = 0;
    while !rest.is_empty() {
        let (part, after) = quantity(rest)?;
        sum = sum.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix("and") {
            rest = after.trim_start();
            if rest.is_empty() {
                return Err(DurationError::Malformed);
            }
        }
    }
    if sum == 0 {
        return Err(DurationError::Malformed);
    }
    seconds(sum)
}

/// The first `NUMBER UNIT` of `text` in nanoseconds, and what follows it.
fn quantity(text: &str) -> Result<(u128, &str), DurationError> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() {
        return Err(DurationError::Malformed);
    }
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| c.is_ascii_digit() || c.is_whitespace())
        .unwrap_or(rest.len());
    let (mut unit, mut after) = rest.split_at(end);
    if let Some(cut) = unit
        .strip_suffix("and")
        .filter(|cut| nanos_of(cut).is_some())
    {
        unit = cut;
        after = &rest[cut.len()..];
    }
    if unit.starts_with(['.', ',']) || unit.ends_with(',') {
        return Err(DurationError::Fraction);
    }
    let one = nanos_of(unit).ok_or_else(|| DurationError::Unit(unit.into()))?;
    Ok((nanos(number, one)?, after))
}

fn nanos(number: &str, one: u128) -> Result<u128, DurationError> {
    let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
    Ok(u128::from(number) * one)
}

fn seconds(nanos: u128) -> Result<u64, DurationError> {
    if nanos > MAX_NANOS {
        return Err(DurationError::TooLong);
    }
    u64::try_from(nanos.div_ceil(1_000_000_000)).map_err(|_| DurationError::TooLong)
}

/// Nanoseconds in one of a unit; no unit is seconds.
fn nanos_of(unit: &str) -> Option<u128> {
    const SECOND: u128 = 1_000_000_000;
    const DAY: u128 = 86_400 * SECOND;
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" | "millisecond" | "milliseconds" => 1_000_000,
        "" | "s" | "second" | "seconds" => SECOND,
        "m" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hour" | "hours" => 3_600 * SECOND,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        "M" | "month" | "months" => 30 * DAY,
        "y" | "year" | "years" => 365 * DAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_duration() {
        for (text, expected) in [
            ("", 0),
            ("0", 0),
            ("30", 30),
            ("30s", 30),
            ("1m", 60),
            ("1 hour", 3600),
            ("1 month", 30 * 86_400),
            ("1M", 30 * 86_400),
            ("1y", 365 * 86_400),
            ("1w 2d", 9 * 86_400),
            ("1h 30", 3630),
            ("5 milliseconds", 1),
            ("1500ms", 2),
            ("1ns", 1),
            ("7us", 1),
            ("7µs", 1),
            ("1d12h", 129_600),
            ("1h30m", 5400),
            ("2 minutes and 5 seconds", 125),
            ("2minutesand5seconds", 125),
            ("1 year and 1 week", 372 * 86_400),
            (" 5 m ", 300),
            ("1h0m", 3600),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_none() {
        use DurationError::*;
        for (text, expected) in [
            ("abc", Malformed),
            ("and", Malformed),
            ("1h and", Malformed),
            ("h1", Malformed),
            ("0s", Malformed),
            ("+5m", Malformed),
            ("-1", Negative),
            ("-5m", Negative),
            ("1.5h", Fraction),
            ("1,5h", Fraction),
            ("1 hour, 30 minutes", Fraction),
            ("1H", Unit("H".into())),
            ("1 Hour", Unit("Hour".into())),
            ("10 parsecs", Unit("parsecs".into())),
            ("300y", TooLong),
            ("99999999999999999999", TooLong),
            ("99999999999999999999m", TooLong),
        ] {
            assert_eq!(parse(text), Err(expected), "{text:?}");
        }
    }
}
