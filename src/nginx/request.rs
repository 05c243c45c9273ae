//! A request as the handlers of this room read it: borrowed views of what nginx parsed.

use std::{
    borrow::Cow,
    ffi::c_void,
    marker::PhantomData,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ptr::NonNull,
};

use super::{
    conf::{LocationConf, MainConf, ServerConf},
    ffi::{self, ngx_http_request_t, ngx_str_t, ngx_table_elt_t},
    log::{self, Level},
    module::ngx_http_auth_gate_module,
};

/// A request of nginx for the time of one callback, `'r`.
///
/// All that is read through it lives in the request's pool or in the cycle's, which outlive the
/// callback. nginx itself changes the structure whenever it is called, so a reference into it is
/// read and let go, not kept across such a call.
#[derive(Clone, Copy)]
pub struct Request<'r>(
    NonNull<ngx_http_request_t>,
    PhantomData<&'r ngx_http_request_t>,
);

impl<'r> Request<'r> {
    /// Wraps the pointer of a callback; `None` when it is null.
    ///
    /// # Safety
    ///
    /// `r` is the request of the running callback, or null, and `'r` ends with that callback.
    pub unsafe fn from_callback(r: *mut ngx_http_request_t) -> Option<Self> {
        NonNull::new(r).map(|r| Request(r, PhantomData))
    }

    /// The pointer, for calls into nginx.
    pub fn as_ptr(self) -> *mut ngx_http_request_t {
        self.0.as_ptr()
    }

    /// The structure itself, for reading.
    pub fn raw(self) -> &'r ngx_http_request_t {
        // SAFETY: see the type: the request outlives the callback in which this value lives.
        unsafe { self.0.as_ref() }
    }

    /// The structure itself, for writing a field; the borrow must end before nginx is called.
    pub fn raw_mut(self) -> &'r mut ngx_http_request_t {
        // SAFETY: as `raw`; nginx is single-threaded and nobody else writes during the callback.
        unsafe { &mut *self.0.as_ptr() }
    }

    /// Whether this is a subrequest (SSI, mirror, addition, auth_request).
    pub fn is_subrequest(self) -> bool {
        self.raw().main != self.as_ptr()
    }

    /// The method as it was sent.
    pub fn method(self) -> &'r [u8] {
        bytes(&self.raw().method_name)
    }

    /// The request target as it was sent, `/` before a bare query (`GET http://host?x`).
    pub fn target(self) -> Cow<'r, [u8]> {
        let raw = bytes(&self.raw().unparsed_uri);
        match raw.first() {
            Some(b'/') => raw.into(),
            _ => [b"/", raw].concat().into(),
        }
    }

    /// Decoded path.
    pub fn path(self) -> &'r [u8] {
        bytes(&self.raw().uri)
    }

    /// Raw query without its question mark.
    pub fn query(self) -> &'r [u8] {
        bytes(&self.raw().args)
    }

    /// The host that chose the server: lower case, no port, no final dot; empty without `Host`.
    pub fn host(self) -> &'r [u8] {
        bytes(&self.raw().headers_in.server)
    }

    /// Whether the connection is encrypted by this nginx.
    pub fn is_tls(self) -> bool {
        // SAFETY: a request always has its connection.
        unsafe { !(*self.raw().connection).ssl.is_null() }
    }

    /// Address of the client as nginx's realip left it; unix sockets count as loopback.
    pub fn client(self) -> IpAddr {
        // SAFETY: the connection is live and its sockaddr is as long as its family demands.
        unsafe {
            let address = (*self.raw().connection).sockaddr;
            match i32::from((*address).sa_family) {
                libc::AF_INET => {
                    let v4 = &*address.cast::<libc::sockaddr_in>();
                    IpAddr::V4(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)))
                }
                libc::AF_INET6 => {
                    let v6 = &*address.cast::<libc::sockaddr_in6>();
                    IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)).to_canonical()
                }
                _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
            }
        }
    }

    /// All header elements in the order of arrival.
    pub fn headers(self) -> Headers {
        Headers::of(&self.raw().headers_in.headers)
    }

    /// Names and values of all headers.
    pub fn named_headers(self) -> impl Iterator<Item = (&'r [u8], &'r [u8])> {
        self.headers()
            // SAFETY: elements of a live list are readable.
            .map(|e| unsafe { e.as_ref() })
            .map(|e| (bytes(&e.key), bytes(&e.value)))
    }

    /// Value of the first header of this name, in any case.
    pub fn header(self, name: &str) -> Option<&'r [u8]> {
        self.header_values(name).next()
    }

    /// Values of all headers of this name, in any case.
    pub fn header_values(self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        self.headers()
            // SAFETY: elements of a live list are readable.
            .map(|e| unsafe { e.as_ref() })
            .filter(move |e| bytes(&e.key).eq_ignore_ascii_case(name.as_bytes()))
            .map(|e| bytes(&e.value))
    }

    /// Our configuration of the location reached.
    pub fn location(self) -> &'r LocationConf {
        // SAFETY: nginx made one `LocationConf` for every location.
        unsafe { &*self.conf(self.raw().loc_conf) }
    }

    /// Our configuration of the server chosen.
    pub fn server(self) -> &'r ServerConf {
        // SAFETY: nginx made one `ServerConf` for every server.
        unsafe { &*self.conf(self.raw().srv_conf) }
    }

    /// Our configuration of the whole.
    pub fn whole(self) -> &'r MainConf {
        // SAFETY: nginx made one `MainConf`.
        unsafe { &*self.conf(self.raw().main_conf) }
    }

    /// nginx's own configuration of the location reached.
    pub fn core_location(self) -> &'r ffi::ngx_http_core_loc_conf_t {
        // SAFETY: the core module's configuration exists for every location.
        unsafe { &*(*self.raw().loc_conf.add(ffi::ngx_http_core_module.ctx_index)).cast() }
    }

    unsafe fn conf<T>(self, confs: *mut *mut c_void) -> *const T {
        // SAFETY: the array holds one pointer for each module, at its `ctx_index`.
        unsafe { (*confs.add(ngx_http_auth_gate_module.ctx_index)).cast() }
    }

    /// Whether `satisfy any` holds in the location reached.
    pub fn satisfies_any(self) -> bool {
        self.core_location().satisfy == ffi::SATISFY_ANY
    }

    /// A copy of `source` in the request's pool.
    pub fn copy(self, source: &[u8]) -> Option<&'r [u8]> {
        if source.is_empty() {
            return Some(&[]);
        }
        // SAFETY: the pool is live; the block is as long as `source` and is filled at once.
        unsafe {
            let block = ffi::ngx_pnalloc(self.raw().pool, source.len()).cast::<u8>();
            if block.is_null() {
                return None;
            }
            block.copy_from_nonoverlapping(source.as_ptr(), source.len());
            Some(std::slice::from_raw_parts(block, source.len()))
        }
    }

    /// The same as a string of nginx.
    pub fn copy_str(self, source: &[u8]) -> Option<ngx_str_t> {
        self.copy(source).map(text)
    }

    /// So many bytes of the request's pool, all zero.
    pub fn zeroed<'a>(self, length: usize) -> Option<&'a mut [u8]> {
        // SAFETY: the pool is live; the block is as long as asked for, initialised, and ours alone.
        unsafe {
            let block = NonNull::new(ffi::ngx_pcalloc(self.raw().pool, length).cast::<u8>())?;
            Some(std::slice::from_raw_parts_mut(block.as_ptr(), length))
        }
    }

    /// A value in the request's pool, which nobody drops.
    pub fn place<T: Copy>(self, value: T) -> Option<NonNull<T>> {
        const {
            assert!(
                align_of::<T>() <= ffi::NGX_ALIGNMENT,
                "a pool aligns no better"
            )
        };
        // SAFETY: the pool is live; the block is as long as the value and written at once.
        unsafe {
            let block = NonNull::new(ffi::ngx_palloc(self.raw().pool, size_of::<T>()).cast::<T>())?;
            block.write(value);
            Some(block)
        }
    }

    /// Writes a line to the connection's log, which adds client, server and request.
    pub fn log(self, level: Level, message: std::fmt::Arguments<'_>) {
        // SAFETY: a request always has its connection.
        log::write(unsafe { (*self.raw().connection).log }, level, message);
    }
}

/// Iterator over the elements of a list of headers.
pub struct Headers {
    part: *const ffi::ngx_list_part_t,
    index: usize,
}

impl Headers {
    /// The elements of `list`, which belongs to a live request.
    pub fn of(list: &ffi::ngx_list_t) -> Self {
        Headers {
            part: &raw const list.part,
            index: 0,
        }
    }
}

impl Iterator for Headers {
    type Item = NonNull<ngx_table_elt_t>;

    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: parts of a live list are linked until null, each with `nelts` elements.
        unsafe {
            while let Some(part) = self.part.as_ref() {
                if self.index < part.nelts {
                    let element = part.elts.cast::<ngx_table_elt_t>().add(self.index);
                    self.index += 1;
                    return NonNull::new(element);
                }
                self.part = part.next;
                self.index = 0;
            }
            None
        }
    }
}

/// A string of nginx over bytes that live as long as the request's pool.
pub fn text(bytes: &[u8]) -> ngx_str_t {
    ngx_str_t {
        len: bytes.len(),
        data: bytes.as_ptr().cast_mut(),
    }
}

/// The bytes of a string of nginx that lives in the pool of a request or cycle.
pub fn bytes<'a>(s: &ngx_str_t) -> &'a [u8] {
    if s.len == 0 || s.data.is_null() {
        return &[];
    }
    // SAFETY: a string of nginx with a length has that many bytes, in a pool that outlives the callback.
    unsafe { std::slice::from_raw_parts(s.data, s.len) }
}
