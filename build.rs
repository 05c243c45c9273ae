//! Binds the nginx headers that `nginx-sys` leaves out, and tells the glue what this nginx can do.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(ngx_linked_headers)");
    #[cfg(feature = "module")]
    glue::prepare();
}

#[cfg(feature = "module")]
mod glue {
    use std::{env, path::PathBuf};

    /// The thread pools are not part of what `ngx_http.h` includes.
    const HEADER: &str = "#include <ngx_config.h>\n#include <ngx_core.h>\n#include <ngx_http.h>\n#include <ngx_thread_pool.h>\n";

    /// `nginx_version` from which a header element links to the next of its name.
    const LINKED_HEADERS_SINCE: u64 = 1_023_000;

    pub fn prepare() {
        let version: u64 = variable("DEP_NGINX_VERSION_NUMBER")
            .parse()
            .expect("nginx_version is a number");
        if version >= LINKED_HEADERS_SINCE {
            println!("cargo::rustc-cfg=ngx_linked_headers");
        }
        if !variable("DEP_NGINX_FEATURES")
            .split(',')
            .any(|feature| feature == "threads")
        {
            panic!(
                "this nginx is built without --with-threads: password hashes would block its event loop"
            );
        }
        bind_thread_pools();
    }

    fn bind_thread_pools() {
        let includes = variable("DEP_NGINX_INCLUDE");
        let paths = env::split_paths(&includes).map(|path| format!("-I{}", path.display()));
        let bindings = bindgen::Builder::default()
            .header_contents("thread_pool.h", HEADER)
            .clang_args(paths)
            .allowlist_function("ngx_thread_(pool_add|task_post)")
            .allowlist_recursively(false)
            .allowlist_type("ngx_thread_(task_t|task_s|pool_t|pool_s)")
            .raw_line("use nginx_sys::*;")
            .layout_tests(false)
            .use_core()
            .generate()
            .expect("bindings of ngx_thread_pool.h");
        let out = PathBuf::from(variable("OUT_DIR")).join("thread_pool.rs");
        bindings.write_to_file(out).expect("write bindings");
    }

    fn variable(name: &str) -> String {
        env::var(name).unwrap_or_else(|_| panic!("{name} is not set: build with scripts/build"))
    }
}
