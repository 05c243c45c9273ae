//! A client that sends a request every so often, whatever became of those before, and says how long they took.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// Answers are small; a longer head than this is no answer of the benchmark's backend.
const LONGEST_ANSWER: usize = 16 << 10;

/// Microseconds of every request, and how many had no answer with status 200.
#[derive(Default)]
struct Times {
    micros: Vec<u64>,
    bad: usize,
}

/// Prints number, bad ones, median, 99th percentile and maximum in microseconds.
pub fn report(address: &str, file: &str, connections: u32, rate: u32, seconds: u32) {
    let request = fs::read(file).expect("a file with a request");
    let interval = Duration::from_secs(1) * connections / rate;
    let end = Instant::now() + Duration::from_secs(seconds.into());
    let mut all = Times::default();
    thread::scope(|scope| {
        let request = &request;
        let client = |n: u32| {
            let start = Instant::now() + interval * n / connections;
            scope.spawn(move || steady(address, request, start, interval, end).unwrap_or_default())
        };
        let clients: Vec<_> = (0..connections).map(client).collect();
        for client in clients {
            let Times { micros, bad } = client.join().unwrap_or_default();
            all.micros.extend(micros);
            all.bad += bad;
        }
    });
    all.micros.sort_unstable();
    let at = |percent: usize| {
        let place = all.micros.len() * percent / 100;
        all.micros
            .get(place.min(all.micros.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0)
    };
    println!(
        "{} {} {} {} {}",
        all.micros.len(),
        all.bad,
        at(50),
        at(99),
        at(100)
    );
}

/// One connection. A request that could not be sent in time because its forerunner was late counts
/// from when it was due; how late the machine woke this client up is not the gate's affair.
fn steady(
    address: &str,
    request: &[u8],
    start: Instant,
    interval: Duration,
    end: Instant,
) -> io::Result<Times> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (mut times, mut due) = (Times::default(), start);
    while due < end {
        let now = Instant::now();
        let sent = if now < due {
            thread::sleep(due - now);
            Instant::now()
        } else {
            due
        };
        stream.write_all(request)?;
        times.bad += usize::from(!answer(&mut stream)?);
        times
            .micros
            .push(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
        due += interval;
    }
    Ok(times)
}

/// Reads one answer with a `Content-Length`; whether its status is 200.
fn answer(stream: &mut TcpStream) -> io::Result<bool> {
    let mut bytes = [0; LONGEST_ANSWER];
    let mut length = 0;
    loop {
        let read = stream.read(&mut bytes[length..])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        length += read;
        let Some(head) = bytes[..length]
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let body = text.lines().find_map(|line| {
            line.strip_prefix("content-length:")?
                .trim()
                .parse::<usize>()
                .ok()
        });
        if length >= head + 4 + body.unwrap_or(0) {
            return Ok(text.starts_with("http/1.1 200"));
        }
    }
}
