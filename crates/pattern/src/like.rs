//! LIKE (§9.6): `%` is any run of characters, `_` one; the whole value has to fit.

/// Does the whole value fit? A line feed is a character as any other. On a mismatch, the last `%` takes one
/// character more. Work: length of the mask × length of the value at most.
pub(crate) fn like(mask: &str, value: &str) -> bool {
    let (mut m, mut v) = (mask.chars(), value.chars());
    let mut back: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let before_v = v.clone();
        match (m.next(), v.next()) {
            (Some('%'), _) => {
                back = Some((m.clone(), before_v.clone()));
                v = before_v;
                continue;
            }
            (None, None) => return true,
            (Some('_'), Some(_)) => continue,
            (Some(a), Some(b)) if a == b => continue,
            _ => {}
        }
        let Some((after, from)) = &mut back else { return false };
        if from.next().is_none() {
            return false;
        }
        (m, v) = (after.clone(), from.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn masks() {
        for (mask, value, fits) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%", "abc", true),
            ("%", "a\nb", true),
            ("%\n%", "a\nb", true),
            ("a%\n%", "b\na\n", false),
            ("_", "\n", true),
            ("_", "é", true),
            ("_", "", false),
            ("a%c", "abbbc", true),
            ("a%c", "abbbcd", false),
            ("%b%", "abc", true),
            ("%.exe", "x.exe.exe", true),
            ("%.exe", "x.exe\n", false),
            ("a_c%", "abc", true),
            ("%a%b%c%", "xxaxxbxxc", true),
            ("%a%b%c%", "xxbxxaxxc", false),
            ("100%", "100 per cent", true),
            ("a.c", "abc", false),
        ] {
            assert_eq!(like(mask, value), fits, "{mask:?} {value:?}");
        }
    }

    #[test]
    fn a_hostile_mask_is_not_exponential() {
        let value = "a".repeat(20_000);
        assert!(!like(&format!("{}b", "%a".repeat(500)), &value));
    }
}
