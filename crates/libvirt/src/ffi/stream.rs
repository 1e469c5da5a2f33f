//! The sparse half of streams, which `virt` lacks.

use std::os::raw::{c_char, c_longlong};

use virt::error::Error;
use virt::stream::Stream;
use virt_sys as sys;

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
