//! Bodies on their way to threads that may wait: of these there are few, so nobody holds one by sending slowly.

use crate::app::App;
use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{StreamExt, TryStreamExt};
use std::io::{self, Cursor, Read};
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// A client that sends nothing for so long has gone.
pub(crate) const SILENCE: Duration = Duration::from_secs(20);
/// Bodies of up to this are read to their end before a thread is asked for.
const SMALL: usize = 1 << 20;
/// Larger ones that are read at once: fewer than there are threads (`manara serve`).
pub(crate) const LARGE: usize = 16;

/// The next piece of a body; `None`: it has ended.
///
/// # Errors
/// It broke off, or nothing came for [`SILENCE`].
pub(crate) async fn piece(body: &mut BodyDataStream) -> io::Result<Option<Bytes>> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {} seconds", SILENCE.as_secs()));
    match tokio::time::timeout(SILENCE, body.next()).await {
        Ok(more) => more.transpose().map_err(io::Error::other),
        Err(_) => Err(silent()),
    }
}

type Pieces = Pin<Box<dyn futures_util::Stream<Item = io::Result<Bytes>> + Send>>;

/// A body that a thread can read.
pub(crate) struct Incoming {
    begun: Cursor<Vec<u8>>,
    rest: Option<(SyncIoBridge<StreamReader<Pieces, Bytes>>, OwnedSemaphorePermit)>,
    broke: Option<io::Error>,
}

impl Incoming {
    /// Reads a small body to its end; of a large one the beginning, when its turn has come.
    pub(crate) async fn of(app: &App, body: Body) -> Incoming {
        let mut body = body.into_data_stream();
        let mut begun = Vec::new();
        let incoming = |begun, rest, broke| Incoming { begun: Cursor::new(begun), rest, broke };
        loop {
            match piece(&mut body).await {
                Ok(Some(bytes)) => begun.extend_from_slice(&bytes),
                Ok(None) => return incoming(begun, None, None),
                Err(error) => return incoming(begun, None, Some(error)),
            }
            if begun.len() > SMALL {
                break;
            }
        }
        let Ok(turn) = app.bodies.clone().acquire_owned().await else {
            return incoming(begun, None, Some(io::Error::other("the node ends")));
        };
        let rest = futures_util::stream::unfold(body, async |mut body| {
            piece(&mut body).await.transpose().map(|piece| (piece, body))
        });
        let rest: Pieces = Box::pin(rest.into_stream());
        incoming(begun, Some((SyncIoBridge::new(StreamReader::new(rest)), turn)), None)
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.begun.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        if let Some(error) = self.broke.take() {
            return Err(error);
        }
        self.rest.as_mut().map_or(Ok(0), |(rest, _)| rest.read(buffer))
    }
}
