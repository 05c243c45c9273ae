//! What only the whole configuration shows: gates without a file, portals in the wrong place,
//! servers that cannot be guarded as they listen.

use super::{
    conf::{Loaded, MainConf, ServerConf},
    directive::conf_log,
    ffi::{self, ngx_conf_t, ngx_http_core_main_conf_t, ngx_http_core_srv_conf_t},
    log::Level,
    module::ngx_http_auth_gate_module,
    scrape,
    server_names::ServerNames,
};

/// Goes through all servers: copies their names and says what is wrong with them.
pub fn servers(
    cf: *mut ngx_conf_t,
    conf: &MainConf,
    core: &ngx_http_core_main_conf_t,
) -> Result<(), ()> {
    // SAFETY: the array of servers, complete after the configuration was read.
    for server in unsafe { core.servers.as_slice::<*mut ngx_http_core_srv_conf_t>() } {
        // SAFETY: each server has its context with our configuration in it; its names are still there.
        let (ours, names) = unsafe {
            let context = (**server).ctx;
            let ours = *(*context).srv_conf.add(ngx_http_auth_gate_module.ctx_index);
            (
                &mut *ours.cast::<ServerConf>(),
                (**server).server_names.as_slice(),
            )
        };
        ours.names = ServerNames::copy(names);
        scrape::check(cf, conf, (core, *server), ours)?;
        if !ours.guards && ours.doors.is_empty() {
            continue;
        }
        let Some(loaded) = &conf.loaded else {
            conf_log(
                cf,
                Level::Emerg,
                "\"auth_gate\", \"auth_gate_portal\", \"auth_gate_endpoints\" and \"auth_gate_sign_out\" need \"auth_gate_config FILE;\" in the http block",
            );
            return Err(());
        };
        if !ours.guards {
            continue;
        }
        let name = ours
            .names
            .samples()
            .next()
            .unwrap_or_else(|| "without a name".into());
        warn_about_domain(cf, loaded, ours);
        warn_about_portals(cf, loaded, ours, &name);
        if ours.scheme.is_none() && listens_without_tls(core, *server) {
            conf_log(
                cf,
                Level::Warn,
                &format!(
                    "auth_gate: server {name} listens without TLS, and plain http is answered with 400: \
                     add \"ssl\" to listen, or say with \"auth_gate_scheme https;\" that TLS ends before nginx"
                ),
            );
        }
    }
    Ok(())
}

fn warn_about_domain(cf: *mut ngx_conf_t, loaded: &Loaded, server: &ServerConf) {
    let outside = server
        .names
        .samples()
        .find(|name| loaded.config.session.domain_of(name).is_none());
    if let Some(name) = outside {
        let message = format!(
            "auth_gate: server {name} is guarded but lies in no domain of session.cookies, so every request \
             there gets 400: add its domain, or set \"auth_gate off;\""
        );
        conf_log(cf, Level::Warn, &message);
    }
}

fn warn_about_portals(cf: *mut ngx_conf_t, loaded: &Loaded, server: &ServerConf, name: &str) {
    let addresses = || {
        loaded
            .config
            .session
            .cookies
            .iter()
            .filter_map(|cookie| cookie.authelia_url.as_ref())
    };
    for path in &server.portals {
        let known = addresses().any(|url| url.path().trim_end_matches('/') == *path);
        if !known {
            let shown = if path.is_empty() { "/" } else { path };
            let message = format!(
                "auth_gate_portal: no authelia_url has the path {shown}, under which server {name} serves the portal"
            );
            conf_log(cf, Level::Warn, &message);
        }
    }
}

/// Whether any address on which `server` listens is plain.
fn listens_without_tls(
    core: &ngx_http_core_main_conf_t,
    server: *mut ngx_http_core_srv_conf_t,
) -> bool {
    addresses(core, server).any(|address| address.opt.ssl() == 0)
}

/// The addresses on which `server` listens.
pub fn addresses(
    core: &ngx_http_core_main_conf_t,
    server: *mut ngx_http_core_srv_conf_t,
) -> impl Iterator<Item = &ffi::ngx_http_conf_addr_t> {
    // SAFETY: null, or the ports of the configuration that was just read.
    let ports = unsafe { core.ports.as_ref() };
    // SAFETY: arrays of nginx hold what their type in C says.
    let ports = ports.map_or(&[][..], |ports| unsafe {
        ports.as_slice::<ffi::ngx_http_conf_port_t>()
    });
    let addresses = ports.iter().flat_map(|port| {
        // SAFETY: as above.
        unsafe { port.addrs.as_slice::<ffi::ngx_http_conf_addr_t>() }
    });
    addresses.filter(move |address| {
        // SAFETY: as above.
        unsafe { address.servers.as_slice::<*mut ngx_http_core_srv_conf_t>() }.contains(&server)
    })
}
