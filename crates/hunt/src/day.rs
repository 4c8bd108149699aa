//! The day that a line of a log says of itself.
//!
//! Known are ISO 8601 (`2026-01-31`, `2026/01/31`), Apache's and nginx's `31/Jan/2026`, BIND's
//! `31-Jan-2026`, syslog's `Jan 31 23:59:59` (with a year behind it, or without), Cisco's `Jan 31 2026 23:59:59`, seconds
//! since 1970 at the line's start (Zeek, squid), in brackets or not, and members `ts`, `timestamp`, `@timestamp`, `time`
//! of JSON, as text or in seconds, milliseconds or microseconds; of several the outermost.
//! Days are as written there, whatever the zone; those of seconds are UTC.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Bytes of a line that are looked through.
const REACH: usize = 1024;
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
/// Members of JSON with a time; of those at one depth the first here counts.
const MEMBERS: [&[u8]; 4] = [b"ts", b"timestamp", b"@timestamp", b"time"];

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
            && let Some(day) = times(line).into_iter().find_map(|at| self.value(&line[at..]))
        {
            return Some(day);
        }
        epoch(line.strip_prefix(b"[").unwrap_or(line)).or_else(|| (0..line.len()).find_map(|at| self.at(line, at)))
    }

    /// A value of JSON that begins here.
    fn value(&self, value: &[u8]) -> Option<Date> {
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
            [_, _, a @ (b'/' | b'-'), _, _, _, b, ..] if a == b && border(11) => {
                date(number(rest.get(7..11)?)?, month(&rest[3..6])?, number(&rest[..2])?)
            }
            _ => None,
        }
    }

    /// `Jan 31 23:59:59`, then perhaps a year; or the year before the time.
    fn syslog(&self, text: &[u8]) -> Option<Date> {
        let month = month(text.get(..3)?)?;
        let day = number(text.get(4..6)?.trim_ascii_start())?;
        let time = text.get(6..15)?;
        if let Some([b' ', year @ .., b' ', _, _, b':', _, _, b':']) = text.get(6..18)
            && text[3] == b' '
        {
            return date(number(year)?, month, day);
        }
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

/// Where the values of JSON's members with a time begin: the outermost first, of one depth in the order of [`MEMBERS`].
fn times(line: &[u8]) -> Vec<usize> {
    let (mut found, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    while let Some(sign) = line.get(at) {
        at += 1;
        match sign {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at;
                while line.get(at).is_some_and(|b| *b != b'"') {
                    at += 1 + usize::from(line[at] == b'\\');
                }
                let name = line.get(start..at).unwrap_or_default();
                at += 1;
                let behind = line.get(at..).unwrap_or_default();
                let space = behind.len() - behind.trim_ascii_start().len();
                let value = behind.get(space) == Some(&b':');
                if let Some(order) = MEMBERS.iter().position(|member| value && *member == name) {
                    found.push((depth, order, at + space + 1));
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, _, at)| at).collect()
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
    let border = text.get(digits).is_none_or(|b| matches!(b, b'.' | b'e' | b' ' | b'\t' | b',' | b'}' | b']' | b'"'));
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
            ("30-Nov-2025 12:00:00.123 queries: info: client @0x7f 10.0.0.1#53 (evil.example)", "2025-11-30"),
            ("<166>Nov 30 2025 12:00:00: %ASA-6-302013: Built outbound TCP", "2025-11-30"),
            ("Nov  3 2024 12:00:00 fw : %ASA-6-302013: x", "2024-11-03"),
            ("[1750464000.123] WARN x", "2025-06-21"),
            ("[1750464000] SERVICE ALERT: x", "2025-06-21"),
            ("[   12.345678] kernel: x", "none"),
            ("x [1750464000] y", "none"),
            ("[31-Feb-2025 12:00:00 UTC] x", "none"),
            (r#"{"event":{"ts":1700000000,"x":["}"]},"time":"2025-06-21T00:00:00Z"}"#, "2025-06-21"),
            (r#"{"a":"\"{{","b":{"c":{"ts":1700000000},"timestamp" : "2025-06-21T00:00:00Z"}}"#, "2025-06-21"),
            (r#"{"b":{"ts":1750464000},"time":"yesterday"}"#, "2025-06-21"),
            (r#"{"note":"\"ts\": 1700000000","msg":"ts","t":{"time":1750464000}}"#, "2025-06-21"),
            (r#"{"ts":17504"#, "none"),
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
            for line in [
                "<34>Dec 31 23:59:59 21/Jun/2025 2025-06-21",
                "Nov 30 2025 12:00:00",
                r#"{"a\\":{"ts": "2025-06-21"}}"#,
            ] {
                let _ = days.of(&line.as_bytes()[..end.min(line.len())]);
            }
        }
    }
}
