//! Numbers and names in catalogues: AS, CVE, ports, phones, subscribers, accounts, registry keys.

fn ascii_digits(text: &str) -> String {
    // Digits of Arabic script, and the signs people put between.
    super::refang(text).chars().filter(char::is_ascii_digit).collect()
}

fn only(text: &str, allowed: &str) -> bool {
    super::refang(text).chars().all(|c| c.is_ascii_digit() || allowed.contains(c))
}

/// Names of people, actors, organisations: NFC, one blank between words, lower case.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    super::settled(super::nfc(&words.join(" "))?.to_lowercase())
}

/// Hives written out, backslashes single, lower case (Windows does not tell cases apart).
pub(super) fn regkey(text: &str) -> Result<String, &'static str> {
    const HIVES: &[(&str, &str)] = &[
        ("hklm", "hkey_local_machine"),
        ("hkcu", "hkey_current_user"),
        ("hkcr", "hkey_classes_root"),
        ("hku", "hkey_users"),
        ("hkcc", "hkey_current_config"),
    ];
    let mut key = super::nfc(text)?.to_lowercase().replace('/', "\\");
    while key.contains("\\\\") {
        key = key.replace("\\\\", "\\");
    }
    // Both at once: a blank between two of them would leave the outer one for the next time.
    let key = key.trim_matches(|c: char| c == '\\' || c.is_whitespace());
    let (hive, rest) = key.split_once('\\').unwrap_or((key, ""));
    let hive = HIVES.iter().find(|(short, _)| *short == hive.trim_end_matches(':')).map_or(hive, |(_, long)| long);
    let whole = if rest.is_empty() { hive.to_owned() } else { format!("{hive}\\{rest}") };
    if whole.trim().is_empty() { Err("it is empty") } else { super::settled(whole) }
}

pub(super) fn port(text: &str) -> Result<String, &'static str> {
    text.parse::<u16>().map(|port| port.to_string()).map_err(|_| "a port is a number from 0 to 65535")
}

/// `AS` and a number of 32 bits; `AS1.10` (RFC 5396 asdot) is read too.
pub(super) fn asn(text: &str) -> Result<String, &'static str> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.strip_prefix("ASN").or_else(|| upper.strip_prefix("AS")).unwrap_or(&upper).trim();
    let number = match digits.split_once('.') {
        Some((high, low)) => {
            high.parse::<u16>().ok().zip(low.parse::<u16>().ok()).map(|(h, l)| u32::from(h) << 16 | u32::from(l))
        }
        None => digits.parse::<u32>().ok(),
    };
    number.map(|number| format!("AS{number}")).ok_or("an AS number is AS and a number up to 4294967295")
}

/// Six bytes, lower case, colons.
pub(super) fn mac(text: &str) -> Result<String, &'static str> {
    let hex: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect::<String>().to_ascii_lowercase();
    if hex.len() != 12 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("a MAC address has twelve hex digits");
    }
    let pairs: Vec<&str> = (0..6).filter_map(|n| hex.get(n * 2..n * 2 + 2)).collect();
    Ok(pairs.join(":"))
}

/// CVE, GHSA, GCVE, EUVD and others: upper case; a CVE is checked.
pub(super) fn vulnerability(text: &str) -> Result<String, &'static str> {
    let upper = super::nfc(text)?.to_uppercase().replace(['\u{2010}', '\u{2011}', '\u{2013}'], "-");
    if let Some(rest) = upper.strip_prefix("CVE-") {
        let good = rest.split_once('-').is_some_and(|(year, number)| {
            year.len() == 4
                && (4..=12).contains(&number.len())
                && (year.to_owned() + number).bytes().all(|b| b.is_ascii_digit())
        });
        if !good {
            return Err("a CVE is CVE-, a year, and at least four digits");
        }
    }
    super::settled(upper)
}

/// Base58 addresses keep their case, bech32 ones have none.
pub(super) fn btc(text: &str) -> Result<String, &'static str> {
    let lower = text.to_ascii_lowercase();
    let bech32 = lower.strip_prefix("bc1").is_some_and(|rest| {
        (11..=87).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() && !b"1bio".contains(&b))
    });
    if bech32 {
        return Ok(lower);
    }
    let base58 = (25..=35).contains(&text.len())
        && text.starts_with(['1', '3'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b));
    if base58 { Ok(text.to_owned()) } else { Err("it is neither a base58 nor a bech32 address") }
}

pub(super) fn eth(text: &str) -> Result<String, &'static str> {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("0x") {
        Some(hex) if hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(lower),
        _ => Err("it is 0x and forty hex digits"),
    }
}

pub(super) fn iban(text: &str) -> Result<String, &'static str> {
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase();
    let good = (15..=34).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_alphanumeric());
    if good { Ok(plain) } else { Err("an IBAN has 15 to 34 letters and digits") }
}

pub(super) fn digits(text: &str, low: usize, high: usize) -> Result<String, &'static str> {
    let plain = ascii_digits(text);
    if !only(text, " -") {
        return Err("it holds signs other than digits");
    }
    if (low..=high).contains(&plain.len()) { Ok(plain) } else { Err("it has the wrong number of digits") }
}

/// E.164: `+` and up to fifteen digits.
pub(super) fn phone(text: &str) -> Result<String, &'static str> {
    let plain = ascii_digits(text);
    if !only(text.strip_prefix("tel:").unwrap_or(text), "+ -().") {
        return Err("it holds signs that no telephone number has");
    }
    // However often it was dialled: what is left must be its own normal form.
    let plain = plain.trim_start_matches("00");
    if (5..=15).contains(&plain.len()) {
        Ok(format!("+{plain}"))
    } else {
        Err("a telephone number has 5 to 15 digits (E.164)")
    }
}

/// Fourteen digits, and the check digit that follows from them (3GPP TS 23.003 annex B).
pub(super) fn imei(text: &str) -> Result<String, &'static str> {
    let plain = digits(text, 14, 16)?;
    let luhn = |digits: &str| {
        digits
            .bytes()
            .rev()
            .enumerate()
            .map(|(n, b)| {
                let d = u32::from(b - b'0') * if n % 2 == 1 { 2 } else { 1 };
                if d > 9 { d - 9 } else { d }
            })
            .sum::<u32>()
            % 10
    };
    if plain.len() == 15 && luhn(&plain) != 0 {
        return Err("its check digit is wrong");
    }
    // Sixteen digits are an IMEISV, whose last two name the software; the device is the first fourteen.
    Ok(plain.get(..14).unwrap_or(&plain).to_owned())
}

/// `imsi-` and the digits, or a network access identifier (3GPP TS 23.003 §2.2A).
pub(super) fn supi(text: &str) -> Result<String, &'static str> {
    let lower = super::nfc(text)?.to_lowercase();
    match lower.strip_prefix("imsi-") {
        Some(imsi) => digits(imsi, 14, 15).map(|imsi| format!("imsi-{imsi}")),
        None if lower.starts_with("nai-") || lower.starts_with("gci-") || lower.starts_with("gli-") => {
            super::settled(lower)
        }
        None => digits(&lower, 14, 15)
            .map(|imsi| format!("imsi-{imsi}"))
            .map_err(|_| "a SUPI begins with imsi-, nai-, gci- or gli-"),
    }
}

pub(super) fn number(text: &str) -> Result<String, &'static str> {
    text.parse::<i64>().map(|number| number.to_string()).map_err(|_| "it is no whole number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_dialled_twice_over_is_the_same_number() {
        for text in ["0060123456789", "000060123456789", "+00 60 12345-6789"] {
            assert_eq!(phone(text).unwrap(), "+60123456789");
        }
        assert!(phone("000.0.00.0").is_err());
    }

    #[test]
    fn a_key_s_end_is_its_end_also_the_second_time() {
        let once = regkey("HKLM\\Software\\V\\\\ \\\\").unwrap();
        assert_eq!(once, "hkey_local_machine\\software\\v");
        assert_eq!(regkey(&once).unwrap(), once);
    }
}
