//! Is a comparison true of an object (§9.6)? Values of types that do not go together are unequal
//! and have no order; that is no error. Strings are equal and ordered by code points, as they are; only
//! LIKE and MATCHES bring both sides to Unicode's normal form C first.

use crate::lexer::{base64, hex, time};
use crate::like::like;
use crate::observed::{Batch, Object, Observation};
use crate::select::select;
use crate::{Comparison, Constant, Json, Leniency, Mode, Network, Note, Op, Relation, Step, Test};
use std::borrow::Cow;
use std::cmp::Ordering;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Is it true of this object? Notes say which leniency that took.
pub(crate) fn holds(
    comparison: &Comparison,
    batch: &Batch<'_>,
    seen: &Observation<'_>,
    object: &Object<'_>,
    mode: Mode,
    notes: &mut Vec<Note>,
) -> bool {
    let before = notes.len();
    let truth = part_holds(comparison, batch, seen, object, mode, notes);
    if !truth {
        notes.truncate(before);
    }
    truth
}

fn part_holds(
    comparison: &Comparison,
    batch: &Batch<'_>,
    seen: &Observation<'_>,
    object: &Object<'_>,
    mode: Mode,
    notes: &mut Vec<Note>,
) -> bool {
    match comparison {
        Comparison::And(all, _) => all.iter().all(|part| part_holds(part, batch, seen, object, mode, notes)),
        Comparison::Or(all, _) => all.iter().any(|part| holds(part, batch, seen, object, mode, notes)),
        Comparison::Test(test) => holds_test(test, batch, seen, object, mode, notes),
    }
}

fn holds_test(
    test: &Test,
    batch: &Batch<'_>,
    seen: &Observation<'_>,
    object: &Object<'_>,
    mode: Mode,
    notes: &mut Vec<Note>,
) -> bool {
    if object.kind != test.path.object {
        return false;
    }
    let selected = select(batch, seen, object, &test.path.steps, mode);
    let (truth, by) = if matches!(test.op, Op::Exists) {
        (selected.values.is_empty() == test.negated, None)
    } else {
        let mut found = (false, None);
        for value in &selected.values {
            let (truth, by) = value_test(test, value, mode);
            if truth {
                found = (true, by);
                // What is true without leniency needs no note.
                if by.is_none() {
                    break;
                }
            }
        }
        found
    };
    if truth {
        for leniency in selected.lenient.into_iter().chain(by) {
            if !notes.iter().any(|n| n.leniency == leniency && n.span.start == test.span.start) {
                notes.push(Note { leniency, span: test.span });
            }
        }
    }
    truth
}

/// What a value is to comparisons.
enum Side<'v> {
    Json(&'v Json<'v>),
    /// Of a property whose name ends in `_hex` or `_bin`.
    Bytes(Vec<u8>),
}

fn value_test(test: &Test, json: &Json<'_>, mode: Mode) -> (bool, Option<Leniency>) {
    let bytes = match (test.path.steps.last(), json) {
        (Some(Step::Key(key)), Json::Text(text)) if key.ends_with("_hex") => hex(text),
        (Some(Step::Key(key)), Json::Text(text)) if key.ends_with("_bin") => base64(text),
        _ => None,
    };
    let side = bytes.map_or(Side::Json(json), Side::Bytes);
    let is_hash = || test.path.steps.iter().rev().nth(1) == Some(&Step::Key("hashes".into()));
    let (truth, by) = match &test.op {
        Op::Compare(relation @ (Relation::Equal | Relation::NotEqual), constant) => {
            let (equal, by) = equal(constant, &side, mode, is_hash);
            (equal != (*relation == Relation::NotEqual), by)
        }
        Op::Compare(relation, constant) => {
            let (Some(order), by) = order(constant, &side, mode) else { return (false, None) };
            let truth = match relation {
                Relation::Less => order.is_lt(),
                Relation::Greater => order.is_gt(),
                Relation::LessOrEqual => order.is_le(),
                _ => order.is_ge(),
            };
            (truth, by)
        }
        Op::In(set) => {
            let mut found = (false, None);
            for constant in set {
                let (equal, by) = equal(constant, &side, mode, is_hash);
                if equal {
                    found = (true, by);
                    if by.is_none() {
                        break;
                    }
                }
            }
            found
        }
        Op::Like(mask) => {
            let text = match &side {
                Side::Json(json) => json.text(),
                Side::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            };
            (text.is_some_and(|text| like(&nfc(mask), &nfc(text))), None)
        }
        Op::Matches(expression) => match &side {
            Side::Json(Json::Text(text)) => (expression.found_in(&nfc(text)), None),
            Side::Json(_) => (false, None),
            Side::Bytes(bytes) => (expression.found_in_bytes(bytes), None),
        },
        Op::IsSubset(outer) => (network(&side).is_some_and(|inner| outer.contains(&inner)), None),
        Op::IsSuperset(inner) => (network(&side).is_some_and(|outer| outer.contains(inner)), None),
        Op::Exists => (true, None),
    };
    (truth != test.negated, by)
}

fn network(side: &Side<'_>) -> Option<Network> {
    match side {
        Side::Json(json) => Network::read(json.text()?),
        Side::Bytes(_) => None,
    }
}

fn equal(constant: &Constant, side: &Side<'_>, mode: Mode, is_hash: impl Fn() -> bool) -> (bool, Option<Leniency>) {
    match (constant, side) {
        (Constant::Boolean(a), Side::Json(Json::Boolean(b))) => (a == b, None),
        (Constant::Text(a), Side::Json(Json::Text(b))) => {
            let same = a == b;
            let alike = !same && mode.tolerant() && a.eq_ignore_ascii_case(b) && is_hash();
            (same || alike, alike.then_some(Leniency::HashSpelling))
        }
        _ => {
            let (order, by) = order(constant, side, mode);
            (order == Some(Ordering::Equal), by)
        }
    }
}

/// How the value stands to the constant; `None` where there is no order.
fn order(constant: &Constant, side: &Side<'_>, mode: Mode) -> (Option<Ordering>, Option<Leniency>) {
    let strict = match (constant, side) {
        (Constant::Integer(_) | Constant::Float(_), Side::Json(json)) => {
            number(constant).zip(json_number(json)).and_then(|(c, v)| v.order(c))
        }
        (Constant::Text(a), Side::Json(Json::Text(b))) => Some(b.as_ref().cmp(a.as_str())),
        // A string goes with bytes when all its characters are below 256 (§9.6).
        (Constant::Text(a), Side::Bytes(b)) => latin(a).map(|a| b.as_slice().cmp(&a)),
        (Constant::Hex(a) | Constant::Binary(a), Side::Bytes(b)) => Some(b.cmp(a)),
        (Constant::Hex(a) | Constant::Binary(a), Side::Json(Json::Text(b))) => latin(b).map(|b| b.as_slice().cmp(a)),
        (Constant::Time(a), Side::Json(Json::Text(b))) => time(b).ok().map(|b| b.cmp(a)),
        _ => None,
    };
    if strict.is_some() || !mode.tolerant() {
        return (strict, None);
    }
    let lenient = match (constant, side) {
        (Constant::Text(a), Side::Json(json)) => read_number(a).zip(json_number(json)).and_then(|(c, v)| v.order(c)),
        (Constant::Integer(_) | Constant::Float(_), Side::Json(Json::Text(b))) => {
            number(constant).zip(read_number(b)).and_then(|(c, v)| v.order(c))
        }
        _ => None,
    };
    (lenient, lenient.map(|_| Leniency::NumberLikeText))
}

#[derive(Clone, Copy)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    /// Exact, also where a double can't hold the whole number.
    fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b),
            (Number::Integer(a), Number::Float(b)) => whole_and_broken(a, b),
            (Number::Float(a), Number::Integer(b)) => whole_and_broken(b, a).map(Ordering::reverse),
        }
    }

    /// Equal numbers have one key; a key may be shared by others.
    pub(crate) fn key(self) -> u64 {
        let value = match self {
            Number::Integer(n) => n as f64,
            Number::Float(n) => n,
        };
        if value == 0.0 { 0 } else { value.to_bits() }
    }
}

fn whole_and_broken(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        None
    } else if b >= 9.3e18 {
        Some(Ordering::Less)
    } else if b <= -9.3e18 {
        Some(Ordering::Greater)
    } else {
        // Within these bounds the whole part is exact in 128 bits.
        let whole = b.trunc() as i128;
        Some(i128::from(a).cmp(&whole).then_with(|| 0.0f64.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal)))
    }
}

pub(crate) fn number(constant: &Constant) -> Option<Number> {
    match constant {
        Constant::Integer(n) => Some(Number::Integer(*n)),
        Constant::Float(n) => Some(Number::Float(*n)),
        _ => None,
    }
}

pub(crate) fn json_number(json: &Json<'_>) -> Option<Number> {
    match json {
        Json::Integer(n) => Some(Number::Integer(*n)),
        Json::Float(n) => Some(Number::Float(*n)),
        _ => None,
    }
}

/// A text that is a number and nothing else.
pub(crate) fn read_number(text: &str) -> Option<Number> {
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.')) {
        return None;
    }
    let whole = text.parse().ok().map(Number::Integer);
    whole.or_else(|| text.parse().ok().map(Number::Float))
}

fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The text in Unicode's normal form C; nearly always it is already.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}
