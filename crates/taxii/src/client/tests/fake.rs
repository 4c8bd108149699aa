//! A server that answers as a test wants it: well, or as servers do that are met.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use url::Url;

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: HashMap<String, String>,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection breaks after so many bytes of the body.
    breaks: Option<usize>,
}

pub(super) fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, body: body.into(), ..Answer::default() }
}

/// TAXII JSON.
pub(super) fn taxii(body: impl Into<Vec<u8>>) -> Answer {
    answer(200, body).with("content-type", "application/taxii+json;version=2.1")
}

impl Answer {
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The dates of the first and the last object.
    pub(super) fn added(self, first: &str, last: &str) -> Self {
        self.with("X-TAXII-Date-Added-First", first).with("X-TAXII-Date-Added-Last", last)
    }

    pub(super) fn breaking(self, after: usize) -> Self {
        Answer { breaks: Some(after), ..self }
    }
}

pub(super) struct Fake {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers for as long as the test goes.
    pub(super) fn new(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Who breaks the line is no failure of the server's.
                let _ = serve(stream, &answers, &heard);
            }
        });
        Fake { port, asked }
    }

    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    pub(super) fn collection(&self) -> Url {
        self.url("/api/collections/c/")
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, answers: &impl Fn(&Asked) -> Answer, heard: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = String::new();
    if let Some(length) = headers.get("content-length").and_then(|length| length.parse().ok()) {
        (&mut reader).take(length).read_to_string(&mut body)?;
    }
    let url = Url::parse("http://x/").unwrap().join(&target).unwrap();
    let query = url.query_pairs().into_owned().collect();
    let asked = Asked { method, path: url.path().to_owned(), query, headers, body };
    heard.lock().unwrap().push(asked.clone());
    let answer = answers(&asked);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {}\r\n", answer.status, answer.body.len())?;
    for (name, value) in &answer.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&answer.body[..answer.breaks.unwrap_or(answer.body.len())])?;
    stream.flush()
}

/// An object by a number.
pub(super) fn object(n: usize) -> String {
    format!(
        r#"{{"type":"domain-name","spec_version":"2.1","id":"domain-name--00000000-0000-4000-8000-{n:012}","value":"n{n}.example"}}"#
    )
}

/// A page of objects by their numbers; what stands besides them begins with a comma.
pub(super) fn page(numbers: impl IntoIterator<Item = usize>, besides: &str) -> String {
    let objects: Vec<String> = numbers.into_iter().map(object).collect();
    format!(r#"{{"objects":[{}]{besides}}}"#, objects.join(","))
}
