//! Fingerprints: lower-case hex of one length; ssdeep and TLSH in their own shapes.

/// Hex of exactly `length` digits; colons, blanks and hyphens between bytes are dropped.
pub(super) fn hex(text: &str, length: usize) -> Result<String, &'static str> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let plain: String = if text.len() == length {
        text.to_ascii_lowercase()
    } else {
        text.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect::<String>().to_ascii_lowercase()
    };
    if !plain.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("it holds signs other than 0-9 and a-f");
    }
    if plain.len() != length {
        return Err("it has the wrong number of digits for this hash");
    }
    Ok(plain)
}

/// `blocksize:hash:hash`.
pub(super) fn ssdeep(text: &str) -> Result<String, &'static str> {
    let mut fields = text.splitn(3, ':');
    let size = fields.next().and_then(|size| size.parse::<u64>().ok());
    let base64 = |text: Option<&str>| {
        text.is_some_and(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/')))
    };
    let second = fields.next();
    // A file name may follow after a comma.
    let third = fields.next().map(|text| text.split(',').next().unwrap_or(text));
    match size {
        Some(size) if base64(second) && base64(third) => {
            Ok(format!("{size}:{}:{}", second.unwrap_or_default(), third.unwrap_or_default()))
        }
        _ => Err("it is not of the form blocksize:hash:hash"),
    }
}

/// 70 hex digits, with `T1` before them in newer versions.
pub(super) fn tlsh(text: &str) -> Result<String, &'static str> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("t1").unwrap_or(&lower);
    if digits.len() == 70 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(digits.to_owned())
    } else {
        Err("it has 70 hex digits, with or without T1 before them")
    }
}
