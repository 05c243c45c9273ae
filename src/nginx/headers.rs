//! The list of request headers: taking elements out, adding ours.
//!
//! Elements never move, because nginx keeps typed pointers to some; a part that exists is never
//! written, because the lists of subrequests share it; and no part may be empty, because nginx's
//! own loops read its first element. So what stays is described by a new chain of parts over the
//! runs of kept elements.

use std::ptr::{NonNull, null_mut};

use super::{
    ffi::{self, ngx_list_part_t, ngx_list_t, ngx_table_elt_t},
    request::{Request, bytes},
};

/// nginx ran out of memory; the request must end.
#[derive(Debug)]
pub struct NoMemory;

/// Room for elements that a list gets when nothing is left in it.
const FRESH: usize = 4;

/// Runs of kept elements that are told apart without the heap; more spill to it.
type Runs = Vec<(*mut ngx_table_elt_t, usize)>;

/// Takes out every request header for which `gone` says so.
pub fn remove(
    request: Request<'_>,
    gone: impl Fn(NonNull<ngx_table_elt_t>) -> bool,
) -> Result<(), NoMemory> {
    if !request.headers().any(&gone) {
        return Ok(());
    }
    let runs = kept_runs(request, gone);
    // SAFETY: the list and the pool are those of a live request; see the module's rule on parts.
    unsafe {
        rebuild(
            &mut request.raw_mut().headers_in.headers,
            request.raw().pool,
            &runs,
        )
    }
}

fn kept_runs(request: Request<'_>, gone: impl Fn(NonNull<ngx_table_elt_t>) -> bool) -> Runs {
    let mut runs = Runs::new();
    let mut expected = null_mut();
    for element in request.headers() {
        if gone(element) {
            expected = null_mut();
            continue;
        }
        match runs.last_mut() {
            Some((_, length)) if element.as_ptr() == expected => *length += 1,
            _ => runs.push((element.as_ptr(), 1)),
        }
        expected = element.as_ptr().wrapping_add(1);
    }
    runs
}

unsafe fn rebuild(
    list: &mut ngx_list_t,
    pool: *mut ffi::ngx_pool_t,
    runs: &Runs,
) -> Result<(), NoMemory> {
    let Some(((first, length), rest)) = runs.split_first() else {
        // SAFETY: the pool is live.
        let elements = unsafe { ffi::ngx_pcalloc(pool, FRESH * size_of::<ngx_table_elt_t>()) };
        if elements.is_null() {
            return Err(NoMemory);
        }
        list.part = ngx_list_part_t {
            elts: elements,
            nelts: 0,
            next: null_mut(),
        };
        list.last = &raw mut list.part;
        list.nalloc = FRESH;
        return Ok(());
    };
    let mut next: *mut ngx_list_part_t = null_mut();
    let mut last: *mut ngx_list_part_t = null_mut();
    for (element, length) in rest.iter().rev() {
        // SAFETY: the pool is live; the block is written before it is linked.
        unsafe {
            let part =
                ffi::ngx_palloc(pool, size_of::<ngx_list_part_t>()).cast::<ngx_list_part_t>();
            if part.is_null() {
                return Err(NoMemory);
            }
            part.write(ngx_list_part_t {
                elts: element.cast(),
                nelts: *length,
                next,
            });
            next = part;
        }
        if last.is_null() {
            last = next;
        }
    }
    list.part = ngx_list_part_t {
        elts: first.cast(),
        nelts: *length,
        next,
    };
    list.last = if last.is_null() {
        &raw mut list.part
    } else {
        last
    };
    // The last part counts as full, so that the next push opens a part of its own.
    list.nalloc = runs[runs.len() - 1].1;
    Ok(())
}

/// Adds a request header; returns the element so that the cleaner can spare it.
pub fn push(
    request: Request<'_>,
    name: &str,
    value: &str,
) -> Result<NonNull<ngx_table_elt_t>, NoMemory> {
    let key = request.copy_str(name.as_bytes()).ok_or(NoMemory)?;
    let lower = request
        .copy_str(name.to_ascii_lowercase().as_bytes())
        .ok_or(NoMemory)?;
    let value = request.copy_str(value.as_bytes()).ok_or(NoMemory)?;
    // SAFETY: the list is that of a live main request; the new element is filled before anyone reads it.
    unsafe {
        let element =
            ffi::ngx_list_push(&mut request.raw_mut().headers_in.headers).cast::<ngx_table_elt_t>();
        let element = NonNull::new(element).ok_or(NoMemory)?;
        element.write(ngx_table_elt_t {
            hash: ffi::ngx_hash_key(lower.data, lower.len),
            key,
            value,
            lowcase_key: lower.data,
            #[cfg(ngx_linked_headers)]
            next: null_mut(),
        });
        Ok(element)
    }
}

/// Takes every response header of this name back.
pub fn clear_out(request: Request<'_>, name: &str) {
    for mut element in super::request::Headers::of(&request.raw().headers_out.headers) {
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
