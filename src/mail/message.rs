//! From a letter to a mail.

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox as Written, MultiPart, SinglePart};
use lettre::{Address, Message};

use super::MailError;
use super::settings::{Mailbox, Smtp};
use crate::portal::Letter;

/// Longest subject, in characters.
const MAX_SUBJECT: usize = 200;

/// `text` on one line: what stands in a header must not begin another one.
pub(super) fn one_line(text: &str) -> String {
    let line = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(MAX_SUBJECT).map(line).collect()
}

/// The mail that carries `letter`.
pub(super) fn message(smtp: &Smtp, letter: &Letter) -> Result<Message, MailError> {
    let recipient = Mailbox {
        name: letter.name.clone(),
        address: letter.address.clone(),
    };
    let subject = smtp.subject.replace("{title}", &letter.title);
    let builder = Message::builder()
        .from(mailbox(&smtp.sender)?)
        .to(mailbox(&recipient)?)
        .subject(one_line(&subject))
        .date_now()
        .message_id(Some(message_id(&smtp.sender)?))
        // Nobody's holiday reply should come back.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    let (text, html) = (letter.text.clone(), letter.html.clone());
    let message = if smtp.html {
        builder.multipart(MultiPart::alternative_plain_html(text, html))
    } else {
        builder.singlepart(SinglePart::plain(text))
    };
    message.map_err(|error| MailError::new(&format!("cannot write a letter: {error}")))
}

/// As the mail crate has it.
pub(super) fn mailbox(mailbox: &Mailbox) -> Result<Written, MailError> {
    let name = one_line(mailbox.name.trim());
    Ok(Written::new(
        Some(name).filter(|name| !name.is_empty()),
        address(&mailbox.address)?,
    ))
}

/// An address that a mail server understands.
pub(super) fn address(text: &str) -> Result<Address, MailError> {
    text.parse()
        .map_err(|_| MailError::new(&format!("`{text}` is no mail address; write name@domain")))
}

/// A name that no other mail has, below the sender's domain.
fn message_id(sender: &Mailbox) -> Result<String, MailError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| MailError::new(&format!("no random numbers: {error}")))?;
    let id = data_encoding::HEXLOWER.encode(&bytes);
    let sender = address(&sender.address)?;
    Ok(format!("<{id}@{}>", sender.domain()))
}
