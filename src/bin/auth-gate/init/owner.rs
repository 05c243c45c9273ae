//! Whom nginx's workers run as, and whose the files are to be.

use std::fs;
use std::process::Command;

/// Where nginx says that its configuration is, if it cannot be asked.
const NGINX_CONF: &str = "/etc/nginx/nginx.conf";

/// Whose a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
    /// Both as names, `user:group`.
    pub names: String,
}

/// Who reads and writes here.
pub struct Owners {
    /// Who reads the configuration: whoever starts nginx.
    pub master: Owner,
    /// Who serves requests.
    pub workers: Owner,
    /// Files that the master owns and the workers may read.
    pub shared: Owner,
}

impl Owners {
    /// The master is who we are; the workers are named by `given`, nginx.conf or nginx itself.
    pub fn find(given: Option<&str>) -> Result<Owners, String> {
        let me = myself()?;
        if me.user != 0 {
            // An nginx that is not started by root has no other user to run its workers as.
            let mine = me.names.split(':').next().unwrap_or_default();
            if given.is_some_and(|given| given != mine) {
                return Err(format!(
                    "only root can give files to {}; run this with sudo",
                    given.unwrap_or_default().escape_debug()
                ));
            }
            return Ok(Owners {
                master: me.clone(),
                workers: me.clone(),
                shared: me,
            });
        }
        let found = match given {
            Some(user) => Some((user.to_owned(), None)),
            None => configured(),
        };
        let (user, group) = found.ok_or(
            "there is no nginx here that could be asked whom its workers run as; install it first, or write \
            --nginx-user with a name",
        )?;
        let workers = named(&user, group.as_deref())?;
        let shared = Owner {
            user: me.user,
            group: workers.group,
            names: format!(
                "root:{}",
                workers.names.split(':').nth(1).unwrap_or_default()
            ),
        };
        Ok(Owners {
            master: me,
            workers,
            shared,
        })
    }
}

/// What nginx is configured with: user and group. Nothing where there is no nginx.
fn configured() -> Option<(String, Option<String>)> {
    let output = Command::new("nginx").arg("-V").output();
    let output = output.or_else(|_| Command::new("/usr/sbin/nginx").arg("-V").output());
    let said = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    let said = said.unwrap_or_default();
    let built = |name: &str| {
        let mut words = said.split_whitespace();
        words.find_map(|word| Some(word.strip_prefix(name)?.trim_matches('\'').to_owned()))
    };
    let conf = built("--conf-path=").unwrap_or_else(|| NGINX_CONF.to_owned());
    let text = fs::read_to_string(conf).ok();
    if text.is_none() && said.is_empty() {
        return None;
    }
    text.and_then(|text| in_conf(&text))
        .or_else(|| Some((built("--user=")?, built("--group="))))
        .or_else(|| Some(("nobody".to_owned(), None)))
}

/// The directive `user` of an nginx.conf.
fn in_conf(text: &str) -> Option<(String, Option<String>)> {
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let (directive, _) = line.split_once(';')?;
        let mut words = directive.split_whitespace();
        if words.next() != Some("user") {
            return None;
        }
        Some((words.next()?.to_owned(), words.next().map(str::to_owned)))
    })
}

/// User and group of those names. Without a group it is, as for nginx, the one with the user's name;
/// where there is none, the group that the user belongs to.
fn named(user: &str, group: Option<&str>) -> Result<Owner, String> {
    let unknown = || {
        format!(
            "this machine has no user {} for nginx's workers; install nginx first, or write --nginx-user with the \
            name behind `user` in nginx.conf",
            user.escape_debug()
        )
    };
    let number = ask("id", &["-u", "--", user]).and_then(|text| text.parse().ok());
    let number = number.ok_or_else(unknown)?;
    let found = |name: &str| {
        let line = ask("getent", &["group", name])?;
        line.split(':').nth(2)?.parse().ok()
    };
    let group_name = group.unwrap_or(user);
    let own = || {
        let name = ask("id", &["-gn", "--", user])?;
        let number = ask("id", &["-g", "--", user])?.parse().ok()?;
        Some((number, name))
    };
    let (group, group_name) = found(group_name)
        .map(|number| (number, group_name.to_owned()))
        .or_else(own)
        .ok_or_else(unknown)?;
    Ok(Owner {
        user: number,
        group,
        names: format!("{user}:{group_name}"),
    })
}

/// Who we are; a container may have no name for us.
fn myself() -> Result<Owner, String> {
    let (user, group) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let name = |what: &str, number: u32| ask("id", &[what]).unwrap_or_else(|| number.to_string());
    Ok(Owner {
        user,
        group,
        names: format!("{}:{}", name("-un", user), name("-gn", group)),
    })
}

/// The one line that a program of the system prints.
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_stands_in_nginx_conf() {
        let found = |text| in_conf(text);
        let alone = Some(("www-data".to_owned(), None));
        assert_eq!(found("user www-data;\nworker_processes 1;"), alone);
        assert_eq!(found("#user nobody;\n\tuser  www-data ; # who\n"), alone);
        let both = Some(("web".to_owned(), Some("sites".to_owned())));
        assert_eq!(found("user web sites;"), both);
        assert_eq!(found("user_agent x;\nworker_processes 1;"), None);
    }
}
