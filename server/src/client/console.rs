//! Consoles over a WebSocket: the other end of `web/console.rs`, which says what is spoken.

use super::{ANSWER, CONNECT, Client, failure};
use api::{ByteStream, Conflict, Denied, Error, NotFound, NotSupported, RouterId};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{self, SplitSink, SplitStream},
};
use std::io;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message},
};
use tokio_util::task::AbortOnDropHandle;

type Socket = WebSocketStream<TcpStream>;

/// The console ended by itself.
const NORMAL: u16 = 1000;

impl Client {
    pub(super) async fn console(
        &self,
        router: RouterId,
        input: ByteStream,
    ) -> Result<ByteStream, Error> {
        let socket = timeout(ANSWER, self.dial(router));
        let socket = socket.await.unwrap_or_else(|_| Err(self.too_slow()))?;
        let (out, heard) = socket.split();
        let mut heard = Heard {
            messages: heard,
            sentence: None,
        };
        // The first message says that it is open, or why not.
        let first = match heard.next().await {
            Some(Said::Bytes(bytes)) => bytes,
            Some(Said::End(code, sentence)) => return Err(refusal(code, sentence, router)),
            None => return Err(self.not_understood("it ends a console before it is open")),
        };
        let feed = AbortOnDropHandle::new(tokio::spawn(feed(out, input)));
        let rest = stream::unfold(Some((heard, feed)), async |state| {
            let (mut heard, feed) = state?;
            match heard.next().await {
                Some(Said::Bytes(bytes)) => Some((Ok(bytes), Some((heard, feed)))),
                Some(Said::End(NORMAL, _)) => None,
                Some(Said::End(_, sentence)) => Some((Err(sentence), None)),
                None => Some((Err("The connection to the server broke.".to_owned()), None)),
            }
        });
        Ok(stream::once(async { Ok(first) }).chain(rest).boxed())
    }

    async fn dial(&self, router: RouterId) -> Result<Socket, Error> {
        let host = self.server.host_str().unwrap_or_default();
        let port = self.server.port_or_known_default().unwrap_or(80);
        let address = format!("{host}:{port}");
        let connected = timeout(CONNECT, TcpStream::connect(&address)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let stream = connected.map_err(|error| self.nobody_there(&error))?;
        let url = format!("ws://{address}/routers/{router}/console");
        match client_async(url, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let excerpt = super::excerpt(body);
                Err(self.not_understood(&format!("it says {}: {excerpt}", answer.status())))
            }
            Err(error) => Err(self.not_understood(&error.to_string())),
        }
    }
}

/// What a server says on a console.
enum Said {
    Bytes(bytes::Bytes),
    /// The code of the end, and a sentence.
    End(u16, String),
}

/// What is heard of a server.
struct Heard {
    messages: SplitStream<Socket>,
    /// Its last words.
    sentence: Option<String>,
}

impl Heard {
    /// What it says next; `None` when the connection broke.
    async fn next(&mut self) -> Option<Said> {
        loop {
            match self.messages.next().await?.ok()? {
                Message::Binary(bytes) => return Some(Said::Bytes(bytes)),
                Message::Text(text) => self.sentence = Some(text.as_str().to_owned()),
                Message::Close(close) => {
                    let code = close.as_ref().map_or(NORMAL, |close| close.code.into());
                    let reason = || close.map(|close| close.reason.as_str().to_owned());
                    let sentence = self.sentence.take().or_else(reason);
                    return Some(Said::End(code, sentence.unwrap_or_default()));
                }
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }
}

/// Sends what is typed, and says when nothing follows.
async fn feed(mut out: SplitSink<Socket, Message>, mut input: ByteStream) {
    while let Some(Ok(typed)) = input.next().await {
        if out.send(Message::Binary(typed)).await.is_err() {
            return;
        }
    }
    // Whoever reads hears of a connection that broke.
    let _ = out.close().await;
}

/// Why there is no console, as the operation would say it.
fn refusal(code: u16, message: String, router: RouterId) -> Error {
    match code.checked_sub(4000) {
        Some(403) => Denied { message }.into(),
        Some(404) => NotFound {
            kind: "router".to_owned(),
            id: router.to_string(),
            message,
        }
        .into(),
        Some(409) => Conflict { message }.into(),
        Some(501) => NotSupported {
            driver: String::new(),
            message,
        }
        .into(),
        _ => failure(message),
    }
}
