//! The client against servers as they are met. Each fault that is borne has its test.

mod fake;
mod finding;
mod node;
mod paging;
mod pushing;
mod secrets;
mod tolerance;

use super::envelope::Said;
use super::{ClientError, Credentials, Place, Question, Server, Taker, Tally, read};
use fake::Fake;
use serde_json::value::RawValue;

/// Keeps what it is given, as a node would.
#[derive(Debug, Default)]
struct Kept {
    /// The values of the objects, in the order in which they came.
    values: Vec<String>,
    place: Place,
}

impl Taker for Kept {
    fn take(&mut self, objects: &[Box<RawValue>]) -> Result<(), ClientError> {
        let of = |raw: &str| serde_json::from_str::<serde_json::Value>(raw).unwrap();
        self.values.extend(objects.iter().map(|raw| of(raw.get())["value"].as_str().unwrap_or("?").to_owned()));
        Ok(())
    }
    fn keep(&mut self, place: &Place) -> Result<(), ClientError> {
        self.place = place.clone();
        Ok(())
    }
}

impl Kept {
    /// Reads on from where it is.
    fn poll(&mut self, fake: &Fake, limit: usize) -> Result<Tally, ClientError> {
        let server = Server::new(&fake.collection(), &Credentials::None, None).unwrap();
        let question = Question { limit, ..Question::default() };
        read(&server, &fake.collection(), &question, self.place.clone(), self)
    }

    /// Which objects came, by their numbers.
    fn numbers(&self) -> Vec<usize> {
        let number = |value: &String| value.trim_start_matches('n').trim_end_matches(".example").parse().unwrap();
        self.values.iter().map(number).collect()
    }

    fn after(&self) -> &str {
        self.place.after.as_deref().unwrap_or("")
    }
}

/// Reads all that a server has.
fn polled(fake: &Fake) -> (Result<Tally, ClientError>, Kept) {
    let mut kept = Kept::default();
    let done = kept.poll(fake, 0);
    (done, kept)
}

/// Is a time after another? An empty one is before all.
fn is_after(time: &str, than: &str) -> bool {
    let micros = |text: &str| Said::read(text).map_or(i64::MIN, |said| said.at);
    micros(time) > micros(than)
}
