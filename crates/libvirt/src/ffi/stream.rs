//! The sparse half of streams, which `virt` lacks, and the non-blocking one, of which it takes
//! having to wait for an error and keeps a pointer to what may move.

use std::os::raw::{c_char, c_int, c_longlong, c_void};
use std::sync::Arc;

use virt::error::Error;
use virt::stream::Stream;
use virt_sys as sys;

use super::callbacks::{Notice, Token, deliver};

/// What came next in a stream.
pub(crate) enum Received {
    /// So many bytes, at the beginning of the buffer.
    Data(usize),
    /// So many bytes that are zero and were not sent.
    Hole(u64),
    /// Nothing: the stream is at its end.
    End,
}

/// What libvirt answers to a receiver that wants to know of holes.
const AT_HOLE: i32 = -3;

/// Waits for the next data, or hole, of a stream that is not in non-blocking mode.
pub(crate) fn receive(stream: &Stream, buffer: &mut [u8]) -> Result<Received, Error> {
    // SAFETY: the stream is valid while it is borrowed, and libvirt writes at most as many bytes
    // as it is told that the buffer has.
    let received = unsafe {
        sys::virStreamRecvFlags(
            stream.as_ptr(),
            buffer.as_mut_ptr().cast::<c_char>(),
            buffer.len(),
            sys::VIR_STREAM_RECV_STOP_AT_HOLE,
        )
    };
    if received == AT_HOLE {
        let mut length: c_longlong = 0;
        // SAFETY: as above; the length is what libvirt fills.
        let result = unsafe { sys::virStreamRecvHole(stream.as_ptr(), &raw mut length, 0) };
        return match u64::try_from(length) {
            Ok(length) if result >= 0 => Ok(Received::Hole(length)),
            _ => Err(Error::last_error()),
        };
    }
    match usize::try_from(received) {
        Ok(0) => Ok(Received::End),
        Ok(bytes) => Ok(Received::Data(bytes)),
        Err(_) => Err(Error::last_error()),
    }
}

/// Says that so many bytes are zero, instead of sending them.
pub(crate) fn send_hole(stream: &Stream, length: u64) -> Result<(), Error> {
    // Longer than any storage; libvirt's own type ends here.
    let length = c_longlong::try_from(length).unwrap_or(c_longlong::MAX);
    // SAFETY: the stream is valid while it is borrowed.
    let result = unsafe { sys::virStreamSendHole(stream.as_ptr(), length, 0) };
    if result < 0 {
        Err(Error::last_error())
    } else {
        Ok(())
    }
}

/// What libvirt answers where a stream in non-blocking mode would have to wait.
const WOULD_BLOCK: i32 = -2;

/// What is there of a stream in non-blocking mode: so many bytes at the beginning of the buffer, 0 at
/// its end, `None` while there is nothing.
pub(crate) fn receive_now(stream: &Stream, buffer: &mut [u8]) -> Result<Option<usize>, Error> {
    let (data, length) = (buffer.as_mut_ptr().cast::<c_char>(), buffer.len());
    // SAFETY: the stream is valid while it is borrowed, and libvirt writes at most as many bytes
    // as it is told that the buffer has.
    now(unsafe { sys::virStreamRecv(stream.as_ptr(), data, length) })
}

/// Puts bytes into a stream in non-blocking mode: so many of them, `None` where none goes in now.
pub(crate) fn send_now(stream: &Stream, data: &[u8]) -> Result<Option<usize>, Error> {
    // SAFETY: the stream is valid while it is borrowed, and libvirt reads at most as many bytes as
    // it is told that there are.
    now(unsafe { sys::virStreamSend(stream.as_ptr(), data.as_ptr().cast::<c_char>(), data.len()) })
}

fn now(result: c_int) -> Result<Option<usize>, Error> {
    match result {
        WOULD_BLOCK => Ok(None),
        bytes => usize::try_from(bytes)
            .map(Some)
            .map_err(|_| Error::last_error()),
    }
}

/// That somebody is called when a stream in non-blocking mode is ready.
pub(crate) struct Ready {
    stream: Stream,
    token: Token,
}

impl Ready {
    /// `called` runs on the event loop's thread: it must not block and must not call libvirt. It is
    /// called once, and again after each [`want`](Self::want).
    pub(crate) fn register(
        stream: &Stream,
        called: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let token = Token::new(Arc::new(move |notice| {
            if let Notice::Ready = notice {
                called();
            }
        }));
        // SAFETY: the stream is valid while it is borrowed; the opaque value is a number that is
        // never dereferenced, so it needs no destructor.
        let result = unsafe {
            sys::virStreamEventAddCallback(
                stream.as_ptr(),
                sys::VIR_STREAM_EVENT_READABLE as c_int,
                Some(on_ready),
                token.opaque(),
                None,
            )
        };
        if result < 0 {
            return Err(Error::last_error());
        }
        Ok(Self {
            stream: stream.clone(),
            token,
        })
    }

    /// Asks to be called when there is something to take, or, if that is wanted, room.
    pub(crate) fn want(&self, room: bool) -> Result<(), Error> {
        let room = if room {
            sys::VIR_STREAM_EVENT_WRITABLE
        } else {
            0
        };
        (self.stream).event_update_callback(sys::VIR_STREAM_EVENT_READABLE | room)
    }

    /// Ends it. Without it libvirt would keep the stream for ever.
    pub(crate) fn deregister(self) {
        if let Err(error) = self.stream.event_remove_callback() {
            // A stream that ended has none any longer.
            tracing::debug!("deregistering a stream's callback: {error}");
        }
        drop(self.token);
    }
}

unsafe extern "C" fn on_ready(stream: sys::virStreamPtr, _events: c_int, opaque: *mut c_void) {
    // Not again before somebody has looked: the event loop would do nothing else.
    // SAFETY: libvirt lends the stream for the length of the callback, and holds no lock meanwhile.
    unsafe { sys::virStreamEventUpdateCallback(stream, 0) };
    deliver(opaque, Notice::Ready);
}
