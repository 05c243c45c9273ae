//! Credentials in the headers of guarded requests: which of them a location reads, what stands in
//! them, and how they are taken out before anybody else sees them. [`passwords`](super::passwords)
//! finds out what they are worth.

use std::ptr::{NonNull, null_mut};

use super::{
    conf::LocationConf,
    directive::{self, Directive, Mistake},
    ffi::{self, ngx_table_elt_t},
    headers::{self, NoMemory},
    request::{Request, bytes},
    state::{SignedIn, State},
    variables,
};
use crate::{
    portal::{
        CredentialHeader, Schemes,
        in_header::{self, InHeader, Scheme},
    },
    users::same_header,
};

/// `auth_gate_credentials`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The session cookie.
    pub cookie: bool,
    /// The schemes that are read in `Authorization` and in `Proxy-Authorization`.
    pub schemes: [Schemes; 2],
    /// Seconds for which a password that was right is remembered; 0: it is not.
    pub lasts: u64,
}

/// A header in which a credential may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization`.
    Authorization = 0,
    /// `Proxy-Authorization`.
    ProxyAuthorization = 1,
}

/// A credential that was looked at; known for the rest of the request.
pub struct Shown {
    /// How it is written.
    pub scheme: Scheme,
    /// What it is worth.
    pub worth: Worth,
}

/// What a credential is worth.
#[derive(Clone)]
pub enum Worth {
    /// It is this user's.
    Right(SignedIn),
    /// It is nobody's.
    Wrong,
    /// Nobody could find out; after so many seconds another try makes sense.
    Unchecked(u64),
}

/// A credential that counts at the location reached.
pub enum Presented {
    /// It was looked at before.
    Known(Place),
    /// It was not.
    New(Place, InHeader),
}

impl Credentials {
    /// Where nothing is said, as in Authelia.
    pub const DEFAULT: Credentials = Credentials {
        cookie: true,
        schemes: [Schemes::BASIC, Schemes::NONE],
        lasts: 0,
    };

    const NOTHING: Credentials = Credentials {
        cookie: false,
        schemes: [Schemes::NONE; 2],
        lasts: 0,
    };

    /// The schemes that are read in a header.
    pub fn at(&self, place: Place) -> Schemes {
        self.schemes[place as usize]
    }

    /// Where somebody is asked for a credential who has sent none.
    pub fn first(&self) -> Option<(Place, Scheme)> {
        let mut places = Place::ALL.into_iter();
        places.find_map(|place| Some((place, self.at(place).first()?)))
    }
}

impl Place {
    /// In the order in which they count.
    const ALL: [Place; 2] = [Place::Authorization, Place::ProxyAuthorization];

    /// How the portal room calls it.
    pub fn header(self) -> CredentialHeader {
        match self {
            Place::Authorization => CredentialHeader::Authorization,
            Place::ProxyAuthorization => CredentialHeader::ProxyAuthorization,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Place::Authorization => "Authorization",
            Place::ProxyAuthorization => "Proxy-Authorization",
        }
    }

    /// The variable that shows it.
    const fn variable(self) -> &'static [u8] {
        match self {
            Place::Authorization => b"http_authorization",
            Place::ProxyAuthorization => b"http_proxy_authorization",
        }
    }

    /// Whether the header may be there, at no cost; an ordinary request ends here.
    fn may_be_there(self, request: Request<'_>) -> bool {
        match self {
            Place::Authorization => !request.raw().headers_in.authorization.is_null(),
            Place::ProxyAuthorization => true,
        }
    }

    /// Whether `element` is what some backends take for this header, and the client has sent it.
    fn is_like(self, element: NonNull<ngx_table_elt_t>, state: &State) -> bool {
        // SAFETY: elements of a live list are readable.
        let key = bytes(unsafe { &element.as_ref().key });
        same_header(key, self.name().as_bytes()) && !state.owns(element)
    }

    /// Whether `element` is this header and the client has sent it: what we add for the backend is no
    /// credential of a visitor's.
    fn is(self, element: NonNull<ngx_table_elt_t>, state: &State) -> bool {
        // SAFETY: elements of a live list are readable.
        let key = bytes(unsafe { &element.as_ref().key });
        key.eq_ignore_ascii_case(self.name().as_bytes()) && !state.owns(element)
    }
}

/// `auth_gate_credentials`.
pub fn set_credentials(directive: &Directive, conf: &mut LocationConf) -> Result<(), Mistake> {
    let (mut credentials, mut lasts) = (Credentials::NOTHING, None);
    for word in directive.texts()? {
        let [own, proxy] = &mut credentials.schemes;
        let place = match word {
            "cookie" => &mut credentials.cookie,
            "basic" => &mut own.basic,
            "bearer" => &mut own.bearer,
            "proxy_basic" => &mut proxy.basic,
            _ => {
                let time = word.strip_prefix("cache=").ok_or_else(|| unknown(word))?;
                let seconds = directive::seconds(time.as_bytes()).ok_or_else(|| {
                    Mistake::Says(format!(
                        "has \"{word}\": write a time, for instance cache=5m"
                    ))
                })?;
                if lasts.replace(seconds).is_some() {
                    return Err(Mistake::Says("has \"cache\" twice".into()));
                }
                continue;
            }
        };
        if std::mem::replace(place, true) {
            return Err(Mistake::Says(format!("has \"{word}\" twice")));
        }
    }
    credentials.lasts = lasts.unwrap_or(0);
    let header = credentials.first();
    if !credentials.cookie && header.is_none() {
        return Err(Mistake::Says(
            "names nothing that could say who a visitor is: write cookie, basic, proxy_basic or bearer"
                .into(),
        ));
    }
    let passwords = credentials.schemes.iter().any(|schemes| schemes.basic);
    if lasts.is_some() && !passwords {
        return Err(Mistake::Says(
            "has \"cache\", and no password that could be remembered: add basic or proxy_basic, or remove it".into(),
        ));
    }
    if conf.credentials.is_some() {
        return Err(Mistake::Duplicate);
    }
    conf.credentials = Some(credentials);
    Ok(())
}

fn unknown(word: &str) -> Mistake {
    Mistake::Says(format!(
        "has no value \"{word}\": write cookie, basic, proxy_basic, bearer, cache=TIME"
    ))
}

/// The credential that counts at the location reached, if there is one.
pub fn look(request: Request<'_>, state: &State) -> Option<Presented> {
    let read = request.location().credentials();
    let mut places = Place::ALL.into_iter();
    places.find_map(|place| look_in(request, state, place, read.at(place)))
}

fn look_in(
    request: Request<'_>,
    state: &State,
    place: Place,
    schemes: Schemes,
) -> Option<Presented> {
    if schemes == Schemes::NONE {
        return None;
    }
    if let Some(shown) = state.shown(place) {
        return schemes
            .list(shown.scheme)
            .then_some(Presented::Known(place));
    }
    if !place.may_be_there(request) {
        return None;
    }
    let elements = request
        .headers()
        .filter(|element| place.is(*element, state));
    // SAFETY: elements of a live list are readable.
    let values = elements.map(|element| bytes(unsafe { &element.as_ref().value }));
    let app_passwords = request
        .whole()
        .loaded
        .as_ref()?
        .portal()
        .has_app_passwords();
    let found = in_header::read(values, schemes, app_passwords)?;
    // Where `auth_basic` asks for a password of its own, the header is meant for that.
    let is_anothers = place == Place::Authorization && variables::asks_for_basic(request);
    (!is_anothers).then_some(Presented::New(place, found))
}

/// The header whose credential was looked at before and counts at the location reached.
pub fn known(request: Request<'_>, state: &State) -> Option<Place> {
    match look(request, state)? {
        Presented::Known(place) => Some(place),
        Presented::New(..) => None,
    }
}

/// Takes a header out that was read, in every spelling: it was meant for the gate, and nobody else is to
/// see it.
pub fn consume(request: Request<'_>, state: &State, place: Place) -> Result<(), NoMemory> {
    if !request
        .headers()
        .any(|element| place.is_like(element, state))
    {
        return Ok(());
    }
    headers::remove(request, |element| place.is_like(element, state))?;
    if place == Place::Authorization {
        request.raw_mut().headers_in.authorization = null_mut();
    }
    forget_variable(request, place.variable());
    Ok(())
}

/// nginx remembers the values of variables for a request, and one that was asked for before the
/// header was taken out would still show it.
fn forget_variable(request: Request<'_>, name: &[u8]) {
    // SAFETY: the core module's configuration has the names of the variables, and each request as many
    // values, in the same order.
    unsafe {
        let core = *request
            .raw()
            .main_conf
            .add(ffi::ngx_http_core_module.ctx_index);
        let core = &*core.cast::<ffi::ngx_http_core_main_conf_t>();
        let variables = core.variables.as_slice::<ffi::ngx_http_variable_t>();
        for (at, variable) in variables.iter().enumerate() {
            if variable.name.as_bytes() == name {
                let value = &mut *request.raw().variables.add(at);
                value.set_valid(0);
                value.set_not_found(0);
            }
        }
    }
}
