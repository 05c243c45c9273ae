//! `auth-gate hash-password`.

use std::io::{self, IsTerminal, Read};

use ngx_http_auth_gate_module::users::{
    AlgorithmOptions, HashOptions, HashParameters, MAX_PASSWORD,
};
use zeroize::Zeroizing;

use crate::cli::HashPassword;
use crate::{Report, disk};

/// Letters and digits that nobody takes for one another.
const CHARACTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

const EMPTY: &str = "the password is empty";

pub fn run(arguments: &HashPassword) -> Result<Report, String> {
    let options = match &arguments.config {
        None => HashOptions::default(),
        Some(config) => match disk::load(config) {
            Ok(loaded) => loaded.config.users_file.password.options().clone(),
            Err(problems) => return Ok(Report::bad(problems)),
        },
    };
    let parameters = match HashParameters::new(overridden(options, arguments)?) {
        Ok(parameters) => parameters,
        Err(errors) => {
            return Ok(Report::bad(
                errors
                    .iter()
                    .map(|error| format!("auth-gate: {error}"))
                    .collect(),
            ));
        }
    };
    let password = if arguments.random {
        made_up(arguments.length)?
    } else {
        asked_for()?
    };
    let mut salt = vec![0; parameters.salt_len()];
    getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
    let hash = parameters
        .hash(&password, &salt)
        .map_err(|error| error.to_string())?;
    if !arguments.random {
        return Ok(Report::well(format!("{hash}\n")));
    }
    let password = String::from_utf8_lossy(&password);
    Ok(Report::well(format!(
        "Password: {password}\nHash:     {hash}\n"
    )))
}

/// The options typed go before those of the configuration.
fn overridden(mut options: HashOptions, arguments: &HashPassword) -> Result<HashOptions, String> {
    if let Some(algorithm) = &arguments.algorithm {
        options.algorithm = Some(algorithm.clone());
        options.legacy = AlgorithmOptions::default();
    }
    let algorithm = match options.algorithm.as_deref() {
        None | Some("argon2" | "argon2id") => &mut options.argon2,
        Some("scrypt") => &mut options.scrypt,
        Some("pbkdf2") => &mut options.pbkdf2,
        Some("sha2crypt" | "sha512") => &mut options.sha2crypt,
        Some("bcrypt") => &mut options.bcrypt,
        Some(_) => return Ok(options),
    };
    if let Some(variant) = &arguments.variant {
        // Its numbers were meant for the variant of the configuration.
        if algorithm.variant.as_ref() != Some(variant) {
            *algorithm = AlgorithmOptions::default();
        }
        algorithm.variant = Some(variant.clone());
    }
    let numbers = [
        (&mut algorithm.iterations, arguments.iterations),
        (&mut algorithm.memory, arguments.memory),
        (&mut algorithm.parallelism, arguments.parallelism),
        (&mut algorithm.block_size, arguments.block_size),
        (&mut algorithm.key_length, arguments.key_length),
        (&mut algorithm.salt_length, arguments.salt_length),
        (&mut algorithm.cost, arguments.cost),
    ];
    for (option, typed) in numbers {
        *option = typed.or(*option);
    }
    misplaced(&options, arguments)?;
    Ok(options)
}

/// An option that the algorithm does not have would be dropped in silence.
fn misplaced(options: &HashOptions, arguments: &HashPassword) -> Result<(), String> {
    let algorithm = options.algorithm.as_deref().unwrap_or("argon2");
    let has: &[&str] = match algorithm {
        "scrypt" => &[
            "iterations",
            "parallelism",
            "block-size",
            "key-length",
            "salt-length",
        ],
        "pbkdf2" | "sha2crypt" | "sha512" => &["iterations", "salt-length"],
        "bcrypt" => &["cost"],
        _ => &[
            "iterations",
            "memory",
            "parallelism",
            "key-length",
            "salt-length",
        ],
    };
    let typed = [
        ("iterations", arguments.iterations),
        ("memory", arguments.memory),
        ("parallelism", arguments.parallelism),
        ("block-size", arguments.block_size),
        ("key-length", arguments.key_length),
        ("salt-length", arguments.salt_length),
        ("cost", arguments.cost),
    ];
    match typed
        .iter()
        .find(|(name, value)| value.is_some() && !has.contains(name))
    {
        Some((name, _)) => Err(format!(
            "{algorithm} has no --{name}, only --{}",
            has.join(", --")
        )),
        None => Ok(()),
    }
}

fn asked_for() -> Result<Zeroizing<Vec<u8>>, String> {
    if io::stdin().is_terminal() {
        return from_terminal();
    }
    let line = first_line(io::stdin().lock());
    line.map_err(|error| format!("standard input: {error}"))
}

/// A password that somebody types, twice.
pub fn from_terminal() -> Result<Zeroizing<Vec<u8>>, String> {
    let ask = |prompt| {
        rpassword::prompt_password(prompt)
            .map(Zeroizing::new)
            .map_err(|error| error.to_string())
    };
    let (first, second) = (ask("Password: ")?, ask("Once more: ")?);
    if first != second {
        return Err("the two passwords differ".into());
    }
    if first.is_empty() {
        return Err(EMPTY.into());
    }
    Ok(Zeroizing::new(first.as_bytes().to_vec()))
}

/// The first line of a file, without its end, as a password.
pub fn first_line(mut file: impl Read) -> Result<Zeroizing<Vec<u8>>, String> {
    // Room for all that is read, so that no copy stays behind when it grows; and for one byte too
    // many, to see that it is too long.
    let most = MAX_PASSWORD + 3;
    let mut line = Zeroizing::new(Vec::with_capacity(most));
    let mut byte = Zeroizing::new([0]);
    // Byte by byte: a buffer would be another copy.
    while line.len() < most && line.last() != Some(&b'\n') {
        match file.read(&mut *byte) {
            Ok(0) => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    for end in [b'\n', b'\r'] {
        if line.last() == Some(&end) {
            line.pop();
        }
    }
    if line.is_empty() {
        return Err(EMPTY.into());
    }
    Ok(line)
}

fn made_up(length: u16) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut password = Zeroizing::new(Vec::with_capacity(length.into()));
    let mut random = Zeroizing::new([0; 64]);
    while password.len() < usize::from(length) {
        getrandom::fill(&mut *random).map_err(|error| error.to_string())?;
        // A byte beyond the last whole round of the characters would favour the first ones.
        let fair = random
            .iter()
            .filter(|byte| usize::from(**byte) < 256 / CHARACTERS.len() * CHARACTERS.len());
        let missing = usize::from(length) - password.len();
        password.extend(
            fair.take(missing)
                .map(|byte| CHARACTERS[usize::from(*byte) % CHARACTERS.len()]),
        );
    }
    Ok(password)
}
