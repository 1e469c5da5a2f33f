//! The console of a domain: what its guest writes, and what is typed into it.
//!
//! ```text
//!  ConsoleWriter ──▶ bounded ──▶ ┌──────────────────┐ ──▶ libvirt's stream, non-blocking
//!                                │ the console's own │
//!  ConsoleReader ◀── bounded ◀── │ thread            │ ◀── (the event loop only wakes it)
//!                                └──────────────────┘
//! ```
//!
//! Each console has a thread and a libvirt connection to itself, so that no other call waits for it,
//! and one that hangs costs that thread and nothing else. The thread sleeps until the stream has
//! something or somebody types.
//!
//! A guest cannot be held back: libvirt's client takes in whatever the host sends. So the thread takes
//! it at once, and of what nobody reads, it keeps the first [`UNREAD`] bytes and counts the rest
//! ([`ConsoleData::Lost`]). Who types can be held back: [`ConsoleWriter::send`] waits.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;
use virt::connect::Connect;
use virt::stream::Stream;
use virt_sys as sys;

use crate::connection::Connection;
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi::stream::{Ready, receive_now, send_now};
use crate::lifecycle::is_about_flags;

/// As much is taken from the stream at a time, bytes.
const PIECE: usize = 16 << 10;
/// As much waits to be read at most, bytes.
const UNREAD: usize = 1 << 20;
/// As much is put into the stream at a time, bytes; a terminal's line is no longer.
const TYPED: usize = 4 << 10;
/// As many pieces wait to be put in: with [`TYPED`], 64 KiB.
const UNSENT: usize = 16;
/// After so many bytes the host is asked whether it has them, which bounds what is on the way to one
/// that takes none.
const UNCONFIRMED: usize = 64 << 10;
/// The thread looks this often even if nothing wakes it.
const TICK: Duration = Duration::from_secs(5);

/// What came from a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleData {
    /// What the guest wrote.
    Bytes(Bytes),
    /// So many bytes of what the guest wrote are lost here: they came faster than they were read.
    Lost(u64),
}

/// An open console. It is closed when its [`ConsoleReader`] is dropped.
///
/// ```no_run
/// # async fn example(connection: libvirt::Connection, uuid: uuid::Uuid) -> Result<(), libvirt::Error> {
/// let (writer, mut reader) = connection.open_console(uuid, None, true).await?.split();
/// writer.send("root\n".into()).await?;
/// while let Some(data) = reader.next().await {
///     println!("{:?}", data?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Console {
    writer: ConsoleWriter,
    reader: ConsoleReader,
}

/// Where what is typed into a console goes. Dropping it ends nothing.
#[derive(Clone, Debug)]
pub struct ConsoleWriter {
    typed: mpsc::Sender<Bytes>,
    wake: Arc<Wake>,
}

/// What a console gives.
#[derive(Debug)]
pub struct ConsoleReader {
    shelf: Arc<Shelf>,
    wake: Arc<Wake>,
}

impl Connection {
    /// Opens the console of a domain that runs: the one whose alias is `device`, or the first. With
    /// `force`, whoever has it open is cut off; without, that is a [`crate::ErrorKind::Conflict`].
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`] by drivers that have none; a
    /// [`crate::ErrorKind::Conflict`] when the domain does not run, or its console is open; libvirt's
    /// own when it has none.
    pub async fn open_console(
        &self,
        uuid: Uuid,
        device: Option<&str>,
        force: bool,
    ) -> Result<Console, Error> {
        let call = "virDomainOpenConsole";
        self.needs(Capability::Console, call)?;
        let device = device.map(str::to_owned);
        let flags = if force {
            sys::VIR_DOMAIN_CONSOLE_FORCE
        } else {
            0
        };
        self.call_about(uuid, call, move |session| {
            let connection = session.another()?;
            let domain = session.run("virDomainLookupByUUID", |_| {
                connection.lookup_domain_by_uuid(uuid)
            })?;
            let stream = session.run("virStreamNew", |_| {
                Stream::new(&connection, sys::VIR_STREAM_NONBLOCK)
            })?;
            let open = |flags| {
                session.run(call, |_| {
                    domain.open_console(device.as_deref(), &stream, flags)
                })
            };
            match open(flags) {
                // LXC cuts nobody off: all have it.
                Err(error) if flags != 0 && is_about_flags(&error) => open(0)?,
                opened => opened?,
            }
            drop(domain);
            // From here on it has a thread, which closes it should nobody want it any longer.
            Console::start(stream, connection, session.blame())
        })
        .await
    }
}

impl Console {
    fn start(
        stream: Stream,
        connection: Connect,
        blame: impl Fn(&'static str, virt::error::Error) -> Error + Send + 'static,
    ) -> Result<Self, Error> {
        let (typed, into) = mpsc::channel(UNSENT);
        let shelf = Arc::new(Shelf::default());
        let wake = Arc::new(Wake::default());
        let mut desk = Desk {
            blame: Box::new(blame),
            shelf: Arc::clone(&shelf),
            into,
            unsent: VecDeque::new(),
            unconfirmed: 0,
            wake: Arc::clone(&wake),
            stream,
            connection,
        };
        std::thread::Builder::new()
            .name("libvirt-console".to_owned())
            .spawn(move || {
                let end = desk.work();
                // In this order: whoever has read the end is not let type into it.
                desk.into.close();
                desk.shelf.end(end.err());
                desk.close();
            })
            .map_err(|error| Error::System {
                what: "starting a thread",
                reason: error.to_string(),
            })?;
        Ok(Self {
            writer: ConsoleWriter {
                typed,
                wake: Arc::clone(&wake),
            },
            reader: ConsoleReader { shelf, wake },
        })
    }

    /// Both directions, each by itself.
    pub fn split(self) -> (ConsoleWriter, ConsoleReader) {
        (self.writer, self.reader)
    }

    /// As [`ConsoleWriter::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&self, data: Bytes) -> Result<(), Error> {
        self.writer.send(data).await
    }

    /// As [`ConsoleReader::next`].
    pub async fn next(&mut self) -> Option<Result<ConsoleData, Error>> {
        self.reader.next().await
    }
}

impl ConsoleWriter {
    /// Types into the console; waits while 64 KiB that were typed before are not on their way yet.
    ///
    /// # Errors
    /// [`Error::Lost`] when the console is closed.
    pub async fn send(&self, mut data: Bytes) -> Result<(), Error> {
        while !data.is_empty() {
            let piece = data.split_to(data.len().min(TYPED));
            if self.typed.send(piece).await.is_err() {
                return Err(Error::Lost {
                    reason: "the console is closed".to_owned(),
                });
            }
            self.wake.up();
        }
        Ok(())
    }
}

impl ConsoleReader {
    /// What the guest wrote next; `None` at the end, when the domain stopped or somebody else has
    /// taken the console. After an error comes the end.
    pub async fn next(&mut self) -> Option<Result<ConsoleData, Error>> {
        loop {
            // Before looking: what comes after that is not missed.
            let comes = self.shelf.comes.notified();
            match self.shelf.take() {
                Poll::Ready(next) => return next,
                Poll::Pending => comes.await,
            }
        }
    }
}

impl Drop for ConsoleReader {
    fn drop(&mut self) {
        self.shelf.lock().is_left = true;
        self.wake.up();
    }
}

/// What the guest wrote and nobody has read yet.
#[derive(Debug, Default)]
struct Shelf {
    held: Mutex<Held>,
    comes: Notify,
}

#[derive(Debug, Default)]
struct Held {
    bytes: BytesMut,
    /// So many came after them and found no room.
    lost: u64,
    /// Nothing more comes.
    is_over: bool,
    /// Why, if that was not told yet and is not the usual end.
    why: Option<Error>,
    /// Nobody reads any longer.
    is_left: bool,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, data: &[u8]) {
        let mut held = self.lock();
        // What comes after a loss waits until that was told.
        if held.lost > 0 || held.bytes.len() + data.len() > UNREAD {
            held.lost += data.len() as u64;
        } else {
            held.bytes.extend_from_slice(data);
        }
        drop(held);
        self.comes.notify_one();
    }

    fn end(&self, why: Option<Error>) {
        let mut held = self.lock();
        (held.is_over, held.why) = (true, why);
        drop(held);
        self.comes.notify_one();
    }

    /// What is next.
    fn take(&self) -> Poll<Option<Result<ConsoleData, Error>>> {
        let mut held = self.lock();
        if !held.bytes.is_empty() {
            let length = held.bytes.len().min(PIECE);
            let bytes = held.bytes.split_to(length).freeze();
            return Poll::Ready(Some(Ok(ConsoleData::Bytes(bytes))));
        }
        if held.lost > 0 {
            let lost = std::mem::take(&mut held.lost);
            return Poll::Ready(Some(Ok(ConsoleData::Lost(lost))));
        }
        if held.is_over {
            return Poll::Ready(held.why.take().map(Err));
        }
        Poll::Pending
    }
}

/// What a console's thread sleeps on.
#[derive(Debug, Default)]
struct Wake {
    is_up: Mutex<bool>,
    changed: Condvar,
}

impl Wake {
    fn up(&self) {
        *self.is_up.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Sleeps until it is woken, or was since it slept last.
    fn sleep(&self) {
        let is_up = self.is_up.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = self
            .changed
            .wait_timeout_while(is_up, TICK, |is_up| !*is_up);
        *slept.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// What a console's thread works with. The stream is before its connection: it goes first.
struct Desk {
    blame: Box<dyn Fn(&'static str, virt::error::Error) -> Error + Send>,
    shelf: Arc<Shelf>,
    into: mpsc::Receiver<Bytes>,
    unsent: VecDeque<Bytes>,
    /// Bytes that were sent since the host was asked.
    unconfirmed: usize,
    wake: Arc<Wake>,
    stream: Stream,
    connection: Connect,
}

impl Desk {
    /// Works until the console ends, or nobody wants it any longer.
    fn work(&mut self) -> Result<(), Error> {
        let wake = Arc::clone(&self.wake);
        let call = "virStreamEventAddCallback";
        let ready = Ready::register(&self.stream, move || wake.up());
        let ready = ready.map_err(|error| (self.blame)(call, error))?;
        let end = self.serve(&ready);
        ready.deregister();
        end
    }

    fn serve(&mut self, ready: &Ready) -> Result<(), Error> {
        let mut buffer = vec![0; PIECE];
        while !self.shelf.lock().is_left {
            // In turns: neither direction keeps the other waiting.
            let more = match self.take(&mut buffer)? {
                Taken::Some => true,
                Taken::Nothing => false,
                Taken::End => return Ok(()),
            };
            let blocked = self.put()?;
            if !more {
                let wanted = ready.want(blocked);
                wanted.map_err(|error| (self.blame)("virStreamEventUpdateCallback", error))?;
                self.wake.sleep();
            }
        }
        Ok(())
    }

    /// Takes one piece from the stream.
    fn take(&mut self, buffer: &mut [u8]) -> Result<Taken, Error> {
        let received =
            receive_now(&self.stream, buffer).map_err(|error| (self.blame)("virStreamRecv", error));
        match received {
            Ok(None) => Ok(Taken::Nothing),
            Ok(Some(0)) => Ok(Taken::End),
            Ok(Some(length)) => {
                self.shelf.put(&buffer[..length.min(PIECE)]);
                Ok(Taken::Some)
            }
            // The host broke the stream off, and says no more: that is how it ends for whom
            // somebody else has cut off.
            Err(Error::Libvirt { fault, .. }) if fault.domain == sys::VIR_FROM_STREAMS => {
                Ok(Taken::End)
            }
            Err(error) => Err(error),
        }
    }

    /// Puts what was typed into the stream; whether some of it does not go in yet.
    fn put(&mut self) -> Result<bool, Error> {
        let call = "virStreamSend";
        if self.unsent.is_empty() {
            self.unsent.extend(self.into.try_recv().ok());
        }
        while let Some(piece) = self.unsent.front_mut() {
            let sent = send_now(&self.stream, piece).map_err(|error| (self.blame)(call, error))?;
            let Some(sent) = sent else {
                return Ok(true);
            };
            let _ = piece.split_to(sent.min(piece.len()));
            self.unconfirmed += sent;
            if piece.is_empty() {
                self.unsent.pop_front();
                self.unsent.extend(self.into.try_recv().ok());
            }
            if self.unconfirmed >= UNCONFIRMED {
                // The host answers in turn, so it has taken what was sent before.
                let asked = self.connection.lib_version();
                asked.map_err(|error| (self.blame)("virConnectGetLibVersion", error))?;
                self.unconfirmed = 0;
                // What came meanwhile is not kept waiting.
                self.wake.up();
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Tells the host that nothing follows, and lets go of it.
    fn close(self) {
        if let Err(error) = self.stream.clone().abort() {
            tracing::debug!("closing a console: {error}");
        }
    }
}

/// What was taken from a stream.
enum Taken {
    Some,
    Nothing,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::testing::{ONE, host};

    #[tokio::test]
    async fn the_test_driver_has_no_consoles() {
        let (connection, _directory) = host(ONE).await;
        let domain = connection.list_domains().await.unwrap().remove(0);
        let refused = connection.open_console(domain.uuid, None, true).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotSupported);
    }

    #[test]
    fn what_nobody_reads_is_kept_up_to_a_bound_and_then_counted() {
        let shelf = Shelf::default();
        assert_eq!(shelf.take(), Poll::Pending);
        shelf.put(&vec![b'a'; UNREAD - 1]);
        shelf.put(b"bc");
        shelf.put(b"d");
        let mut came = 0;
        let lost = loop {
            match shelf.take() {
                Poll::Ready(Some(Ok(ConsoleData::Bytes(bytes)))) => came += bytes.len(),
                other => break other,
            }
        };
        assert_eq!(came, UNREAD - 1);
        assert_eq!(lost, Poll::Ready(Some(Ok(ConsoleData::Lost(3)))));
        assert_eq!(shelf.take(), Poll::Pending);
        shelf.put(b"e");
        let why = Error::Lost {
            reason: "why".to_owned(),
        };
        shelf.end(Some(why.clone()));
        let bytes = ConsoleData::Bytes("e".into());
        assert_eq!(shelf.take(), Poll::Ready(Some(Ok(bytes))));
        assert_eq!(shelf.take(), Poll::Ready(Some(Err(why))));
        assert_eq!(shelf.take(), Poll::Ready(None));
    }

    #[test]
    fn a_wake_is_never_missed() {
        let wake = Arc::new(Wake::default());
        wake.up();
        wake.sleep(); // at once
        let other = Arc::clone(&wake);
        let sleeper = std::thread::spawn(move || {
            let since = std::time::Instant::now();
            other.sleep();
            since.elapsed()
        });
        std::thread::sleep(Duration::from_millis(50));
        wake.up();
        assert!(sleeper.join().unwrap() < TICK / 2);
    }
}
