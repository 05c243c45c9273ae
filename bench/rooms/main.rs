//! What `scripts/bench` measures without nginx around it: the decision, the session look-up, the heap, the memory of
//! a session; and the steady client that times requests. Not part of any build but its own.
//!
//! The counts come from callgrind, which counts inside the functions called `measured_…` only.

mod client;
mod decision;
mod files;
mod heap;
mod sessions;

use std::process::ExitCode;

const USAGE: &str = "usage (scripts/bench calls it):
  rooms hosts RULES TIMES            decisions with so many rules on as many hosts
  rooms resources PATTERNS TIMES     decisions with so many `resources` on one host
  rooms keep-sessions COUNT FILE     writes a zone with so many sessions
  rooms sessions COUNT FILE TIMES    from cookie to record in that zone
  rooms look-ups COUNT FILE TIMES    from key to record in that zone
  rooms configuration                the configuration that nginx is measured with
  rooms heap                         allocations of an allowed request, by step
  rooms session-bytes                shared memory that a session takes
  rooms latency ADDRESS REQUEST-FILE CONNECTIONS RATE SECONDS    times requests that come at a steady rate";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Some(()) => ExitCode::SUCCESS,
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(words: &[&str]) -> Option<()> {
    match *words {
        ["hosts", rules, times] => decision::hosts(number(rules)?, number(times)?),
        ["resources", patterns, times] => decision::resources(number(patterns)?, number(times)?),
        ["keep-sessions", count, file] => sessions::keep(number(count)?, file),
        ["sessions", count, file, times] => {
            sessions::open_and_look_up(number(count)?, file, number(times)?);
        }
        ["look-ups", count, file, times] => {
            sessions::look_up(number(count)?, file, number(times)?);
        }
        ["configuration"] => print!("{}", files::configuration()),
        ["heap"] => heap::report(),
        ["session-bytes"] => sessions::report_bytes(),
        ["latency", address, request, connections, rate, seconds] => {
            client::report(
                address,
                request,
                number(connections)?,
                number(rate)?,
                number(seconds)?,
            );
        }
        _ => return None,
    }
    Some(())
}

fn number<T: std::str::FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}
