//! The day that a line of a log says of itself.
//!
//! Known are ISO 8601 (`2026-01-31`, `2026/01/31`), Apache's and nginx's `31/Jan/2026`, syslog's `Jan 31
//! 23:59:59` (with a year behind it, or without), seconds since 1970 at the line's start (Zeek, squid), and
//! members `ts`, `timestamp`, `@timestamp`, `time` of JSON, as text or in seconds, milliseconds or microseconds.
//! Days are as written there, whatever the zone; those of seconds are UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use memchr::memmem::find;

/// Bytes of a line that are looked through.
const REACH: usize = 1024;
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
const MEMBERS: [&[u8]; 4] = [b"\"ts\":", b"\"timestamp\":", b"\"@timestamp\":", b"\"time\":"];

/// Reads days.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    today: Date,
}

impl Days {
    /// Dates without a year are of the year that ends today: `Dec 31`, read in January, is last year's.
    #[must_use]
    pub fn until(today: Date) -> Days {
        Days { today }
    }

    /// With the system's day.
    #[must_use]
    pub fn now() -> Days {
        Days { today: Timestamp::now().to_zoned_datetime(TimeZone::UTC).date() }
    }

    /// The day of a line, if it says one in its first 1,024 bytes.
    #[must_use]
    pub fn of(&self, line: &[u8]) -> Option<Date> {
        let line = &line[..line.len().min(REACH)];
        if line.first() == Some(&b'{')
            && let Some(day) = MEMBERS.iter().find_map(|member| self.member(line, member))
        {
            return Some(day);
        }
        epoch(line).or_else(|| (0..line.len()).find_map(|at| self.at(line, at)))
    }

    fn member(&self, line: &[u8], member: &[u8]) -> Option<Date> {
        let value = &line[find(line, member)? + member.len()..];
        let value = value.trim_ascii_start();
        match value.strip_prefix(b"\"") {
            Some(text) => self.at(text, 0).or_else(|| epoch(text)),
            None => epoch(value),
        }
    }

    /// A date that starts at a place.
    fn at(&self, line: &[u8], at: usize) -> Option<Date> {
        let rest = &line[at..];
        let first = *rest.first()?;
        let inside = at > 0 && line[at - 1].is_ascii_alphanumeric();
        if inside || !(first.is_ascii_digit() || first.is_ascii_uppercase()) {
            return None;
        }
        if first.is_ascii_uppercase() {
            return self.syslog(rest);
        }
        let border = |n: usize| rest.get(n).is_none_or(|b| !b.is_ascii_digit());
        match rest {
            [_, _, _, _, a @ (b'-' | b'/'), _, _, b, ..] if a == b && border(10) => {
                date(number(rest.get(..4)?)?, number(rest.get(5..7)?)?, number(rest.get(8..10)?)?)
            }
            [_, _, b'/', _, _, _, b'/', ..] if border(11) => {
                date(number(rest.get(7..11)?)?, month(&rest[3..6])?, number(&rest[..2])?)
            }
            _ => None,
        }
    }

    /// `Jan 31 23:59:59`, then perhaps a year.
    fn syslog(&self, text: &[u8]) -> Option<Date> {
        let month = month(text.get(..3)?)?;
        let day = number(text.get(4..6)?.trim_ascii_start())?;
        let time = text.get(6..15)?;
        if text[3] != b' ' || time[0] != b' ' || time[3] != b':' || time[6] != b':' {
            return None;
        }
        let behind = &text[15..];
        let fraction = behind.iter().take_while(|b| **b == b'.' || b.is_ascii_digit()).count();
        let year = behind[fraction..].strip_prefix(b" ").and_then(|rest| rest.get(..4)).and_then(number);
        if let Some(year) = year.filter(|year| (1990..2200).contains(year)) {
            return date(year, month, day);
        }
        let this = date(self.today.year().into(), month, day);
        // A day's grace for zones that are ahead.
        match this {
            Some(date) if self.today.tomorrow().is_ok_and(|tomorrow| date <= tomorrow) => Some(date),
            _ => date(i32::from(self.today.year()) - 1, month, day),
        }
    }
}

fn month(name: &[u8]) -> Option<i32> {
    MONTHS.iter().position(|month| month.as_slice() == name).map(|n| n as i32 + 1)
}

fn number(digits: &[u8]) -> Option<i32> {
    let plain = !digits.is_empty() && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit);
    plain.then(|| digits.iter().fold(0, |n, b| 10 * n + i32::from(b - b'0')))
}

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    let sane = (1990..2200).contains(&year);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().filter(|_| sane)
}

/// Seconds, milliseconds or microseconds since 1970, by how many digits there are; then no letter.
fn epoch(text: &[u8]) -> Option<Date> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let border = text.get(digits).is_none_or(|b| matches!(b, b'.' | b'e' | b' ' | b'\t' | b',' | b'}' | b'"'));
    if !matches!(digits, 10 | 13 | 16) || !border {
        return None;
    }
    let number = text[..10].iter().fold(0_i64, |n, b| 10 * n + i64::from(b - b'0'));
    // 10 digits are of 2001 to 2286.
    let time = Timestamp::from_second(number).ok().filter(|_| text[0] != b'0')?;
    Some(time.to_zoned_datetime(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_logs_write_them() {
        let days = Days::until(jiff::civil::date(2026, 1, 15));
        let told = |line: &str| days.of(line.as_bytes()).map_or("none".to_owned(), |day| day.to_string());
        let cases = [
            (r#"1.2.3.4 - - [21/Jun/2025:22:28:17 +0000] "GET / HTTP/1.1" 200"#, "2025-06-21"),
            ("2025/06/21 22:28:17 [error] 123#0: nginx", "2025-06-21"),
            ("2025-06-21T22:28:17Z x", "2025-06-21"),
            ("Jan  3 22:28:17 host sshd[1]: x", "2026-01-03"),
            ("<34>Dec 31 23:59:59 host sshd[1]: x", "2025-12-31"),
            ("[Sat Jun 21 22:28:17.123456 2024] [core:error]", "2024-06-21"),
            ("1750464000.054 950 10.28.235.244 TCP_MISS/200", "2025-06-21"),
            (r#"{"ts":1750464000.1,"id.orig_h":"10.0.0.1"}"#, "2025-06-21"),
            (r#"{"uid":"x","timestamp": 1750464000123}"#, "2025-06-21"),
            (r#"{"@timestamp":"2025-06-21T00:00:00Z","a":"2020-01-01"}"#, "2025-06-21"),
            (r#"{"note":"2020-01-01","timestamp":"2025-06-21T00:00:00+0800"}"#, "2025-06-21"),
            ("GET /a/2025-13-41 and 2025-06-211", "none"),
            ("1234567890123456789 x", "none"),
            ("no date: 10.20.30.40, 12/34/5678, May be", "none"),
            ("Feb 30 00:00:00 x", "none"),
            ("", "none"),
        ];
        for (line, day) in cases {
            assert_eq!(told(line), day, "{line}");
        }
        for end in 0..40 {
            let line = "<34>Dec 31 23:59:59 21/Jun/2025 2025-06-21";
            let _ = days.of(&line.as_bytes()[..end]);
        }
    }
}
