//! How what is kept is written as bytes, before it is sealed, and read again.
//!
//! Pure. What is read was sealed by somebody who has the key, but may have been written by another
//! release: everything that is not as it should be is nothing.

use std::net::IpAddr;

use crate::store::{
    Ban, BannedBy, Command, LedgerSession, MAX_RECORD, SessionKey, Target, TriedAt, Try,
};

/// First byte of everything.
const FORM: u8 = 1;

/// Longest text, in bytes.
const MAX_TEXT: usize = 1024;

/// Most methods of a session.
const MAX_METHODS: usize = 16;

/// Bytes that are being written.
pub(super) struct Writer(Vec<u8>);

/// Bytes that are being read.
pub(super) struct Reader<'b>(&'b [u8]);

impl Writer {
    pub(super) fn new(kind: u8) -> Writer {
        Writer(vec![FORM, kind])
    }

    pub(super) fn byte(mut self, byte: u8) -> Writer {
        self.0.push(byte);
        self
    }

    pub(super) fn number(mut self, number: u64) -> Writer {
        self.0.extend(number.to_le_bytes());
        self
    }

    pub(super) fn key(mut self, key: &SessionKey) -> Writer {
        self.0.extend(key);
        self
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Writer {
        let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
        let length = u16::try_from(bytes.len()).expect("a text is short");
        self.0.extend(length.to_le_bytes());
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(self, text: &str) -> Writer {
        let whole = |length: &usize| text.is_char_boundary(*length);
        let length = (0..=text.len().min(MAX_TEXT)).rev().find(whole);
        self.bytes(&text.as_bytes()[..length.unwrap_or(0)])
    }

    pub(super) fn address(mut self, address: IpAddr) -> Writer {
        match address {
            IpAddr::V4(address) => {
                self.0.push(4);
                self.0.extend(address.octets());
            }
            IpAddr::V6(address) => {
                self.0.push(6);
                self.0.extend(address.octets());
            }
        }
        self
    }

    pub(super) fn maybe_key(self, key: Option<&SessionKey>) -> Writer {
        match key {
            Some(key) => self.byte(1).key(key),
            None => self.byte(0),
        }
    }

    pub(super) fn target(self, target: &Target) -> Writer {
        match target {
            Target::User(name) => self.byte(0).text(name),
            Target::Address(address) => self.byte(1).address(*address),
        }
    }

    pub(super) fn session(self, session: &LedgerSession) -> Writer {
        let methods = &session.methods[..session.methods.len().min(MAX_METHODS)];
        let count = u8::try_from(methods.len()).expect("methods are few");
        let writer = self
            .text(&session.user)
            .text(&session.domain)
            .address(session.address)
            .text(&session.device)
            .byte(session.remember.into())
            .number(session.created)
            .number(session.last_used)
            .number(session.ends)
            .bytes(&session.record)
            .byte(count);
        methods
            .iter()
            .fold(writer, |writer, method| writer.text(method))
    }

    pub(super) fn ban(self, ban: &Ban) -> Writer {
        self.target(&ban.target)
            .byte(number_of(ban.by))
            .number(ban.created)
            .number(ban.until)
    }

    pub(super) fn tried(self, tried: &Try) -> Writer {
        self.byte(stage(tried.at))
            .target(&tried.target)
            .number(tried.when)
            .byte(tried.passed.into())
    }

    pub(super) fn command(self, command: &Command) -> Writer {
        match command {
            Command::EndSession(key) => self.byte(1).key(key),
            Command::EndUser { user, except } => self.byte(2).text(user).maybe_key(except.as_ref()),
            Command::EndAll => self.byte(3),
            Command::Ban(ban) => self.byte(4).ban(ban),
            Command::Revoke(target) => self.byte(5).target(target),
            Command::Count(tried) => self.byte(6).tried(tried),
        }
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

impl<'b> Reader<'b> {
    /// Begins with what was written as `kind`.
    pub(super) fn new(bytes: &'b [u8]) -> Option<(u8, Reader<'b>)> {
        match bytes {
            [FORM, kind, rest @ ..] => Some((*kind, Reader(rest))),
            _ => None,
        }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn key(&mut self) -> Option<SessionKey> {
        self.array()
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = self.array().map(u16::from_le_bytes)?.into();
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        (length <= MAX_TEXT).then_some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    pub(super) fn address(&mut self) -> Option<IpAddr> {
        match self.byte()? {
            4 => self.array::<4>().map(IpAddr::from),
            6 => self.array::<16>().map(IpAddr::from),
            _ => None,
        }
    }

    pub(super) fn maybe_key(&mut self) -> Option<Option<SessionKey>> {
        match self.flag()? {
            true => self.key().map(Some),
            false => Some(None),
        }
    }

    pub(super) fn target(&mut self) -> Option<Target> {
        match self.byte()? {
            0 => self.text().map(Target::User),
            1 => self.address().map(Target::Address),
            _ => None,
        }
    }

    pub(super) fn session(&mut self, key: SessionKey) -> Option<LedgerSession> {
        let mut session = LedgerSession {
            key,
            user: self.text()?,
            domain: self.text()?,
            address: self.address()?,
            device: self.text()?,
            methods: Vec::new(),
            remember: self.flag()?,
            created: self.number()?,
            last_used: self.number()?,
            ends: self.number()?,
            record: self.bytes()?.to_vec(),
        };
        for _ in 0..self
            .byte()
            .filter(|count| usize::from(*count) <= MAX_METHODS)?
        {
            session.methods.push(self.text()?);
        }
        (session.record.len() <= MAX_RECORD).then_some(session)
    }

    pub(super) fn ban(&mut self) -> Option<Ban> {
        Some(Ban {
            target: self.target()?,
            by: by(self.byte()?)?,
            created: self.number()?,
            until: self.number()?,
        })
    }

    pub(super) fn tried(&mut self) -> Option<Try> {
        Some(Try {
            at: match self.byte()? {
                0 => TriedAt::Password,
                1 => TriedAt::SecondFactor,
                _ => return None,
            },
            target: self.target()?,
            when: self.number()?,
            passed: self.flag()?,
        })
    }

    pub(super) fn command(&mut self) -> Option<Command> {
        Some(match self.byte()? {
            1 => Command::EndSession(self.key()?),
            2 => Command::EndUser {
                user: self.text()?,
                except: self.maybe_key()?,
            },
            3 => Command::EndAll,
            4 => Command::Ban(self.ban()?),
            5 => Command::Revoke(self.target()?),
            6 => Command::Count(self.tried()?),
            _ => return None,
        })
    }

    /// What was read, if that was all.
    pub(super) fn end<T>(self, read: T) -> Option<T> {
        self.0.is_empty().then_some(read)
    }
}

/// How those who ban are numbered.
const fn number_of(by: BannedBy) -> u8 {
    match by {
        BannedBy::Regulation => 0,
        BannedBy::SecondFactors => 1,
        BannedBy::Administrator => 2,
    }
}

const fn by(number: u8) -> Option<BannedBy> {
    match number {
        0 => Some(BannedBy::Regulation),
        1 => Some(BannedBy::SecondFactors),
        2 => Some(BannedBy::Administrator),
        _ => None,
    }
}

const fn stage(at: TriedAt) -> u8 {
    match at {
        TriedAt::Password => 0,
        TriedAt::SecondFactor => 1,
    }
}

/// Reads bytes as everything there is; for fuzzing. Says whether they were anything.
#[doc(hidden)]
pub fn read_anything(bytes: &[u8]) -> bool {
    super::sessions::Cell::read(bytes, [0; 32]).is_some()
        || super::bans::Bans::read(bytes).is_some()
        || super::tries::Tries::read(bytes).is_some()
        || super::orders::read(bytes).is_some()
}
