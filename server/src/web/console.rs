//! `GET /routers/{id}/console`: a router's console, over a WebSocket.
//!
//! Binary messages are the terminal's bytes, in both directions; what is typed may come as text, too.
//! The first message of the server, which may be empty, says that the console is open. A text message
//! of the server is a sentence for people: why there is no console, or no longer. It comes last, before
//! the close, whose reason is the same as far as it fits there and whose code says what kind of end it
//! is: 1000 the console ended, 1001 the server ends, 4000 + an HTTP status that it was refused.
//!
//! A browser cannot read the answer to a WebSocket that is refused, so only what the guard refuses,
//! and what no page would ask for, is; everything else is told as above.

use super::{Web, caller, refusal::Refusal};
use api::{ByteStream, Caller, Channel, Operations, RouterId};
use axum::{
    extract::{
        Path, Request, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use bytes::Bytes;
use futures_util::{
    Sink, SinkExt as _, Stream, StreamExt as _,
    stream::{self, SplitSink},
};
use http::StatusCode;
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// How often a ping goes out, so that nobody on the way holds a quiet console for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(20);
/// The largest message that is taken, bytes: more than anybody types or pastes at once.
const MESSAGE_BYTES: usize = 1 << 20;
/// As many messages wait for the router to take them.
const WAITING: usize = 4;
/// How long the other side may take to hear the last words.
const FAREWELL: Duration = Duration::from_secs(1);
/// A close frame holds 125 bytes, two of which are the code.
const REASON_BYTES: usize = 123;
/// What is added to an HTTP status: codes from 4000 on are ours.
const REFUSED: u16 = 4000;

pub(super) async fn console(
    State(web): State<Web>,
    Path(router): Path<String>,
    upgrade: WebSocketUpgrade,
    request: Request,
) -> Result<Response, Refusal> {
    let router: RouterId = router.parse().map_err(|error| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!("{router:?} is no router's id: {error}."),
        )
    })?;
    let caller = caller(Channel::Page, request.extensions());
    let attended = async move |socket: WebSocket| {
        attend(socket, &web.operations, &caller, router, &web.shutdown).await;
    };
    Ok(upgrade.max_message_size(MESSAGE_BYTES).on_upgrade(attended))
}

/// How a console ended: a close code, and a sentence.
#[derive(Debug, PartialEq, Eq)]
struct End {
    code: u16,
    sentence: String,
}

async fn attend(
    socket: WebSocket,
    operations: &Arc<dyn Operations>,
    caller: &Caller,
    router: RouterId,
    shutdown: &CancellationToken,
) {
    let (mut out, mut heard) = socket.split();
    let end = {
        let (typed, input) = mpsc::channel(WAITING);
        let read = listen(&mut heard, typed);
        let input = ReceiverStream::new(input).map(Ok).boxed();
        let write = async {
            match operations.open_console(caller, router, input).await {
                Ok(console) => show(console, &mut out).await,
                Err(error) => Some(End {
                    code: REFUSED + error.http_status(),
                    sentence: error.to_string(),
                }),
            }
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => Some(End {
                code: close_code::AWAY,
                sentence: "The server ends.".to_owned(),
            }),
            end = write => end,
            () = read => None,
        }
    };
    let farewell = async {
        match end {
            Some(end) => {
                say(&mut out, end).await;
                // The other side closes, too.
                while let Some(Ok(_)) = heard.next().await {}
            }
            // The other side went; if it closed in order, it waits for the same.
            None => drop(out.close().await),
        }
    };
    let _ = timeout(FAREWELL, farewell).await;
}

/// Hands on what is typed until the other side goes.
async fn listen<E>(
    heard: &mut (impl Stream<Item = Result<Message, E>> + Unpin),
    typed: mpsc::Sender<Bytes>,
) {
    while let Some(Ok(message)) = heard.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) => text.into(),
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if typed.send(bytes).await.is_err() {
            // The console ended, and whoever writes says so.
            std::future::pending::<()>().await;
        }
    }
}

/// Shows what the console gives until it ends, or the other side goes.
async fn show(mut console: ByteStream, out: &mut (impl Sink<Message> + Unpin)) -> Option<End> {
    // It is open.
    out.send(Message::Binary(Bytes::new())).await.ok()?;
    let mut pulse = tokio::time::interval(KEEP_ALIVE);
    loop {
        let message = tokio::select! {
            said = console.next() => match said {
                Some(Ok(bytes)) => Message::Binary(bytes),
                Some(Err(sentence)) => {
                    return Some(End { code: close_code::ERROR, sentence });
                }
                None => {
                    let sentence = "The console ended: the router stopped, or somebody else \
                                    opened its console.";
                    return Some(End {
                        code: close_code::NORMAL,
                        sentence: sentence.to_owned(),
                    });
                }
            },
            _ = pulse.tick() => Message::Ping(Bytes::new()),
        };
        out.send(message).await.ok()?;
    }
}

async fn say(out: &mut SplitSink<WebSocket, Message>, end: End) {
    let reason = shortened(&end.sentence).into();
    let close = CloseFrame {
        code: end.code,
        reason,
    };
    let messages = [
        Message::Text(end.sentence.into()),
        Message::Close(Some(close)),
    ];
    let mut messages = stream::iter(messages.map(Ok));
    if let Err(error) = out.send_all(&mut messages).await {
        tracing::debug!("how a console ended is not heard: {error}");
    }
}

/// As much of a sentence as fits into a close frame.
fn shortened(sentence: &str) -> &str {
    &sentence[..sentence.floor_char_boundary(REASON_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::sink;
    use std::{convert::Infallible, pin::pin, sync::Mutex};

    /// What goes out of a console, and how it ends.
    async fn shown(said: Vec<Result<Bytes, String>>) -> (Vec<Message>, End) {
        let all = Mutex::new(Vec::new());
        let out = sink::unfold((), async |(), message| {
            all.lock().unwrap().push(message);
            Ok::<_, Infallible>(())
        });
        let end = show(stream::iter(said).boxed(), &mut pin!(out)).await;
        (all.into_inner().unwrap(), end.unwrap())
    }

    #[tokio::test]
    async fn a_console_is_shown_from_its_opening_to_its_end() {
        let (messages, end) = shown(vec![Ok("a".into()), Ok("b".into())]).await;
        let bytes: Vec<_> = (messages.into_iter())
            .filter(|message| !matches!(message, Message::Ping(_)))
            .collect();
        let expected = ["", "a", "b"].map(|said| Message::Binary(said.into()));
        assert_eq!(bytes, expected);
        assert_eq!(end.code, 1000);
        let (_, end) = shown(vec![Err("It broke.".to_owned())]).await;
        let expected = End {
            code: 1011,
            sentence: "It broke.".to_owned(),
        };
        assert_eq!(end, expected);
    }

    #[tokio::test]
    async fn what_is_typed_is_handed_on_until_the_other_side_goes() {
        let (typed, mut input) = mpsc::channel(WAITING);
        let messages = [
            Message::Binary("a".into()),
            Message::Ping(Bytes::new()),
            Message::Text("b".into()),
            Message::Close(None),
            Message::Binary("c".into()),
        ];
        let mut heard = stream::iter(messages.map(Ok::<_, Infallible>));
        listen(&mut heard, typed).await;
        let mut all = Vec::new();
        while let Some(bytes) = input.recv().await {
            all.extend_from_slice(&bytes);
        }
        assert_eq!(all, b"ab");
    }

    #[test]
    fn a_reason_fits_into_a_close_frame_and_breaks_no_character() {
        assert_eq!(shortened("Short."), "Short.");
        let long = "ä".repeat(100);
        let reason = shortened(&long);
        assert_eq!(reason.len(), 122);
        assert!(long.starts_with(reason));
    }
}
