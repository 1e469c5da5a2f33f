//! What is in a storage volume, to the host and from it.
//!
//! A transfer is a row of calls, one for each chunk, on the connection's first thread, for a stream
//! belongs to the libvirt connection that it was made on. So each call has a deadline, and others
//! get their turn in between. Whoever sends or receives sets the pace, and never more than 32 MiB
//! are in memory. One who leaves in the middle aborts the transfer. Large images are best given a
//! [`Connection`] of their own.
//!
//! Holes (long runs of zeros) are neither sent nor stored, where both sides can do without.

use std::io::SeekFrom;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use virt::stream::Stream;
use virt_sys as sys;

use crate::connection::{Connection, Session};
use crate::driver::Capability;
use crate::error::Error;
use crate::ffi::stream::{Received, receive, send_hole};
use crate::storage::{LONG, look_up_volume};

/// The largest piece that goes in one message, bytes: libvirt's 256 KiB without its header.
const CHUNK: usize = 262_120;

/// As much is received in one go, bytes. libvirt has no flow control: its client takes in whatever
/// the host sends, whether anybody asks for it or not (measured: a volume of 1 GiB was in memory
/// after 3 s), so no more than this is asked for at a time. A window costs two round trips: of 1 GiB
/// in windows of 8, 32 and 1024 MiB, 5.4, 3.4 and 1.8 s (loaded machine).
const WINDOW: u64 = 32 << 20;

const DOWNLOAD: &str = "virStorageVolDownload";

/// Zeros that are worth a hole, bytes: a cluster of qcow2.
const GRAIN: usize = 64 << 10;

/// Which part of a volume is transferred, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From here, bytes.
    pub offset: u64,
    /// So many bytes; `None` for all to the end.
    pub length: Option<u64>,
    /// Whether holes stay holes; every libvirt since 3.4 can do that.
    pub sparse: bool,
}

/// All of it, holes as holes.
impl Default for Span {
    fn default() -> Self {
        Self {
            offset: 0,
            length: None,
            sparse: true,
        }
    }
}

/// What comes next in a [`Download`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Data, at most 256 KiB.
    Data(Bytes),
    /// So many bytes that are zero.
    Hole(u64),
}

/// A transfer to a volume. Dropped before [`Upload::finish`] it is aborted, and what was sent so
/// far may be in the volume or not.
///
/// ```no_run
/// # async fn example(connection: libvirt::Connection) -> Result<(), Box<dyn std::error::Error>> {
/// use libvirt::{Span, VolumeXml};
/// let file = tokio::fs::File::open("edge.qcow2").await?;
/// let size = file.metadata().await?.len();
/// connection.create_volume("images", &VolumeXml::new("edge.qcow2", size)).await?;
/// let mut upload = connection.upload("images", "edge.qcow2", Span::default()).await?;
/// upload.copy(file, |done| println!("{done} of {size} bytes")).await?;
/// upload.finish().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Upload {
    transfer: Transfer,
    sparse: bool,
    /// Bytes that went through it, holes included.
    position: u64,
}

/// A transfer from a volume; dropped before its end it is aborted.
///
/// ```no_run
/// # async fn example(connection: libvirt::Connection) -> Result<(), Box<dyn std::error::Error>> {
/// let mut download = connection.download("images", "edge.qcow2", libvirt::Span::default()).await?;
/// let file = tokio::fs::File::create("edge.qcow2").await?;
/// download.copy(file, |done| println!("{done} bytes")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Download {
    connection: Connection,
    pool: String,
    volume: String,
    sparse: bool,
    /// Where it began, and where it is, bytes from the beginning of the volume.
    offset: u64,
    position: u64,
    /// Where it ends, if that is known.
    end: Option<u64>,
    /// What is being received, and how much of it is left.
    window: Option<(Transfer, u64)>,
    /// The last window ended in a hole, which may go on.
    in_hole: bool,
}

/// A stream, and the connection on whose threads it is used.
struct Transfer {
    connection: Connection,
    /// Where an abort is started from.
    runtime: Option<Handle>,
    /// `None` after it came to its end.
    stream: Option<Stream>,
    /// Cleared while a call is under way: if that fails, or nobody waits for it any longer, the
    /// stream cannot be gone on with.
    intact: bool,
}

impl std::fmt::Debug for Transfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transfer")
            .field("connection", &self.connection)
            .field("intact", &self.intact)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Begins to write to a volume, which must be there and large enough.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; libvirt's own, for example when the volume is
    /// being written to already.
    pub async fn upload(&self, pool: &str, volume: &str, span: Span) -> Result<Upload, Error> {
        let call = "virStorageVolUpload";
        self.needs(Capability::VolumeTransfer, call)?;
        let (pool, volume) = (pool.to_owned(), volume.to_owned());
        let flags = if span.sparse {
            sys::VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM
        } else {
            0
        };
        let transfer = Transfer::begin(self, call, move |session, stream| {
            let volume = look_up_volume(session, &pool, &volume)?;
            let length = span.length.unwrap_or(0);
            session.run(call, |_| volume.upload(stream, span.offset, length, flags))
        });
        Ok(Upload {
            transfer: transfer.await?,
            sparse: span.sparse,
            position: 0,
        })
    }

    /// Begins to read a volume.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotSupported`]; as every call.
    pub async fn download(&self, pool: &str, volume: &str, span: Span) -> Result<Download, Error> {
        let call = "virStorageVolGetInfoFlags";
        self.needs(Capability::VolumeTransfer, DOWNLOAD)?;
        let (of, named) = (pool.to_owned(), volume.to_owned());
        let read = self.call(call, move |session| {
            let volume = look_up_volume(session, &of, &named)?;
            let physical = sys::VIR_STORAGE_VOL_GET_PHYSICAL;
            let info = session.run(call, |_| volume.info_flags(physical));
            Ok(info.map_or(0, |info| info.allocation))
        });
        let size = read.await?;
        // Some kinds of storage do not know it: then the end is found by reading.
        let size = Some(size).filter(|&size| size > 0);
        let end = span.length.map(|length| span.offset.saturating_add(length));
        Ok(Download {
            connection: self.clone(),
            pool: pool.to_owned(),
            volume: volume.to_owned(),
            sparse: span.sparse,
            offset: span.offset,
            position: span.offset,
            end: end.into_iter().chain(size).min(),
            window: None,
            in_hole: false,
        })
    }
}

impl Upload {
    /// Sends data.
    ///
    /// # Errors
    /// libvirt's own, for example when there is no room; the transfer is then over. Not
    /// cancel-safe: it is over as well when the caller leaves before the answer.
    pub async fn send(&mut self, mut data: Bytes) -> Result<(), Error> {
        let call = "virStreamSend";
        while !data.is_empty() {
            let part = data.split_to(data.len().min(CHUNK));
            let length = part.len() as u64;
            let send = move |stream: &Stream, session: &mut Session| {
                let mut left = &part[..];
                while !left.is_empty() {
                    let sent = session.run(call, |_| stream.send(left))?;
                    left = left.get(sent as usize..).unwrap_or_default();
                }
                Ok(())
            };
            self.transfer.call(call, send).await?;
            self.position += length;
        }
        Ok(())
    }

    /// Leaves so many bytes zero; sends zeros when the transfer is not sparse.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn hole(&mut self, mut length: u64) -> Result<(), Error> {
        if self.sparse {
            let call = "virStreamSendHole";
            let send = move |stream: &Stream, session: &mut Session| {
                session.run(call, |_| send_hole(stream, length))
            };
            self.transfer.call(call, send).await?;
            self.position += length;
            return Ok(());
        }
        let zeros = Bytes::from(vec![0; length.min(CHUNK as u64) as usize]);
        while length > 0 {
            let part = zeros.slice(..length.min(CHUNK as u64) as usize);
            length -= part.len() as u64;
            self.send(part).await?;
        }
        Ok(())
    }

    /// Sends all of `source`, long runs of zeros as holes; `progress` is told after each chunk how
    /// many bytes of the volume are done. [`finish`](Self::finish) is left to the caller.
    ///
    /// # Errors
    /// As [`send`](Self::send); [`Error::System`] when `source` cannot be read.
    pub async fn copy(
        &mut self,
        mut source: impl AsyncRead + Unpin,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        // As much as goes in one message, in whole grains.
        const PIECE: usize = CHUNK / GRAIN * GRAIN;
        let mut hole = 0;
        loop {
            let mut piece = BytesMut::with_capacity(PIECE);
            while piece.len() < PIECE {
                let left = PIECE - piece.len();
                let read = (&mut source).take(left as u64).read_buf(&mut piece).await;
                if read.map_err(|error| broken("reading what is uploaded", &error))? == 0 {
                    break;
                }
            }
            if piece.is_empty() {
                break;
            }
            let mut piece = piece.freeze();
            while !piece.is_empty() {
                let (run, zero) = run_of(&piece);
                let run = piece.split_to(run);
                if zero && self.sparse {
                    hole += run.len() as u64;
                    continue;
                }
                if hole > 0 {
                    self.hole(std::mem::take(&mut hole)).await?;
                }
                self.send(run).await?;
            }
            progress(self.position + hole);
        }
        if hole > 0 {
            self.hole(hole).await?;
        }
        Ok(())
    }

    /// How many bytes were sent, holes included.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Waits until the host has written everything.
    ///
    /// # Errors
    /// libvirt's own, for example when there was no room.
    pub async fn finish(mut self) -> Result<(), Error> {
        self.transfer.finish().await
    }
}

impl Download {
    /// The next part of the volume; `None` at its end, which is then known to be the whole.
    ///
    /// # Errors
    /// libvirt's own; the transfer is then over. Not cancel-safe: it is over as well when the
    /// caller leaves before the answer.
    pub async fn next(&mut self) -> Result<Option<Chunk>, Error> {
        loop {
            let Some((transfer, left)) = &mut self.window else {
                if self.end.is_some_and(|end| self.position >= end) {
                    return Ok(None);
                }
                if self.in_hole {
                    self.in_hole = false;
                    if let Some(length) = self.rest_of_hole().await? {
                        self.position += length;
                        return Ok(Some(Chunk::Hole(length)));
                    }
                }
                let rest = self.end.map_or(u64::MAX, |end| end - self.position);
                let length = rest.min(WINDOW);
                self.window = Some((self.open(length).await?, length));
                continue;
            };
            let call = "virStreamRecvFlags";
            let receive = |stream: &Stream, session: &mut Session| {
                let mut buffer = vec![0; CHUNK];
                let received = session.run(call, |_| receive(stream, &mut buffer))?;
                Ok(match received {
                    Received::Data(length) => {
                        buffer.truncate(length);
                        Some(Chunk::Data(buffer.into()))
                    }
                    Received::Hole(length) => Some(Chunk::Hole(length)),
                    Received::End => None,
                })
            };
            let Some(chunk) = transfer.call(call, receive).await? else {
                transfer.finish().await?;
                if *left > 0 {
                    self.end = Some(self.position);
                }
                self.window = None;
                continue;
            };
            let length = match &chunk {
                Chunk::Data(data) => data.len() as u64,
                Chunk::Hole(length) => *length,
            };
            *left = left.saturating_sub(length);
            self.position += length;
            self.in_hole = matches!(chunk, Chunk::Hole(_)) && *left == 0;
            return Ok(Some(chunk));
        }
    }

    /// Begins to receive so many bytes from where it is.
    async fn open(&self, length: u64) -> Result<Transfer, Error> {
        let (pool, volume) = (self.pool.clone(), self.volume.clone());
        let position = self.position;
        let flags = if self.sparse {
            sys::VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM
        } else {
            0
        };
        Transfer::begin(&self.connection, DOWNLOAD, move |session, stream| {
            let volume = look_up_volume(session, &pool, &volume)?;
            session.run(DOWNLOAD, |_| {
                volume.download(stream, position, length, flags)
            })
        })
        .await
    }

    /// How far the hole goes in which the last window ended; `None` if it ended there. What follows
    /// it is sent as well, but only until the answer is here.
    async fn rest_of_hole(&self) -> Result<Option<u64>, Error> {
        let call = "virStreamRecvHole";
        let rest = self.end.map_or(0, |end| end - self.position);
        let mut transfer = self.open(rest).await?;
        let first = |stream: &Stream, session: &mut Session| {
            let received = session.run(call, |_| receive(stream, &mut [0]))?;
            session.run("virStreamAbort", |_| stream.clone().abort())?;
            Ok(received)
        };
        let received = transfer.call(call, first).await?;
        transfer.stream = None; // aborted
        Ok(match received {
            Received::Hole(length) => Some(length),
            Received::Data(_) | Received::End => None,
        })
    }

    /// Writes all that is left to `sink`, holes by seeking over them; `progress` is told after each
    /// chunk how many bytes are done.
    ///
    /// # Errors
    /// As [`next`](Self::next); [`Error::System`] when `sink` cannot be written.
    pub async fn copy(
        &mut self,
        mut sink: impl AsyncWrite + AsyncSeek + Unpin,
        mut progress: impl FnMut(u64),
    ) -> Result<(), Error> {
        let failed = |error| broken("writing what is downloaded", &error);
        let mut ends_in_hole = false;
        while let Some(chunk) = self.next().await? {
            ends_in_hole = matches!(chunk, Chunk::Hole(_));
            match chunk {
                Chunk::Data(data) => sink.write_all(&data).await.map_err(failed)?,
                Chunk::Hole(length) => {
                    let over = SeekFrom::Current(i64::try_from(length).unwrap_or(i64::MAX));
                    sink.seek(over).await.map_err(failed)?;
                }
            }
            progress(self.position());
        }
        if ends_in_hole {
            // Nothing but a byte at the end makes a file so long.
            sink.seek(SeekFrom::Current(-1)).await.map_err(failed)?;
            sink.write_all(&[0]).await.map_err(failed)?;
        }
        sink.flush().await.map_err(failed)
    }

    /// How many bytes were received, holes included.
    pub fn position(&self) -> u64 {
        self.position - self.offset
    }
}

impl Transfer {
    /// Makes a stream and hands it to `begin`.
    async fn begin<F>(connection: &Connection, call: &'static str, begin: F) -> Result<Self, Error>
    where
        F: FnOnce(&mut Session, &Stream) -> Result<(), Error> + Send + 'static,
    {
        // Should the caller have left meanwhile, it is the answer that aborts the stream.
        let (of, runtime) = (connection.clone(), Handle::try_current().ok());
        let begun = connection.call_first(call, move |session| {
            let stream = session.run("virStreamNew", |c| Stream::new(c, 0))?;
            begin(session, &stream)?;
            Ok(Self {
                connection: of,
                runtime,
                stream: Some(stream),
                intact: true,
            })
        });
        begun.await
    }

    /// Uses the stream on one of the connection's threads.
    async fn call<T, F>(&mut self, call: &'static str, f: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Stream, &mut Session) -> Result<T, Error> + Send + 'static,
    {
        let deadline = self.connection.deadline();
        self.call_within(deadline, call, f).await
    }

    async fn call_within<T, F>(
        &mut self,
        deadline: Duration,
        call: &'static str,
        f: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Stream, &mut Session) -> Result<T, Error> + Send + 'static,
    {
        let stream = match &self.stream {
            Some(stream) if self.intact => stream.clone(),
            _ => {
                return Err(Error::System {
                    what: "the transfer",
                    reason: "a part of it failed or was given up before".to_owned(),
                });
            }
        };
        self.intact = false;
        let call = self
            .connection
            .call_first_within(deadline, call, move |session| f(&stream, session));
        let result = call.await?;
        self.intact = true;
        Ok(result)
    }

    /// Both sides agree that the stream is over.
    async fn finish(&mut self) -> Result<(), Error> {
        let call = "virStreamFinish";
        let finish =
            |stream: &Stream, session: &mut Session| session.run(call, |_| stream.clone().finish());
        self.call_within(LONG, call, finish).await?;
        self.stream = None;
        Ok(())
    }
}

impl Drop for Transfer {
    /// The host is told that nothing follows: else it would keep the volume busy for as long as the
    /// connection is open. That talks to the host, so it is done by the connection's thread.
    fn drop(&mut self) {
        let (Some(stream), Some(runtime)) = (self.stream.take(), &self.runtime) else {
            return;
        };
        let connection = self.connection.clone();
        runtime.spawn(async move {
            let call = "virStreamAbort";
            let aborted = stream.clone();
            let abort = move |session: &mut Session| session.run(call, |_| aborted.abort());
            if let Err(error) = connection.call_first(call, abort).await {
                tracing::debug!("aborting a transfer: {error}");
                // It may be the last to hold a libvirt connection, and closing one takes its time.
                std::thread::spawn(move || drop(stream));
            }
        });
    }
}

/// How many bytes at the beginning of `data` are alike, in grains, and whether they are zero.
fn run_of(data: &[u8]) -> (usize, bool) {
    let mut zeros = data
        .chunks(GRAIN)
        .map(|grain| grain.iter().all(|&b| b == 0));
    let zero = zeros.next().unwrap_or(false);
    let alike = 1 + zeros.take_while(|&other| other == zero).count();
    ((alike * GRAIN).min(data.len()), zero)
}

fn broken(what: &'static str, error: &std::io::Error) -> Error {
    Error::System {
        what,
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_zeros_are_found_in_whole_grains() {
        let mut data = vec![0; 4 * GRAIN + 10];
        assert_eq!(run_of(&data), (4 * GRAIN + 10, true));
        data[GRAIN] = 1;
        assert_eq!(run_of(&data), (GRAIN, true));
        assert_eq!(run_of(&data[GRAIN..]), (GRAIN, false));
        assert_eq!(run_of(&data[2 * GRAIN..]), (2 * GRAIN + 10, true));
        assert_eq!(run_of(&[7; 3]), (3, false));
        assert_eq!(run_of(&[]), (0, false));
    }
}
