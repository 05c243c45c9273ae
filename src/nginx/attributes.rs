//! `$auth_gate_attr_NAME`: any attribute of the signed-in user.

use super::{
    entry,
    ffi::{
        self, ERROR, NGX_HTTP_VAR_NOCACHEABLE, NGX_HTTP_VAR_PREFIX, ngx_http_request_t,
        ngx_http_variable_value_t, ngx_int_t, ngx_str_t,
    },
    request::{Request, bytes},
    state::State,
    variables,
};
use crate::users::header_value;

const PREFIX: &str = "auth_gate_attr_";

/// Adds the variables, which nginx knows by what their names begin with.
pub fn add(cf: *mut ffi::ngx_conf_t) -> Result<(), ()> {
    let mut name = ngx_str_t {
        len: PREFIX.len(),
        data: PREFIX.as_ptr().cast_mut(),
    };
    let flags = NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_PREFIX;
    // SAFETY: `cf` is live; nginx copies the name.
    let variable = unsafe { ffi::ngx_http_add_variable(cf, &raw mut name, flags as usize) };
    // SAFETY: null, or a variable of this configuration that is ours to fill.
    let variable = unsafe { variable.as_mut() }.ok_or(())?;
    variable.get_handler = Some(get);
    Ok(())
}

unsafe extern "C" fn get(
    r: *mut ngx_http_request_t,
    v: *mut ngx_http_variable_value_t,
    data: usize,
) -> ngx_int_t {
    entry::guard("variable", ERROR, || {
        // SAFETY: `r` and `v` are those of this callback; to the getter of a prefix nginx gives the
        // whole name of the variable that is asked for, as a string of the configuration.
        let (request, v, name) = unsafe {
            let name = (data as *const ngx_str_t).as_ref().map(bytes);
            (Request::from_callback(r), &mut *v, name)
        };
        let value = request.zip(name).and_then(|(request, name)| {
            let wanted = name.get(PREFIX.len()..)?;
            let user = &State::find(request)?.session()?.user;
            let mut attributes = user.attributes.iter();
            let (_, value) = attributes.find(|(name, _)| is_called(name, wanted))?;
            Some((request, header_value(value)))
        });
        variables::set(v, value)
    })
}

/// nginx writes the names of variables in lower case, and they have no other mark than `_`.
fn is_called(name: &str, wanted: &[u8]) -> bool {
    let folded = name.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
        _ => b'_',
    });
    folded.eq(wanted.iter().copied())
}
