//! Addresses of another server: what was given is put into one spelling, and what the server says of itself is taken
//! with care. Behind a proxy a server often knows neither its scheme nor its name.

use super::ClientError;
use manara_model::record::telling;
use std::net::IpAddr;
use url::{Host, Url};

/// An address of the web as people give it: with a slash at its end, without a password.
///
/// # Errors
/// [`ClientError::Setup`].
pub fn address(text: &str) -> Result<Url, ClientError> {
    // What stands after ? may be a key.
    let shown = telling(text.split(['?', '#']).next().unwrap_or_default());
    let wrong = |why: &str| ClientError::Setup(format!("'{shown}' {why}"));
    let mut url = Url::parse(text.trim()).map_err(|error| wrong(&format!("is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("is no address of a server; give one like https://taxii.example/taxii2/"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ClientError::Setup(
            "the address has a password in it; give it with --user and --password-file".into(),
        ));
    }
    url.set_query(None);
    url.set_fragment(None);
    slash(&mut url);
    Ok(url)
}

fn slash(url: &mut Url) {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
}

/// The address of a collection, from its own or that of its objects.
///
/// # Errors
/// [`ClientError::Setup`] for an address that is none of a collection.
pub fn collection(text: &str) -> Result<Url, ClientError> {
    let mut url = address(text)?;
    let path = url.path().to_owned();
    let path = path.strip_suffix("objects/").or(path.strip_suffix("manifest/")).unwrap_or(&path);
    url.set_path(path);
    let mut parts = url.path().trim_end_matches('/').rsplit('/');
    let (id, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if before != "collections" || id.is_empty() {
        return Err(ClientError::Setup(format!(
            "'{url}' is no collection; its address ends in /collections/ID/: `manara taxii collections {url}` lists them"
        )));
    }
    Ok(url)
}

/// The API root that a collection stands under.
pub(crate) fn root_of(collection: &Url) -> Url {
    let mut url = collection.clone();
    let path = url.path().trim_end_matches('/');
    let cut = path.rfind("/collections/").map_or(0, |at| at + 1);
    let path = path.get(..cut).unwrap_or_default().to_owned();
    url.set_path(&path);
    url
}

/// Where an API root stands that a discovery names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) url: Url,
    /// What was put right, in words.
    pub(crate) note: Option<String>,
    /// It stands on another server than the one that was asked.
    pub(crate) elsewhere: bool,
}

/// Reads what a discovery at `asked` says of a root.
pub(crate) fn root(asked: &Url, said: &str) -> Result<Root, ClientError> {
    let wrong = |why: &str| ClientError::Content(format!("names the API root '{}', {why}", telling(said)));
    let mut url = asked.join(said.trim()).map_err(|error| wrong(&format!("which is no address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("which is no address of the web"));
    }
    url.set_query(None);
    url.set_fragment(None);
    slash(&mut url);
    if url.origin() == asked.origin() {
        return Ok(Root { url, note: None, elsewhere: false });
    }
    let same_host = url.host() == asked.host();
    // The name by which a server behind a proxy knows itself, or only its network does.
    let inner = url.host() != asked.host() && url.host().is_some_and(|host| is_inner(&host));
    if same_host && url.scheme() != asked.scheme() || inner {
        let named = origin(&url);
        let mut put = asked.clone();
        put.set_path(url.path());
        let note = format!("names itself {named}; asked at {} all the same", origin(asked));
        return Ok(Root { url: put, note: Some(note), elsewhere: false });
    }
    Ok(Root { url, note: None, elsewhere: true })
}

pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn is_inner(host: &Host<&str>) -> bool {
    let ip = match host {
        Host::Domain(name) => return !name.trim_end_matches('.').contains('.') || name.ends_with(".local"),
        Host::Ipv4(ip) => IpAddr::V4(*ip),
        Host::Ipv6(ip) => IpAddr::V6(*ip),
    };
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_unspecified() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_slash_and_has_no_password() {
        assert_eq!(address("https://a.example").unwrap().as_str(), "https://a.example/");
        assert_eq!(address(" https://a.example/taxii2 ").unwrap().as_str(), "https://a.example/taxii2/");
        for text in ["nonsense", "ftp://a.example/", "https://me:secret@a.example/", "file:///etc/passwd"] {
            let error = address(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_collection_is_known_by_its_address() {
        let whole = "https://a.example/api1/collections/91a7b528/";
        for text in [whole, &whole[..whole.len() - 1], &format!("{whole}objects/"), &format!("{whole}objects?limit=1")]
        {
            assert_eq!(collection(text).unwrap().as_str(), whole);
        }
        assert_eq!(root_of(&collection(whole).unwrap()).as_str(), "https://a.example/api1/");
        for text in ["https://a.example/api1/", "https://a.example/api1/collections/", "https://a.example"] {
            assert!(collection(text).unwrap_err().to_string().contains("manara taxii collections"), "{text}");
        }
    }

    #[test]
    fn a_root_is_relative_or_on_the_wrong_scheme_or_host() {
        let asked = Url::parse("https://taxii.example/taxii2/").unwrap();
        let of = |said: &str| root(&asked, said).unwrap();
        assert_eq!(of("/api1/").url.as_str(), "https://taxii.example/api1/");
        assert_eq!(of("/api1").url.as_str(), "https://taxii.example/api1/");
        assert_eq!(of("https://taxii.example:443/api1/").note, None);
        for said in
            ["http://taxii.example/api1/", "http://localhost:8000/api1/", "http://10.0.0.7/api1/", "http://web/api1/"]
        {
            let root = of(said);
            assert_eq!((root.url.as_str(), root.elsewhere), ("https://taxii.example/api1/", false), "{said}");
            assert!(root.note.is_some());
        }
        let other = of("https://other.example/trust/");
        assert!(other.elsewhere && other.url.as_str() == "https://other.example/trust/");
        assert!(root(&asked, "mailto:x@y").is_err() && root(&asked, "http://").is_err());
    }
}
