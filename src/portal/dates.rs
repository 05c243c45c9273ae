//! Times as pages show them: the same in every language and every time zone.

use cookie::time::OffsetDateTime;

/// A time (Unix seconds) to the minute, in UTC; empty for one beyond the year 9999.
pub(super) fn minute(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
    time.map_or_else(String::new, |time| {
        format!(
            "{} {:02}:{:02} UTC",
            time.date(),
            time.hour(),
            time.minute()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::minute;

    #[test]
    fn a_time_is_written_to_the_minute() {
        assert_eq!(minute(0), "1970-01-01 00:00 UTC");
        assert_eq!(minute(1_800_000_059), "2027-01-15 08:00 UTC");
        assert_eq!(minute(u64::MAX), "");
    }
}
