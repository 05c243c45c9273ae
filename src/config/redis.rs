//! `session.redis`: the servers that several machines share, and how one speaks to them.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

use super::backend::beside;
use super::later::{filled, need, on};
use super::report::{At, Report};
use super::values::duration;
use crate::store::{
    RedisLayout, RedisSentinels, RedisServer, RedisSettings, RedisTls, RedisTlsVersion,
};

/// Authelia's time-out, in seconds.
const TIMEOUT: u64 = 5;

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;

/// Reads `session.redis`; relative paths are relative to `configuration`.
pub(super) fn redis(
    root: &At<'_>,
    configuration: &Path,
    report: &mut Report,
) -> Option<RedisSettings> {
    let redis = root.get("session.redis")?;
    let secret = root.get("session.secret");
    if secret.and_then(|at| at.filled()).is_none() {
        report.error(
            &redis,
            "needs session.secret; write 64 random characters there",
        );
    }
    let layout = layout(&redis, report);
    let database = database(&redis, report);
    let timeout = redis
        .get("timeout")
        .and_then(|at| duration(&at).ok().flatten());
    let timeout = timeout.filter(|seconds| *seconds > 0).unwrap_or(TIMEOUT);
    let tls = redis
        .get("tls")
        .and_then(|at| tls(root, &at, configuration, report));
    Some(RedisSettings {
        layout: layout?,
        username: filled(&redis, "username").map(str::to_owned),
        password: filled(&redis, "password").map(SecretString::from),
        database,
        timeout: Duration::from_secs(timeout),
        tls,
    })
}

fn layout(redis: &At<'_>, report: &mut Report) -> Option<RedisLayout> {
    let (sentinel, cluster) = (redis.get("high_availability"), redis.get("cluster"));
    let watchers = sentinel.as_ref().map(|at| at.list("nodes"));
    let members = cluster.as_ref().map(|at| at.list("nodes"));
    let (watchers, members) = (watchers.unwrap_or_default(), members.unwrap_or_default());
    for node in watchers.iter().chain(&members) {
        need(node, "host", "redis-1", report);
    }
    if watchers.is_empty() && members.is_empty() {
        need(redis, "host", "localhost", report);
    }
    // What stands beside the list is one of them.
    let all = |nodes: &[At<'_>], port: u16| -> Vec<RedisServer> {
        let nodes = std::iter::once(redis).chain(nodes);
        nodes.filter_map(|node| server(node, port)).collect()
    };
    match (sentinel, cluster) {
        (Some(_), Some(cluster)) => {
            report.error(
                &cluster,
                "cannot stand beside session.redis.high_availability; keep one of the two",
            );
            None
        }
        (Some(sentinel), None) => {
            need(&sentinel, "sentinel_name", "authelia", report);
            let text = |key: &str| filled(&sentinel, key);
            Some(RedisLayout::Sentinel(RedisSentinels {
                name: text("sentinel_name")?.to_owned(),
                username: text("sentinel_username").map(str::to_owned),
                password: text("sentinel_password").map(SecretString::from),
                nodes: all(&watchers, SENTINEL_PORT),
            }))
        }
        (None, Some(_)) => Some(RedisLayout::Cluster(all(&members, PORT))),
        (None, None) => server(redis, PORT).map(RedisLayout::Single),
    }
}

/// Host and port, or the path of a unix socket.
fn server(at: &At<'_>, default: u16) -> Option<RedisServer> {
    let host = filled(at, "host")?;
    if host.starts_with('/') {
        return Some(RedisServer::Unix(host.into()));
    }
    let port = at
        .get("port")
        .and_then(|at| u16::try_from(at.int()?).ok())
        .filter(|port| *port > 0);
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    Some(RedisServer::Tcp {
        host: bare.unwrap_or(host).to_owned(),
        port: port.unwrap_or(default),
    })
}

fn database(redis: &At<'_>, report: &mut Report) -> u32 {
    let Some(at) = redis.get("database_index") else {
        return 0;
    };
    let index = at.int().and_then(|index| u32::try_from(index).ok());
    if index.is_none() {
        report.error(
            &at,
            "is no number of a database; write 0, or a number above",
        );
    } else if index != Some(0) && redis.get("cluster").is_some() {
        report.error(&at, "a cluster has no database but 0; take this line out");
    }
    index.unwrap_or(0)
}

fn tls(root: &At<'_>, tls: &At<'_>, configuration: &Path, report: &mut Report) -> Option<RedisTls> {
    let verify = !on(tls, "skip_verify");
    if let (false, Some(at)) = (verify, tls.get("skip_verify")) {
        report.warn(
            &at,
            "lets anybody on the way be the Redis server; write the folder with its certificate \
            to certificates_directory instead",
        );
    }
    let newest = version(tls, "maximum_version");
    let newest = match (newest, tls.get("maximum_version")) {
        (Some(None), Some(at)) => {
            report.error(
                &at,
                "is a version that nobody speaks any more; write TLS1.3",
            );
            return None;
        }
        (newest, _) => newest.flatten().unwrap_or(RedisTlsVersion::V13),
    };
    // What is older than TLS 1.2 is not spoken, whatever is allowed.
    let oldest = version(tls, "minimum_version").flatten();
    let oldest = oldest.unwrap_or(RedisTlsVersion::V12);
    if let (true, Some(at)) = (oldest > newest, tls.get("maximum_version")) {
        report.error(&at, "is older than minimum_version; write TLS1.3");
    }
    let (chain, key) = certificate(tls, report);
    let certificates = root.get("certificates_directory");
    let certificates = certificates.and_then(|at| Some(beside(configuration, at.filled()?)));
    Some(RedisTls {
        server_name: filled(tls, "server_name").map(str::to_owned),
        verify,
        oldest,
        newest,
        chain,
        key,
        certificates,
    })
}

/// The version under a key, if there is one, if it is one that is spoken.
fn version(tls: &At<'_>, key: &str) -> Option<Option<RedisTlsVersion>> {
    filled(tls, key).map(|text| match text {
        "TLS1.2" | "TLS 1.2" => Some(RedisTlsVersion::V12),
        "TLS1.3" | "TLS 1.3" => Some(RedisTlsVersion::V13),
        _ => None,
    })
}

/// Certificate and key of our own.
fn certificate(tls: &At<'_>, report: &mut Report) -> (Option<String>, Option<SecretString>) {
    let mut pem = |key: &str, other: &str| {
        let at = tls.get(key).filter(|at| at.filled().is_some())?;
        if !at.text()?.contains("-----BEGIN ") {
            report.error(
                &at,
                "is no PEM; write the text itself, which begins with -----BEGIN, after a `|`",
            );
        }
        if filled(tls, other).is_none() {
            report.error(&at, format!("needs session.redis.tls.{other}, too"));
        }
        at.text()
    };
    let chain = pem("certificate_chain", "private_key");
    let key = pem("private_key", "certificate_chain");
    (chain.map(str::to_owned), key.map(SecretString::from))
}
