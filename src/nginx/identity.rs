//! The headers that tell the backend who the visitor is, as a location wants them.

use std::{borrow::Cow, ptr::NonNull};

use super::{
    conf::{BackendBasic, IdentityHeaders, LocationConf},
    directive::{Directive, Mistake},
    ffi::ngx_table_elt_t,
    headers::{self, NoMemory},
    identify,
    request::{Request, bytes},
    state::{State, Told},
};
use crate::users::{HeaderSet, User, authentik, backend_basic, replacement, same_header};

/// `auth_gate_identity_headers`.
pub fn set_identity_headers(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let words = directive.texts()?;
    let mut headers = IdentityHeaders::OFF;
    for word in &words {
        let place = match *word {
            "remote" => &mut headers.remote,
            "authentik" => &mut headers.authentik,
            "off" if words.len() == 1 => continue,
            "off" => {
                return Err(Mistake::Says(
                    "has \"off\" beside other values: write either".into(),
                ));
            }
            other => {
                return Err(Mistake::Says(format!(
                    "has no value \"{other}\": write remote, authentik, both, or off"
                )));
            }
        };
        if std::mem::replace(place, true) {
            return Err(Mistake::Says(format!("has \"{word}\" twice")));
        }
    }
    if conf.identity_headers.is_some() {
        return Err(Mistake::Duplicate);
    }
    conf.identity_headers = Some(headers);
    Ok(())
}

/// `auth_gate_application`.
pub fn set_application(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let name = directive.text()?;
    if name.is_empty() || name.contains(char::is_control) {
        return Err(Mistake::Says(
            "wants a name without control characters, for instance \"wiki\"".into(),
        ));
    }
    if conf.application.is_some() {
        return Err(Mistake::Duplicate);
    }
    conf.application = Some(name.into());
    Ok(())
}

/// `auth_gate_backend_basic`.
pub fn set_backend_basic(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let [user, password] = directive.texts()?[..] else {
        return Err(Mistake::Says(
            "wants the names of two attributes, of the user name and of the password".into(),
        ));
    };
    if user.is_empty() || password.is_empty() {
        return Err(Mistake::Says("has an attribute without a name".into()));
    }
    if conf.backend_basic.is_some() {
        return Err(Mistake::Duplicate);
    }
    conf.backend_basic = Some(BackendBasic {
        user: user.into(),
        password: password.into(),
    });
    Ok(())
}

/// Adds the headers for the backend, once in the life of a request unless the visitor becomes another.
pub fn add(request: Request<'_>, state: &State) -> Result<(), NoMemory> {
    let location = request.location();
    let sets = location.identity_headers();
    if request.is_subrequest() {
        return Ok(());
    }
    match state.told() {
        Told::AsNow => return Ok(()),
        Told::Otherwise => take_back(request, state)?,
        Told::Nothing => {}
    }
    if sets == IdentityHeaders::OFF && location.backend_basic.is_none() {
        return Ok(());
    }
    let visitor = identify::visitor(request, state).map(|session| &*session.user);
    if let Some(basic) = &location.backend_basic {
        add_basic(request, state, visitor, basic)?;
    }
    if sets.authentik {
        add_authentik(request, state, visitor)?;
    }
    let Some(user) = visitor.filter(|_| sets != IdentityHeaders::OFF) else {
        return Ok(());
    };
    if sets.remote {
        // With the user's additional headers after them.
        for (name, value) in HeaderSet::Remote.values(Some(user)) {
            push(request, state, name, value)?;
        }
        return Ok(());
    }
    for (name, value) in &user.additional_headers {
        push(request, state, name, value)?;
    }
    Ok(())
}

/// Takes the headers out that were added.
fn take_back(request: Request<'_>, state: &State) -> Result<(), NoMemory> {
    let authorization = NonNull::new(request.raw().headers_in.authorization);
    if authorization.is_some_and(|element| state.owns(element)) {
        request.raw_mut().headers_in.authorization = std::ptr::null_mut();
    }
    headers::remove(request, |element| state.owns(element))?;
    state.forget_headers();
    Ok(())
}

fn push(request: Request<'_>, state: &State, name: &str, value: &str) -> Result<(), NoMemory> {
    state.remember_header(request, headers::push(request, name, value)?)
}

fn add_authentik(request: Request<'_>, state: &State, user: Option<&User>) -> Result<(), NoMemory> {
    take_out(request, state, b"X-Forwarded-Host")?;
    let host = String::from_utf8_lossy(request.host());
    if replacement(user, "X-Forwarded-Host").is_none() {
        push(request, state, "X-Forwarded-Host", &host)?;
    }
    let uid = match user {
        Some(user) => uid(request, user)?,
        None => "".into(),
    };
    let location = request.location();
    let application = location.application.as_deref();
    let meta = authentik::Meta {
        uid: &uid,
        application: application
            .or(request.server().names.first())
            .unwrap_or(&host),
    };
    for (name, value) in authentik::values(user, meta) {
        push(request, state, name, value)?;
    }
    Ok(())
}

fn uid<'u>(request: Request<'_>, user: &'u User) -> Result<Cow<'u, str>, NoMemory> {
    let whole = request.whole();
    let keys = whole
        .loaded
        .as_ref()
        .and_then(|loaded| loaded.lasting_keys.as_ref());
    let keys = keys.or_else(|| whole.zone.keys()).ok_or(NoMemory)?;
    Ok(authentik::uid(user, |name| keys.uid(name)))
}

/// Whatever the client has in `Authorization` goes; what is made of two attributes of the user
/// comes in its place, if he has them.
fn add_basic(
    request: Request<'_>,
    state: &State,
    user: Option<&User>,
    basic: &BackendBasic,
) -> Result<(), NoMemory> {
    take_out(request, state, b"Authorization")?;
    request.raw_mut().headers_in.authorization = std::ptr::null_mut();
    let value = user.and_then(|user| backend_basic(user, &basic.user, &basic.password));
    let Some(value) = value.filter(|_| replacement(user, "Authorization").is_none()) else {
        return Ok(());
    };
    let element = headers::push(request, "Authorization", &value)?;
    state.remember_header(request, element)?;
    request.raw_mut().headers_in.authorization = element.as_ptr();
    Ok(())
}

fn take_out(request: Request<'_>, state: &State, name: &[u8]) -> Result<(), NoMemory> {
    headers::remove(request, |element: NonNull<ngx_table_elt_t>| {
        // SAFETY: elements of a live list are readable.
        same_header(bytes(unsafe { &element.as_ref().key }), name) && !state.owns(element)
    })
}
