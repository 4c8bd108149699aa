//! Normal forms: one spelling for each value. Refanging comes first; what can't be a value of the
//! type is an error that says so.

mod hash;
mod identifier;
mod name;
mod net;
mod url;

pub(super) use name::has_known_suffix;

use super::table::NAMED;
use super::{Observable, Type, refang};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// No value is longer than this many bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// Why a text is no value of a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is no {ty}: {reason}")]
pub struct NormaliseError {
    /// The type that was asked for.
    pub ty: Type,
    /// The text, cut short.
    pub value: String,
    /// What is wrong and how to mend it.
    pub reason: &'static str,
}

/// How a type is brought to its normal form; one name for each in the table's column `normal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Normal {
    Ipv4,
    Ipv6,
    Network,
    Domain,
    Onion,
    Url,
    Email,
    Hex(usize),
    Ssdeep,
    Tlsh,
    Lower,
    Upper,
    Name,
    Text,
    Filename,
    Regkey,
    Port,
    Asn,
    Mac,
    Vulnerability,
    Btc,
    Eth,
    Iban,
    Digits(usize, usize),
    Phone,
    Imei,
    Supi,
    Number,
}

impl Normal {
    pub(super) fn parse(text: &str) -> Option<Normal> {
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        Some(match name {
            "ipv4" => Normal::Ipv4,
            "ipv6" => Normal::Ipv6,
            "network" => Normal::Network,
            "domain" => Normal::Domain,
            "onion" => Normal::Onion,
            "url" => Normal::Url,
            "email" => Normal::Email,
            "hex" => Normal::Hex(argument.parse().ok()?),
            "ssdeep" => Normal::Ssdeep,
            "tlsh" => Normal::Tlsh,
            "lower" => Normal::Lower,
            "upper" => Normal::Upper,
            "name" => Normal::Name,
            "text" => Normal::Text,
            "filename" => Normal::Filename,
            "regkey" => Normal::Regkey,
            "port" => Normal::Port,
            "asn" => Normal::Asn,
            "mac" => Normal::Mac,
            "vulnerability" => Normal::Vulnerability,
            "btc" => Normal::Btc,
            "eth" => Normal::Eth,
            "iban" => Normal::Iban,
            "digits" => {
                let (low, high) = argument.split_once('-')?;
                Normal::Digits(low.parse().ok()?, high.parse().ok()?)
            }
            "phone" => Normal::Phone,
            "imei" => Normal::Imei,
            "supi" => Normal::Supi,
            "number" => Normal::Number,
            _ => return None,
        })
    }
}

/// The normal form of a value of a type.
///
/// # Errors
/// [`NormaliseError`] when the text is no value of that type.
pub fn normalise(ty: Type, raw: &str) -> Result<Observable, NormaliseError> {
    let text = raw.trim();
    let result = if text.is_empty() {
        Err("it is empty")
    } else if text.len() > MAX_LENGTH {
        Err("it is longer than 64 KiB; keep it as text of the record instead")
    } else {
        form(ty.row().normal, text)
    };
    result.map(|value| Observable::new(ty, value)).map_err(|reason| error(ty, text, reason))
}

fn error(ty: Type, text: &str, reason: &'static str) -> NormaliseError {
    let mut value: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    if value.len() < text.len() {
        value.push('…');
    }
    NormaliseError { ty, value, reason }
}

fn form(normal: Normal, text: &str) -> Result<String, &'static str> {
    match normal {
        Normal::Ipv4 => net::ipv4(&refang(text)),
        Normal::Ipv6 => net::ipv6(&refang(text)),
        Normal::Network => net::network(&refang(text)),
        Normal::Domain => name::domain(&refang(text)),
        Normal::Onion => name::onion(&refang(text)),
        Normal::Url => url::url(&refang(text)),
        Normal::Email => name::email(&refang(text)),
        Normal::Hex(length) => hash::hex(text, length),
        Normal::Ssdeep => hash::ssdeep(text),
        Normal::Tlsh => hash::tlsh(text),
        Normal::Lower => Ok(nfc(text)?.to_lowercase()).and_then(settled),
        Normal::Upper => Ok(nfc(text)?.to_uppercase()).and_then(settled),
        Normal::Name => identifier::name(text),
        Normal::Text => lenient(text),
        Normal::Filename => lenient(text),
        Normal::Regkey => identifier::regkey(text),
        Normal::Port => identifier::port(text),
        Normal::Asn => identifier::asn(text),
        Normal::Mac => identifier::mac(text),
        Normal::Vulnerability => identifier::vulnerability(text),
        Normal::Btc => identifier::btc(text),
        Normal::Eth => identifier::eth(text),
        Normal::Iban => identifier::iban(text),
        Normal::Digits(low, high) => identifier::digits(text, low, high),
        Normal::Phone => identifier::phone(text),
        Normal::Imei => identifier::imei(text),
        Normal::Supi => identifier::supi(text),
        Normal::Number => identifier::number(text),
    }
}

/// An address or a network, as the text says.
pub(super) fn address_or_network(text: &str) -> Result<Observable, NormaliseError> {
    let plain = refang(text.trim());
    let ty = match (plain.contains('/'), plain.contains(':') && plain.matches(':').count() > 1) {
        (true, _) => NAMED.network,
        (false, true) => NAMED.ipv6,
        (false, false) => NAMED.ipv4,
    };
    let folded = normalise(ty, text)?;
    // A mapped IPv6 address is an IPv4 address; a network of one address is that address.
    let value = folded.value();
    let ty = match value.split_once('/') {
        Some((addr, "32")) if !addr.contains(':') => return normalise(NAMED.ipv4, addr),
        Some((addr, "128")) => return normalise(NAMED.ipv6, addr),
        Some(_) => NAMED.network,
        None if value.contains(':') => NAMED.ipv6,
        None => NAMED.ipv4,
    };
    Ok(Observable::new(ty, folded.into_value()))
}

/// Upper and lower case may take turns in odd scripts: only what stays the same is a normal form.
fn settled(text: String) -> Result<String, &'static str> {
    nfc(&text)
}

/// NFC without control characters.
fn nfc(text: &str) -> Result<String, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it holds control characters");
    }
    lenient(text)
}

/// NFC, trimmed; control characters other than NUL are kept, since texts have lines.
fn lenient(text: &str) -> Result<String, &'static str> {
    if text.contains('\0') {
        return Err("it holds a NUL character");
    }
    if is_nfc(text) {
        return Ok(text.trim().to_owned());
    }
    let composed: String = text.nfc().collect();
    Ok(composed.trim().to_owned())
}
