//! The texts of the files.

use std::path::Path;

use zeroize::Zeroizing;

use super::answers::{Answers, Person};
use crate::certificate::quoted;

/// Where the files lie, and what they keep secret.
pub struct Places<'a> {
    pub configuration: &'a Path,
    pub users: &'a Path,
    /// Where the store is, and the folder for letters beside it.
    pub store: Option<(&'a Path, &'a Path)>,
    pub certificate: &'a Path,
    pub key: &'a Path,
    pub secret: &'a str,
    pub storage_key: &'a str,
    /// `user:group` of nginx's workers.
    pub workers: &'a str,
    /// Where nginx listens for https and for http.
    pub ports: (u16, u16),
    pub ipv6: bool,
}

/// A text as a value of YAML. It has no control characters.
fn yaml(text: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./_-".contains(&byte);
    let begins = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'/';
    let is_plain = text.as_bytes().first().is_some_and(begins)
        && text.bytes().all(plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    match is_plain {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "''")),
    }
}

fn path(path: &Path) -> String {
    yaml(&path.display().to_string())
}

/// `configuration.yml`.
pub fn configuration(answers: &Answers, places: &Places<'_>) -> Zeroizing<String> {
    let Answers { domain, portal, .. } = answers;
    let file = quoted(places.configuration);
    let users = path(places.users);
    let landing = answers.sites.first().map_or_else(String::new, |site| {
        format!(
            "\n      # Where a visitor goes who signed in without having asked for a page.\n      \
             default_redirection_url: https://{}",
            site.host
        )
    });
    let (secret, domain) = (places.secret, yaml(domain));
    let (factors, rules) = (second_factors(answers, places), rules(answers));
    Zeroizing::new(format!(
        "\
# Auth Gate, set up by `auth-gate init`: Authelia's configuration.yml. It holds secrets; keep its owner and mode.
# After a change: auth-gate check-config {file} && nginx -t && systemctl reload nginx

# light, dark, grey, oled, or auto: what the visitor's system prefers.
theme: auto

authentication_backend:
  file:
    path: {users}
    # A changed users file counts within a second.
    watch: true

session:
  # The key of the cookies.
  secret: {secret}
  cookies:
    # One sign-in for this domain and everything below it.
    - domain: {domain}
      authelia_url: https://{portal}{landing}
      # A session ends after this time whatever happens,
      expiration: 12 hours
      # after this time without a request,
      inactivity: 1 hour
      # and with \"Keep me signed in\" only after this time.
      remember_me: 1 month
{factors}
{rules}"
    ))
}

/// The store and what it makes possible.
fn second_factors(answers: &Answers, places: &Places<'_>) -> String {
    let Some((store, letters)) = places.store else {
        return String::new();
    };
    let (domain, workers) = (yaml(&answers.domain), places.workers);
    let (user, group) = workers.split_once(':').unwrap_or((workers, workers));
    let (store, key) = (path(store), places.storage_key);
    let (configuration, folder) = (quoted(places.configuration), quoted(letters));
    let letter = path(&letters.join("letter.txt"));
    format!(
        "
# Where sessions and second factors are kept. The key seals them: what is there is lost without it.
storage:
  encryption_key: {key}
  local:
    path: {store}

# The name under which authenticator apps and security keys show the account.
totp:
  issuer: {domain}
webauthn:
  display_name: {domain}

# With mail people add and remove their second factors themselves and change their passwords. Until then a person gets
# an authenticator app from you: auth-gate user totp add --config {configuration} --user NAME
#notifier:
#  smtp:
#    address: submission://mail.example.com:587
#    username: sign-in@example.com
#    password: the-password-of-that-mailbox
#    sender: 'Sign-in <sign-in@example.com>'
# To try it without a mail server, the newest letter can lie in a file. Make its folder first:
#   install -d -o {user} -g {group} -m 700 {folder}
#notifier:
#  filesystem:
#    filename: {letter}
"
    )
}

fn rules(answers: &Answers) -> String {
    let mut text = "\
# The first rule that matches wins; what no rule names stays shut. `subject: group:admins` asks for a group,
# `policy: two_factor` for a second factor: auth-gate check-policy says what a rule does.
access_control:
  default_policy: deny
  rules:
"
    .to_owned();
    if answers.sites.is_empty() {
        let below = yaml(&format!("*.{}", answers.domain));
        text += &format!("    - domain: {below}\n      policy: one_factor\n");
    }
    for site in &answers.sites {
        let host = yaml(&site.host);
        text += &format!("    - domain: {host}\n      policy: one_factor\n");
    }
    text
}

/// The users file.
pub fn users(person: &Person, hash: &str) -> Zeroizing<String> {
    let Person {
        name, display_name, ..
    } = person;
    let email = person.email.as_ref();
    let email = email.map_or_else(String::new, |email| format!("    email: {}\n", yaml(email)));
    let (name, display_name, hash) = (yaml(name), yaml(display_name), yaml(hash));
    Zeroizing::new(format!(
        "\
# Who can sign in: Authelia's users_database.yml. `auth-gate hash-password` makes the hash of a password.
users:
  {name}:
    displayname: {display_name}
    password: {hash}
{email}    groups:
      - admins
"
    ))
}

/// The file for nginx.
pub fn site(answers: &Answers, places: &Places<'_>) -> String {
    let hosts = answers.sites.iter().map(|site| site.host.as_str());
    let hosts: Vec<&str> = std::iter::once(answers.portal.as_str())
        .chain(hosts)
        .collect();
    let (configuration, hosts) = (quoted(places.configuration), hosts.join(" "));
    let portal = server(&answers.portal, "        auth_gate_portal;\n", "", places);
    let clear = listen(&places.ports.1.to_string(), places.ipv6);
    let mut text = format!(
        "\
# Auth Gate, set up by `auth-gate init`: the login portal and what it guards.
# `auth_gate on;` guards a server or a location, also in your other files.
auth_gate_config {configuration};

# The login portal.
{portal}
# The gate answers plain http with 400, so lead visitors to https before.
server {{
{clear}    server_name {hosts};
    return 301 https://$host$request_uri;
}}
"
    );
    for site in &answers.sites {
        let inside = format!(
            "        proxy_pass {};\n        proxy_set_header Host $host;\n        \
             proxy_set_header X-Forwarded-For $remote_addr;\n        \
             proxy_set_header X-Forwarded-Proto $scheme;\n",
            site.upstream
        );
        let guarded = server(&site.host, &inside, "\n    auth_gate on;\n", places);
        text += &format!("\n# A guarded site.\n{guarded}");
    }
    text
}

fn server(host: &str, location: &str, guard: &str, places: &Places<'_>) -> String {
    let listen = listen(&format!("{} ssl", places.ports.0), places.ipv6);
    let (certificate, key) = (quoted(places.certificate), quoted(places.key));
    format!(
        "\
server {{
{listen}    server_name {host};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
{guard}
    location / {{
{location}    }}
}}
"
    )
}

/// A machine without IPv6 cannot listen there.
fn listen(what: &str, ipv6: bool) -> String {
    let six = match ipv6 {
        true => format!("    listen [::]:{what};\n"),
        false => String::new(),
    };
    format!("    listen {what};\n{six}")
}
