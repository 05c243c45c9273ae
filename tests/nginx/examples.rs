//! The examples that people copy do what they say: the blocks of README.md and the files of nginx-conf/, on the real
//! nginx, with nothing changed but addresses, ports and folders.

use super::harness::nginx::module;
use super::harness::tls::authority;
use super::harness::{Gate, Site, Visitor};

mod first_start;
mod proxies;
mod readme;
mod sites;

const WIKI: &str = "wiki.example.com";
const ADMIN: &str = "admin.example.com";

/// The password that README.md and nginx-conf/users_database.yml name.
const PASSWORD: &str = "correct horse battery staple";

/// As far as Debian's nginx.conf matters here.
const NGINX: &str = "@user@
worker_processes 1;
daemon off;
pid @prefix@/nginx.pid;
error_log @prefix@/error.log @level@;
include modules-enabled/*.conf;
events {}
http {
    access_log @prefix@/access.log;
    client_body_temp_path @prefix@/temp-body;
    proxy_temp_path @prefix@/temp-proxy;
    fastcgi_temp_path @prefix@/temp-fastcgi;
    uwsgi_temp_path @prefix@/temp-uwsgi;
    scgi_temp_path @prefix@/temp-scgi;
    include conf.d/*.conf;
    @front@
}
";

/// As far as Debian's fastcgi.conf matters here.
const FASTCGI: &str = "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param REMOTE_USER $remote_user;
";

/// What an example says, and what stands in its place in a test.
const PLACES: [(&str, &str); 14] = [
    ("listen 80;", "@clear@"),
    ("10.0.0.5:80;", "@address@:8081;"),
    ("10.0.0.5:9443", "@address@:8444"),
    ("127.0.0.1:8443", "@address@:8444"),
    ("127.0.0.1:9091;", "@address@:8081;"),
    ("10.0.0.2;", "127.0.0.0/8;"),
    ("10.0.0.0/8", "127.0.0.0/8"),
    ("127.0.0.1:8080", "@backend@"),
    ("127.0.0.1:50051", "@grpc@"),
    ("unix:/run/php/php8.2-fpm.sock", "@fastcgi@"),
    ("/etc/nginx/", "@prefix@/"),
    ("/var/lib/", "@prefix@/lib/"),
    ("/var/log/nginx/", "@prefix@/"),
    ("/var/www/", "@prefix@/www/"),
];

/// A file of an example as it can run here.
fn fitted(text: &str) -> String {
    let loaded = module().display().to_string();
    let line = |line: &str| {
        if line.trim_start().starts_with("listen 443 ssl") {
            return "@listen@\n".to_owned();
        }
        let line = line.replace("modules/ngx_http_auth_gate_module.so", &loaded);
        // The portal has its port in its address unless that is 443.
        let line = match line.contains("_url: https://") {
            true => line.replace(".example.com", ".example.com@port@"),
            false => line,
        };
        let fitted = PLACES
            .iter()
            .fold(line, |line, (said, here)| line.replace(said, here));
        fitted + "\n"
    };
    text.lines().map(line).collect()
}

/// An nginx with these files under /etc/nginx, and `front` as a further piece of its http block.
fn installed(files: &[(String, String)], front: &str) -> Site {
    let site = Site::bed()
        .file("nginx.conf", &NGINX.replace("@front@", front))
        .file("fastcgi.conf", FASTCGI)
        .file("auth-gate/example.com.crt", &authority().chain_pem)
        .file("auth-gate/example.com.key", &authority().key_pem);
    files
        .iter()
        .fold(site, |site, (path, text)| site.file(path, &fitted(text)))
}

fn signed_in<'g>(gate: &'g Gate, user: &str) -> Visitor<'g> {
    let mut visitor = gate.visitor();
    let answer = visitor.sign_in(user, PASSWORD);
    assert_eq!(
        answer.status,
        200,
        "{user} cannot sign in: {}",
        answer.text()
    );
    visitor
}
