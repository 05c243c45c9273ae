//! The body of a request to the portal, which nginx has read and bounded.

use super::{
    ffi::{self, off_t},
    request::Request,
};
use crate::portal::BODY_LIMIT;

/// Why a body cannot be had.
pub enum BadBody {
    /// Longer than anything the portal takes: 413.
    TooLong,
    /// A temporary file could not be read: 500.
    Unreadable,
}

/// The whole body; empty without one.
pub fn read(request: Request<'_>) -> Result<Vec<u8>, BadBody> {
    // SAFETY: null, or the body that nginx has read, in the request's pool.
    let Some(body) = (unsafe { request.raw().request_body.as_ref() }) else {
        return Ok(Vec::new());
    };
    let mut whole = Vec::new();
    let mut link = body.bufs;
    // SAFETY: a chain of buffers of that body, linked until null.
    while let Some(chain) = unsafe { link.as_ref() } {
        // SAFETY: each link of the chain has its buffer.
        append(unsafe { &mut *chain.buf }, &mut whole)?;
        link = chain.next;
    }
    Ok(whole)
}

fn append(buffer: &mut ffi::ngx_buf_t, whole: &mut Vec<u8>) -> Result<(), BadBody> {
    let length = if buffer.in_file() == 1 {
        usize::try_from(buffer.file_last - buffer.file_pos).unwrap_or(usize::MAX)
    } else {
        (buffer.last as usize).saturating_sub(buffer.pos as usize)
    };
    if length > BODY_LIMIT.saturating_sub(whole.len()) {
        return Err(BadBody::TooLong);
    }
    if buffer.in_file() == 0 {
        if length > 0 {
            // SAFETY: a buffer in memory holds the bytes from `pos` to `last`.
            whole.extend_from_slice(unsafe { std::slice::from_raw_parts(buffer.pos, length) });
        }
        return Ok(());
    }
    let start = whole.len();
    whole.resize(start + length, 0);
    // SAFETY: the buffer names an open file; the destination is as long as what is asked for.
    let read = unsafe {
        ffi::ngx_read_file(
            buffer.file,
            whole[start..].as_mut_ptr(),
            length,
            buffer.file_pos as off_t,
        )
    };
    if usize::try_from(read) == Ok(length) {
        Ok(())
    } else {
        Err(BadBody::Unreadable)
    }
}
