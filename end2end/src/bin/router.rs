//! What runs in every virtual router of the testbed: it sends and counts traffic, and burns CPU and
//! memory when asked.
//!
//! ```text
//! router CONTROL [ADDRESS PACKETS-PER-SECOND BYTES]
//!
//!            ┌─ sender ── UDP, at a fixed rate ──────────> the next router's port 5001
//! CONTROL ── commands
//!            └─ receiver <── UDP, port 5001 ────────────── whoever sends
//! ```
//!
//! `CONTROL` is a virtio serial port, or the path of a Unix socket to be made. Each line there is a
//! command, answered by one line of JSON:
//!
//! | command | does |
//! |---|---|
//! | `traffic` | tells what was sent and received since the start |
//! | `send ADDRESS PACKETS-PER-SECOND BYTES` | sends that from now on; 0 packets stop it |
//! | `burn SECONDS` | keeps one CPU busy |
//! | `hold MIB SECONDS` | fills memory and keeps it |
//!
//! `router ask NAME COMMAND`, on its host, gives a router a command and prints the answer.
//!
//! Bytes are those of Ethernet frames without their checksum, as libvirt's counters have them: the
//! payload is smaller by [`HEADERS`].
//!
//! It is compiled by `rustc` alone, statically, for a file system that has nothing else: see
//! `testbed/guest.rs`.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, UdpSocket},
    os::unix::{
        fs::FileTypeExt,
        net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Where every router listens.
const PORT: u16 = 5001;
/// Ethernet, IPv4 and UDP.
const HEADERS: u64 = 14 + 20 + 8;

#[derive(Default)]
struct Traffic {
    sent: Counter,
    received: Counter,
    flow: Mutex<Option<Flow>>,
}

#[derive(Default)]
struct Counter {
    packets: AtomicU64,
    bytes: AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Flow {
    to: Ipv4Addr,
    packets_per_second: u32,
    bytes: u64,
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [ask, name, command @ ..] = &arguments[..]
        && ask == "ask"
    {
        let mut router = UnixStream::connect(format!("/run/{name}.control"))?;
        writeln!(router, "{}", command.join(" "))?;
        let mut answer = String::new();
        BufReader::new(router).read_line(&mut answer)?;
        print!("{answer}");
        return Ok(());
    }
    let [control, flow @ ..] = &arguments[..] else {
        panic!("router CONTROL [ADDRESS PACKETS-PER-SECOND BYTES]");
    };
    let traffic = Arc::<Traffic>::default();
    *traffic.flow.lock().unwrap() = Flow::read(flow);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT))?;
    for work in [send, receive] {
        let traffic = Arc::clone(&traffic);
        let socket = socket.try_clone()?;
        thread::spawn(move || work(&socket, &traffic));
    }
    let control = Path::new(control);
    if fs::metadata(control).is_ok_and(|data| data.file_type().is_char_device()) {
        let mut port = File::options().read(true).write(true).open(control)?;
        loop {
            serve(port.try_clone()?, &mut port, &traffic);
            // Nobody is at the other end.
            thread::sleep(Duration::from_millis(100));
        }
    }
    // From the container's run before this one.
    fs::remove_file(control).ok();
    for client in UnixListener::bind(control)?.incoming() {
        let mut client = client?;
        serve(client.try_clone()?, &mut client, &traffic);
    }
    Ok(())
}

/// Answers commands until the other end hangs up.
fn serve(commands: impl Read, answers: &mut impl Write, traffic: &Traffic) {
    for line in BufReader::new(commands).lines().map_while(Result::ok) {
        let answer = execute(&line, traffic);
        if writeln!(answers, "{answer}").is_err() {
            break;
        }
    }
}

fn execute(line: &str, traffic: &Traffic) -> String {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let number = |place: usize| words.get(place).and_then(|word| word.parse().ok());
    match words.first().map(String::as_str) {
        Some("traffic") => return traffic.to_json(),
        Some("send") => {
            let Some(flow) = Flow::read(&words[1..]) else {
                return r#"{"error":"send ADDRESS PACKETS-PER-SECOND BYTES"}"#.into();
            };
            *lock(&traffic.flow) = Some(flow);
        }
        Some("burn") => burn(Duration::from_secs(number(1).unwrap_or(1))),
        Some("hold") => {
            let bytes = number(1).unwrap_or(1) as usize * 1024 * 1024;
            hold(bytes, Duration::from_secs(number(2).unwrap_or(1)));
        }
        _ => return r#"{"error":"no such command"}"#.into(),
    }
    "{}".into()
}

impl Traffic {
    fn to_json(&self) -> String {
        let [sent, received] = [&self.sent, &self.received].map(|counter| {
            let (packets, bytes) = (counter.packets.load(Relaxed), counter.bytes.load(Relaxed));
            format!(r#"{{"packets":{packets},"bytes":{bytes}}}"#)
        });
        format!(r#"{{"sent":{sent},"received":{received}}}"#)
    }
}

impl Counter {
    fn count(&self, payload: usize) {
        self.packets.fetch_add(1, Relaxed);
        self.bytes.fetch_add(payload as u64 + HEADERS, Relaxed);
    }
}

impl Flow {
    fn read(words: &[String]) -> Option<Self> {
        let [to, packets, bytes] = words else {
            return None;
        };
        Some(Self {
            to: to.parse().ok()?,
            packets_per_second: packets.parse().ok()?,
            bytes: bytes.parse().ok()?,
        })
    }
}

/// Sends the flow that is set. After a pause, such as that of a suspended guest, it does not make
/// up for what it could not send.
fn send(socket: &UdpSocket, traffic: &Traffic) {
    let payload = vec![0x56; 1 << 16];
    let mut due = Instant::now();
    loop {
        let flow = *lock(&traffic.flow);
        let Some(flow) = flow.filter(|flow| flow.packets_per_second > 0) else {
            thread::sleep(Duration::from_millis(50));
            due = Instant::now();
            continue;
        };
        due += Duration::from_secs(1) / flow.packets_per_second;
        let now = Instant::now();
        if now > due + Duration::from_secs(1) {
            due = now;
        }
        thread::sleep(due.saturating_duration_since(now));
        let length = flow.bytes.saturating_sub(HEADERS) as usize;
        // What could not be sent, for want of a route or of an answer to ARP, does not count.
        if let Ok(length) = socket.send_to(&payload[..length.min(payload.len())], (flow.to, PORT)) {
            traffic.sent.count(length);
        }
    }
}

fn receive(socket: &UdpSocket, traffic: &Traffic) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        // An error is an ICMP message about what we sent.
        if let Ok(length) = socket.recv(&mut buffer) {
            traffic.received.count(length);
        }
    }
}

fn burn(time: Duration) {
    thread::spawn(move || {
        let start = Instant::now();
        while start.elapsed() < time {
            std::hint::spin_loop();
        }
    });
}

fn hold(bytes: usize, time: Duration) {
    thread::spawn(move || {
        // Not zeros, which the kernel gives out without having them.
        let memory = vec![0x56_u8; bytes];
        thread::sleep(time);
        drop(std::hint::black_box(memory));
    });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_sets_the_flow() {
        let traffic = Traffic::default();
        assert_eq!(execute("send 10.1.2.3 20 1000", &traffic), "{}");
        let flow = Flow {
            to: Ipv4Addr::new(10, 1, 2, 3),
            packets_per_second: 20,
            bytes: 1000,
        };
        assert_eq!(*lock(&traffic.flow), Some(flow));
        assert!(execute("send nobody", &traffic).contains("error"));
        assert!(execute("dance", &traffic).contains("error"));
    }

    #[test]
    fn frames_are_counted_with_their_headers() {
        let traffic = Traffic::default();
        traffic.sent.count(958);
        assert_eq!(
            execute("traffic", &traffic),
            r#"{"sent":{"packets":1,"bytes":1000},"received":{"packets":0,"bytes":0}}"#
        );
    }
}
