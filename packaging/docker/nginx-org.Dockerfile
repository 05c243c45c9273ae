# The image of nginx.org with Auth Gate in it. From the root of a clone:
#   docker build -f packaging/docker/nginx-org.Dockerfile --build-arg NGINX=1.28.3 -t auth-gate-nginx .
# NGINX is a version of which nginx.org has both an image and the sources; a module loads into that version only.
ARG NGINX=1.28.3

# The image itself, so that the C library is the same.
FROM nginx:${NGINX} AS build
ARG NGINX
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates cargo-web curl gcc libc6-dev libclang-dev libpcre2-dev libssl-dev make rustc-web zlib1g-dev
RUN mkdir /usr/src/nginx && curl -fsSL "https://nginx.org/download/nginx-${NGINX}.tar.gz" \
    | tar -xz -C /usr/src/nginx --strip-components 1 \
    && echo 'NGX_CONF_FLAGS=(--with-compat --with-threads --with-http_ssl_module --with-http_v2_module)' \
    >/usr/src/nginx/conf_flags
WORKDIR /src/auth-gate
COPY . .
RUN NGINX_DEV_DIR=/usr/src/nginx AUTH_GATE_NO_SETUP=1 scripts/build

FROM nginx:${NGINX}
COPY --from=build /src/auth-gate/target/release/libngx_http_auth_gate_module.so \
    /usr/lib/nginx/modules/ngx_http_auth_gate_module.so
COPY --from=build /src/auth-gate/target/release/auth-gate /usr/local/bin/auth-gate
# The workers of this image run as nginx; auth-gate init finds that in nginx.conf.
RUN sed -i '1i load_module modules/ngx_http_auth_gate_module.so;' /etc/nginx/nginx.conf \
    && install -d -o nginx -g nginx -m 755 /var/lib/auth-gate
VOLUME /var/lib/auth-gate
