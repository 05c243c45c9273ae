//! The list of request headers: taking elements out, adding ours.
//!
//! Elements never move, because nginx keeps typed pointers to some; a part that exists is never
//! written, because the lists of subrequests share it; and no part may be empty, because nginx's
//! own loops read its first element. So what stays is described by a new chain of parts over the
//! runs of kept elements.

use std::{
    ffi::c_void,
    ptr::{NonNull, null_mut},
};

use super::{
    ffi::{self, ngx_list_part_t, ngx_list_t, ngx_table_elt_t},
    request::{Headers, Request, bytes, text},
};
use crate::users::HeaderSet;

/// nginx ran out of memory; the request must end.
#[derive(Debug)]
pub struct NoMemory;

/// Room for elements that a list gets when nothing is left in it.
const FRESH: usize = 4;

/// Where a list begins and ends: another when a header was added or taken out since.
#[derive(Clone, Copy, PartialEq)]
pub struct Extent {
    first: (*const c_void, usize),
    last: (*const ngx_list_part_t, usize),
}

impl Extent {
    /// That of the request's headers.
    pub fn of(request: Request<'_>) -> Self {
        let list = &request.raw().headers_in.headers;
        // SAFETY: a live list has its last part.
        let length = unsafe { (*list.last).nelts };
        Extent {
            first: (list.part.elts.cast_const(), list.part.nelts),
            last: (list.last.cast_const(), length),
        }
    }
}

/// Takes out every request header for which `gone` says so.
pub fn remove(
    request: Request<'_>,
    gone: impl Fn(NonNull<ngx_table_elt_t>) -> bool,
) -> Result<(), NoMemory> {
    if !request.headers().any(&gone) {
        return Ok(());
    }
    // SAFETY: the list and the pool are those of a live request; see the module's rule on parts.
    unsafe {
        rebuild(
            &mut request.raw_mut().headers_in.headers,
            request.raw().pool,
            gone,
        )
    }
}

unsafe fn rebuild(
    list: &mut ngx_list_t,
    pool: *mut ffi::ngx_pool_t,
    gone: impl Fn(NonNull<ngx_table_elt_t>) -> bool,
) -> Result<(), NoMemory> {
    let mut first = ngx_list_part_t {
        elts: null_mut(),
        nelts: 0,
        next: null_mut(),
    };
    let mut last = &raw mut first;
    for element in Headers::of(list).filter(|element| !gone(*element)) {
        let element = element.as_ptr();
        // SAFETY: `last` is `first` or a part made below.
        let part = unsafe { &mut *last };
        let end = part.elts.cast::<ngx_table_elt_t>().wrapping_add(part.nelts);
        if part.nelts == 0 {
            part.elts = element.cast();
            part.nelts = 1;
        } else if element == end {
            part.nelts += 1;
        } else {
            // SAFETY: the pool is live.
            last = unsafe { new_part(pool, element)? };
            part.next = last;
        }
    }
    if first.nelts == 0 {
        // SAFETY: the pool is live.
        first.elts = unsafe { ffi::ngx_pcalloc(pool, FRESH * size_of::<ngx_table_elt_t>()) };
        if first.elts.is_null() {
            return Err(NoMemory);
        }
    }
    // The last part counts as full, so that the next push opens a part of its own.
    // SAFETY: as above.
    let full = unsafe { (*last).nelts };
    list.nalloc = if full == 0 { FRESH } else { full };
    let is_first = std::ptr::eq(last, &raw const first);
    list.part = first;
    list.last = if is_first { &raw mut list.part } else { last };
    Ok(())
}

/// A part of one element, to be linked by the caller.
unsafe fn new_part(
    pool: *mut ffi::ngx_pool_t,
    element: *mut ngx_table_elt_t,
) -> Result<*mut ngx_list_part_t, NoMemory> {
    // SAFETY: the caller's pool is live; the block is written before anybody reads it.
    unsafe {
        let part = ffi::ngx_palloc(pool, size_of::<ngx_list_part_t>()).cast::<ngx_list_part_t>();
        if part.is_null() {
            return Err(NoMemory);
        }
        part.write(ngx_list_part_t {
            elts: element.cast(),
            nelts: 1,
            next: null_mut(),
        });
        Ok(part)
    }
}

/// A header's name with what nginx keeps beside it.
#[derive(Clone, Copy)]
struct Name<'n> {
    key: &'n [u8],
    lower: &'n [u8],
    hash: ffi::ngx_uint_t,
}

/// The names that every request of a signed-in visitor gets, made while compiling.
static IDENTITY: [(&str, [u8; LONGEST], ffi::ngx_uint_t); 4] = {
    let names = HeaderSet::Remote.names();
    [
        prepared(names[0]),
        prepared(names[1]),
        prepared(names[2]),
        prepared(names[3]),
    ]
};

/// More bytes than any of those has.
const LONGEST: usize = 16;

const fn prepared(name: &str) -> (&str, [u8; LONGEST], ffi::ngx_uint_t) {
    let (mut lower, mut hash, mut at) = ([0; LONGEST], 0, 0);
    while at < name.len() {
        lower[at] = name.as_bytes()[at].to_ascii_lowercase();
        hash = next_hash(hash, lower[at]);
        at += 1;
    }
    (name, lower, hash)
}

fn known(name: &str) -> Option<Name<'static>> {
    let (key, lower, hash) = IDENTITY.iter().find(|(known, ..)| *known == name)?;
    Some(Name {
        key: key.as_bytes(),
        lower: &lower[..key.len()],
        hash: *hash,
    })
}

/// A name that only the users file has, in the request's pool.
fn made<'r>(request: Request<'r>, name: &str) -> Option<Name<'r>> {
    let lower = request.zeroed(name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let hash = lower.iter().fold(0, |hash, byte| next_hash(hash, *byte));
    let key = request.copy(name.as_bytes())?;
    Some(Name { key, lower, hash })
}

/// Adds a request header; returns the element so that the cleaner can spare it.
pub fn push(
    request: Request<'_>,
    name: &str,
    value: &str,
) -> Result<NonNull<ngx_table_elt_t>, NoMemory> {
    let name = known(name).or_else(|| made(request, name));
    let Name { key, lower, hash } = name.ok_or(NoMemory)?;
    // One more than there is: nginx ends values that it parsed with a zero, and an empty one must be somewhere.
    let copy = request.zeroed(value.len() + 1).ok_or(NoMemory)?;
    copy[..value.len()].copy_from_slice(value.as_bytes());
    // SAFETY: the list is that of a live main request; the new element is filled before anyone reads it.
    unsafe {
        let element =
            ffi::ngx_list_push(&mut request.raw_mut().headers_in.headers).cast::<ngx_table_elt_t>();
        let element = NonNull::new(element).ok_or(NoMemory)?;
        element.write(ngx_table_elt_t {
            hash,
            key: text(key),
            value: text(&copy[..value.len()]),
            lowcase_key: lower.as_ptr().cast_mut(),
            #[cfg(ngx_linked_headers)]
            next: null_mut(),
        });
        Ok(element)
    }
}

/// nginx's `ngx_hash`.
const fn next_hash(hash: ffi::ngx_uint_t, byte: u8) -> ffi::ngx_uint_t {
    hash.wrapping_mul(31).wrapping_add(byte as ffi::ngx_uint_t)
}

/// Takes every response header of this name back.
pub fn clear_out(request: Request<'_>, name: &str) {
    for mut element in Headers::of(&request.raw().headers_out.headers) {
        // SAFETY: elements of a live list; nginx does not send one whose hash is 0.
        let element = unsafe { element.as_mut() };
        if bytes(&element.key).eq_ignore_ascii_case(name.as_bytes()) {
            element.hash = 0;
        }
    }
}

/// Adds a response header and returns it, for the typed pointers that some headers need as well.
pub fn push_out(
    request: Request<'_>,
    name: &str,
    value: &str,
) -> Result<NonNull<ngx_table_elt_t>, NoMemory> {
    let key = request.copy_str(name.as_bytes()).ok_or(NoMemory)?;
    let value = request.copy_str(value.as_bytes()).ok_or(NoMemory)?;
    // SAFETY: as in `push`, for the response's list.
    unsafe {
        let element = ffi::ngx_list_push(&mut request.raw_mut().headers_out.headers)
            .cast::<ngx_table_elt_t>();
        let element = NonNull::new(element).ok_or(NoMemory)?;
        element.write(ngx_table_elt_t {
            hash: 1,
            key,
            value,
            lowcase_key: null_mut(),
            #[cfg(ngx_linked_headers)]
            next: null_mut(),
        });
        Ok(element)
    }
}
