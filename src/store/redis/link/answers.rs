//! What an answer of a server's means.

use redis::Value;

use crate::store::RedisServer;
use crate::store::redis::trouble::RedisTrouble;

/// Longest part of a server's own words in a message of ours.
const SAID: usize = 200;

/// What an answer means.
#[derive(Debug)]
pub enum Verdict {
    /// What was asked for.
    Answer(Value),
    /// The script is not known there yet.
    Unloaded,
    /// This once, another server has to be asked.
    Ask(RedisServer),
    /// Somebody else has to be asked, or the same one anew, once it is known who that is.
    Elsewhere(RedisTrouble),
    /// No, and asking again does not help.
    Refused(RedisTrouble),
}

/// Tells answers from errors.
pub fn judge(value: Value) -> Verdict {
    let Value::ServerError(error) = &value else {
        return Verdict::Answer(value);
    };
    let details = error.details().unwrap_or_default();
    refusal(error.code(), details)
}

fn refusal(code: &str, details: &str) -> Verdict {
    let said = || {
        let said: String = details
            .chars()
            .filter(|c| !c.is_control())
            .take(SAID)
            .collect();
        format!("{code} {said}")
    };
    // Older servers wrap what goes wrong within a script.
    let within = |word: &str| code == word || details.contains(&format!("-{word} "));
    let refused = match code {
        "NOSCRIPT" => return Verdict::Unloaded,
        "MOVED" => return Verdict::Elsewhere(RedisTrouble::InCluster),
        "ASK" => {
            return match redirection(details) {
                Some(server) => Verdict::Ask(server),
                None => Verdict::Refused(RedisTrouble::Babble(said())),
            };
        }
        "CLUSTERDOWN" | "TRYAGAIN" => return Verdict::Elsewhere(RedisTrouble::ClusterDown(said())),
        "UNBLOCKED" | "MASTERDOWN" => return Verdict::Elsewhere(RedisTrouble::ReadOnly),
        "LOADING" => return Verdict::Elsewhere(RedisTrouble::Loading),
        _ if within("READONLY") => return Verdict::Elsewhere(RedisTrouble::ReadOnly),
        _ if within("OOM") => RedisTrouble::Full,
        _ if within("MISCONF") => RedisTrouble::Unsaved(said()),
        _ if within("NOREPLICAS") => RedisTrouble::TooFewReplicas,
        "WRONGPASS" | "NOAUTH" => RedisTrouble::Password(said()),
        "ERR" if details.contains("AUTH") => RedisTrouble::Password(said()),
        _ if within("NOPERM") => RedisTrouble::Forbidden(said()),
        "ERR" if details.contains("cluster support disabled") => RedisTrouble::NoCluster(said()),
        _ => RedisTrouble::Refused(said()),
    };
    Verdict::Refused(refused)
}

/// The server in `3999 127.0.0.1:6381`.
fn redirection(details: &str) -> Option<RedisServer> {
    let (host, port) = details.split(' ').nth(1)?.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return None;
    }
    Some(RedisServer::Tcp {
        host: host.to_owned(),
        port: port.parse().ok()?,
    })
}

/// Bytes, or nothing where there are none.
pub fn bytes(value: Value) -> Result<Option<Vec<u8>>, RedisTrouble> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::Nil => Ok(None),
        other => Err(odd(&other)),
    }
}

/// A list, empty where there is none.
pub fn list(value: Value) -> Result<Vec<Value>, RedisTrouble> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        other => Err(odd(&other)),
    }
}

/// A list of bytes.
pub fn all_bytes(value: Value) -> Result<Vec<Vec<u8>>, RedisTrouble> {
    let values = list(value)?.into_iter();
    values
        .map(|value| Ok(bytes(value)?.unwrap_or_default()))
        .collect()
}

/// A number, be it sent as one or as text; 0 where there is none.
pub fn number(value: &Value) -> Result<u64, RedisTrouble> {
    let number = match value {
        Value::Nil => Some(0),
        Value::Int(number) => u64::try_from(*number).ok(),
        Value::BulkString(text) => std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()),
        _ => None,
    };
    number.ok_or_else(|| odd(value))
}

/// What no answer to our command looks like.
pub fn odd(value: &Value) -> RedisTrouble {
    let kind = match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) => "bytes",
        Value::Array(_) => "a list",
        _ => "something else",
    };
    RedisTrouble::Babble(format!("{kind} in an unexpected place"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_servers_are_told_apart() {
        let verdict = |line: &str| {
            let (code, details) = line.split_once(' ').unwrap();
            format!("{:?}", refusal(code, details))
        };
        for (line, expected) in [
            (
                "OOM command not allowed when used memory > 'maxmemory'.",
                "Refused(Full)",
            ),
            (
                "ERR Error running script: @user_script: 1: -OOM command not allowed",
                "Refused(Full)",
            ),
            (
                "ERR Error running script: @user_script: 1: -READONLY You can't",
                "Elsewhere(ReadOnly)",
            ),
            ("NOSCRIPT No matching script.", "Unloaded"),
            ("MOVED 3999 127.0.0.1:6381", "Elsewhere(InCluster)"),
            (
                "ASK 3999 ::1:6381",
                "Ask(Tcp { host: \"::1\", port: 6381 })",
            ),
            ("ASK 3999", "Refused(Babble(\"ASK 3999\"))"),
            ("UNBLOCKED force unblock", "Elsewhere(ReadOnly)"),
            (
                "WRONGPASS invalid",
                "Refused(Password(\"WRONGPASS invalid\"))",
            ),
            (
                "ERR Client sent AUTH, but no password is set",
                "Refused(Password(\"ERR Client sent AUTH, but no password is set\"))",
            ),
            (
                "WRONGTYPE x\u{1b}[2J",
                "Refused(Refused(\"WRONGTYPE x[2J\"))",
            ),
        ] {
            assert_eq!(verdict(line), expected);
        }
    }
}
