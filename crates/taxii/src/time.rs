//! Timestamps (TAXII 2.1 §2): UTC, six digits of the second.

/// Unix microseconds as TAXII writes them.
#[must_use]
pub(crate) fn text(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Unix microseconds of an RFC 3339 time, with any digits of the second.
#[must_use]
pub(crate) fn read(text: &str) -> Option<i64> {
    // What the library takes beyond RFC 3339 §5.6 (a date alone, a week, a zone's name) is none here.
    let is_time = text.len() >= 20 && matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '));
    let ends_in_zone =
        text.ends_with(['Z', 'z']) || text.as_bytes().iter().rev().nth(5).is_some_and(|sign| b"+-".contains(sign));
    if !is_time || !ends_in_zone {
        return None;
    }
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_2_a_timestamp_is_utc_with_microseconds() {
        assert_eq!(text(1_478_090_074_123_450), "2016-11-02T12:34:34.123450Z");
        assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn times_of_other_precision_are_read_and_others_are_not() {
        for time in ["2016-11-02T12:34:34Z", "2016-11-02T12:34:34.000000Z", "2016-11-02T14:34:34.0+02:00"] {
            assert_eq!(read(time), Some(1_478_090_074_000_000), "{time}");
        }
        for time in [
            "2016-11-02",
            "yesterday",
            "",
            "2016-13-02T12:34:34Z",
            "1478090074",
            "2016-11-02T12:34:34",
            "2016-11-02T12:34:34[UTC]",
        ] {
            assert_eq!(read(time), None, "{time}");
        }
    }
}
