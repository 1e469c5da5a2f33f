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
//! | `churn MIB SECONDS` | fills memory and keeps changing all of it |
//! | `ping ADDRESS COUNT` | pings, five times a second, and tells how many came back |
//! | `poweroff` | shuts the guest down, from inside |
//! | `write DEVICE SECONDS` | writes blocks with checksums to a disk, over and over |
//! | `verify DEVICE` | reads them all and tells how many there are and how many are wrong |
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
    disk: Arc<Disk>,
}

/// What was written to a disk.
#[derive(Default)]
struct Disk {
    /// The number that each block holds, in the order of the blocks.
    blocks: Mutex<Vec<u64>>,
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
        Some("churn") => {
            let bytes = number(1).unwrap_or(1) as usize * 1024 * 1024;
            churn(bytes, Duration::from_secs(number(2).unwrap_or(1)));
        }
        Some("poweroff") => {
            let asked = std::process::Command::new("/bin/poweroff")
                .arg("-f")
                .spawn();
            if asked.is_err() {
                return r#"{"error":"there is no poweroff"}"#.into();
            }
        }
        Some("ping") => return ping(words.get(1), number(2).unwrap_or(1)),
        Some("write") => {
            let device = words.get(1).cloned().unwrap_or_default();
            return written(traffic.disk.start(device, number(2).unwrap_or(1)));
        }
        Some("verify") => {
            let device = words.get(1).cloned().unwrap_or_default();
            return written(traffic.disk.verify(&device));
        }
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

/// Changes every page of some memory again and again, faster than a network carries it.
///
/// Only the last one that was asked for goes on, and it leaves time for others.
fn churn(bytes: usize, time: Duration) {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Relaxed) + 1;
    thread::spawn(move || {
        let mut memory = vec![0x56_u8; bytes];
        let start = Instant::now();
        let mut round = 0_u8;
        while start.elapsed() < time && LAST.load(Relaxed) == number {
            round = round.wrapping_add(1);
            thread::sleep(Duration::from_millis(50));
            for page in memory.chunks_mut(4096) {
                page[0] = round;
            }
            std::hint::black_box(&memory);
        }
    });
}

/// Pings an address, by the ping of the file system.
fn ping(address: Option<&String>, count: u64) -> String {
    let Some(address) = address else {
        return r#"{"error":"ping ADDRESS COUNT"}"#.into();
    };
    let count = count.to_string();
    let arguments = ["-c", &count, "-i", "0.2", "-W", "1", address];
    let Ok(output) = std::process::Command::new("/bin/ping")
        .args(arguments)
        .output()
    else {
        return r#"{"error":"there is no ping"}"#.into();
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let number = |of: &str| {
        let end = text.find(of)?;
        let word = text[..end].split_whitespace().next_back()?;
        word.parse::<u64>().ok()
    };
    let sent = number(" packets transmitted").unwrap_or(0);
    let received = number(" packets received").unwrap_or(0);
    format!(r#"{{"sent":{sent},"received":{received}}}"#)
}

/// A block of a disk: a number, and what follows from it in every other word.
const BLOCK: usize = 4096;
/// How many blocks are written to, in turn.
const BLOCKS: u64 = 512;

impl Disk {
    fn block(at: u64, number: u64) -> Vec<u8> {
        // The multiplier of a linear congruential generator (Knuth).
        let mut word = number ^ (at << 32);
        let words = (0..BLOCK / 8).flat_map(|place| {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if place == 0 { number } else { word }.to_le_bytes()
        });
        words.collect()
    }

    fn start(self: &Arc<Self>, device: String, seconds: u64) -> std::io::Result<(u64, u64)> {
        use std::io::{Seek, SeekFrom};
        let mut file = File::options().write(true).open(device)?;
        let disk = Arc::clone(self);
        lock(&disk.blocks).resize(BLOCKS as usize, 0);
        thread::spawn(move || {
            let (start, mut number) = (Instant::now(), 0);
            while start.elapsed() < Duration::from_secs(seconds) {
                number += 1;
                let at = number % BLOCKS;
                let block = Self::block(at, number);
                // Known before it is there: a write that fails is found out.
                lock(&disk.blocks)[at as usize] = number;
                let done = file
                    .seek(SeekFrom::Start(at * BLOCK as u64))
                    .and_then(|_| file.write_all(&block))
                    .and_then(|()| file.sync_data());
                if done.is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Ok((0, 0))
    }

    /// How many blocks were written, and how many are not as they were written. It is for when no
    /// more is written.
    fn verify(&self, device: &str) -> std::io::Result<(u64, u64)> {
        use std::io::{Seek, SeekFrom};
        let mut file = File::open(device)?;
        let (mut all, mut wrong) = (0, 0);
        for (at, number) in lock(&self.blocks).iter().enumerate() {
            if *number == 0 {
                continue;
            }
            let mut block = vec![0; BLOCK];
            file.seek(SeekFrom::Start((at * BLOCK) as u64))?;
            file.read_exact(&mut block)?;
            all += 1;
            wrong += u64::from(block != Self::block(at as u64, *number));
        }
        Ok((all, wrong))
    }
}

fn written(done: std::io::Result<(u64, u64)>) -> String {
    match done {
        Ok((blocks, wrong)) => format!(r#"{{"blocks":{blocks},"wrong":{wrong}}}"#),
        Err(error) => format!(r#"{{"error":"{error}"}}"#).replace('\\', ""),
    }
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
