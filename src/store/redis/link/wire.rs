//! One connection: commands out, answers in.

use std::io::{self, Read, Write};

use redis::{Cmd, Parser, Value, cmd};
use secrecy::{ExposeSecret, SecretString};

use super::answers::{Verdict, judge};
use super::deadline::Deadline;
use super::stream::{Stream, is_late};
use super::tls::Tls;
use crate::store::RedisServer;
use crate::store::redis::trouble::RedisTrouble;

/// Longest answer to one command, in bytes: whoever can write to the server fills no memory here.
const MAX_ANSWER: usize = 8 << 20;

/// As whom a connection speaks, and to whom.
#[derive(Clone, Copy)]
pub struct Hello<'h> {
    pub username: Option<&'h str>,
    pub password: Option<&'h SecretString>,
    pub database: u32,
    /// Whether the server must be a primary.
    pub primary: bool,
}

/// A connection. Once something has failed on it, it is not used any more.
pub struct Wire {
    stream: Stream,
    parser: Parser,
}

impl Wire {
    pub fn open(
        server: &RedisServer,
        tls: Option<&Tls>,
        hello: Hello<'_>,
        deadline: Deadline,
    ) -> Result<Wire, RedisTrouble> {
        let mut wire = Wire {
            stream: Stream::open(server, tls, deadline)?,
            parser: Parser::new(),
        };
        wire.greet(hello, deadline)?;
        Ok(wire)
    }

    fn greet(&mut self, hello: Hello<'_>, deadline: Deadline) -> Result<(), RedisTrouble> {
        let mut commands = Vec::new();
        if let Some(password) = hello.password {
            let mut auth = cmd("AUTH");
            auth.arg(hello.username).arg(password.expose_secret());
            commands.push(auth);
        }
        if hello.database != 0 {
            commands.push(cmd("SELECT").arg(hello.database).to_owned());
        }
        if hello.primary {
            commands.push(cmd("ROLE"));
        }
        let answers = self.exchange(&commands.iter().collect::<Vec<_>>(), deadline)?;
        for (command, answer) in commands.iter().zip(answers) {
            let role = command.args_iter().next() == Some(redis::Arg::Simple(b"ROLE"));
            match judge(answer) {
                Verdict::Answer(Value::Array(parts)) if role => {
                    let is_primary =
                        matches!(&parts[..], [Value::BulkString(word), ..] if word == b"master");
                    if !is_primary {
                        return Err(RedisTrouble::ReadOnly);
                    }
                }
                Verdict::Answer(_) => {}
                // Who may not ask finds out when he writes.
                Verdict::Refused(RedisTrouble::Forbidden(_)) if role => {}
                Verdict::Refused(trouble) | Verdict::Elsewhere(trouble) => return Err(trouble),
                Verdict::Unloaded | Verdict::Ask(_) => {}
            }
        }
        Ok(())
    }

    /// Sends the commands in one go and gives the answers in their order. An answer may be an error
    /// of the server's.
    pub fn exchange(
        &mut self,
        commands: &[&Cmd],
        deadline: Deadline,
    ) -> Result<Vec<Value>, RedisTrouble> {
        self.stream.until(deadline);
        let mut packed = Vec::new();
        for command in commands {
            command.write_packed_command(&mut packed);
        }
        self.stream
            .write_all(&packed)
            .and_then(|()| self.stream.flush())
            .map_err(|error| failed(&error, deadline))?;
        commands.iter().map(|_| self.answer(deadline)).collect()
    }

    fn answer(&mut self, deadline: Deadline) -> Result<Value, RedisTrouble> {
        let mut bounded = Bounded {
            stream: &mut self.stream,
            left: MAX_ANSWER,
            error: None,
        };
        let answer = self.parser.parse_value(&mut bounded);
        answer.map_err(|error| match bounded.error {
            Some(error) => failed(&error, deadline),
            None if bounded.left == 0 => RedisTrouble::Babble("more than 8 MiB".into()),
            None if error.is_io_error() => RedisTrouble::BrokenOff("end of stream".into()),
            None => RedisTrouble::Babble(error.to_string()),
        })
    }
}

fn failed(error: &io::Error, deadline: Deadline) -> RedisTrouble {
    match is_late(error) {
        true => RedisTrouble::Late(deadline.seconds()),
        false => RedisTrouble::BrokenOff(error.to_string()),
    }
}

/// So much of a stream, and what went wrong in it.
struct Bounded<'s> {
    stream: &'s mut Stream,
    left: usize,
    error: Option<io::Error>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.left);
        match self.stream.read(&mut buffer[..room]) {
            Ok(read) => {
                self.left -= read;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.error = Some(error);
                Err(kind.into())
            }
        }
    }
}
