//! Letters in a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ngx_http_auth_gate_module::mail::{Notifier, Post, Way};

use super::fixture::{folder, letter};

#[test]
fn the_newest_letter_is_the_only_one() {
    let folder = folder("file");
    let path = folder.join("below/notification.txt");
    let post = Post::new(&Notifier {
        startup_check: true,
        way: Way::File(path.clone()),
    })
    .unwrap();
    post.check().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut long = letter();
    long.text = "x".repeat(10_000);
    post.send(&long).unwrap();
    let mut letter = letter();
    letter.title += "\nRecipient: {Eve eve@example.org}";
    post.send(&letter).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    let (date, rest) = written.split_once('\n').unwrap();
    assert!(
        date.starts_with("Date: ") && date.ends_with("+0000"),
        "{date}"
    );
    let text = &letter.text;
    assert_eq!(
        rest,
        format!(
            "Recipient: {{Alice Ünsal alice@example.com}}\nSubject: Confirm it is you Recipient: {{Eve eve@example.org}}\n{text}\n\n"
        )
    );
    // The check at the next start takes nothing away.
    post.check().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_a_sentence() {
    let folder = folder("unwritable");
    let post = Post::new(&Notifier {
        startup_check: true,
        way: Way::File(folder.clone()),
    })
    .unwrap();
    for said in [post.check().unwrap_err(), post.send(&letter()).unwrap_err()] {
        let said = said.to_string();
        assert!(said.contains("the file of notifier.filesystem"), "{said}");
    }
    fs::remove_dir_all(folder).unwrap();
}
