//! A TCP relay that can be slow, silent or rude: what VMS connects to in place of a host.
//!
//! It forwards bytes without a look at them, so TLS and SSH pass as well. Delay does not limit
//! bandwidth: what comes together goes together, later.
//!
//! ```text
//! client ── 127.0.0.1:PORT ── reader ──(due time, bytes)── writer ── host   and the same back
//! ```

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use super::fault::Fault;

/// A running relay; dropped, all its connections are closed.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// One way.
    delay: Duration,
    held: bool,
    refusing: bool,
    ended: bool,
    open: BTreeMap<u64, [TcpStream; 2]>,
    served: u64,
}

impl Relay {
    /// Listens on a free loopback port, and connects to `target` for everyone who comes.
    ///
    /// # Errors
    /// There is no free port.
    pub fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    if shared.state().ended {
                        break;
                    }
                    // A target that cannot be reached looks as one that closes at once.
                    shared.serve(client, target).ok();
                }
            }
        });
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How libvirt is reached through it, if it leads to a daemon's port for TCP.
    pub fn uri(&self) -> String {
        format!("qemu+tcp://{}/system", self.address)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.state().open.len()
    }

    /// Makes every answer come `time` later, half of it on the way there and half on the way
    /// back.
    pub fn slow(&self, time: Duration) -> Fault<'_> {
        self.shared.state().delay = time / 2;
        Fault::new("slow", || {
            self.shared.state().delay = Duration::ZERO;
            Ok(())
        })
    }

    /// Keeps connections open and accepts new ones, but lets no byte pass. Undone, everything
    /// that was sent arrives.
    pub fn hold(&self) -> Fault<'_> {
        self.shared.state().held = true;
        Fault::new("silent", || {
            self.shared.state().held = false;
            self.shared.released.notify_all();
            Ok(())
        })
    }

    /// Closes every connection, as a server that has had enough of its clients. New ones are
    /// served.
    pub fn close_all(&self) {
        self.shared.state().close_all();
    }

    /// Closes every connection and every new one.
    pub fn refuse(&self) -> Fault<'_> {
        let mut state = self.shared.state();
        state.refusing = true;
        state.close_all();
        Fault::new("connections refused", || {
            self.shared.state().refusing = false;
            Ok(())
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.ended = true;
            state.held = false;
            state.close_all();
        }
        self.shared.released.notify_all();
        // Wakes the thread that accepts; it cannot fail while that thread listens.
        TcpStream::connect(self.address).ok();
        if let Some(accepting) = self.accepting.take() {
            accepting.join().ok();
        }
    }
}

impl State {
    fn close_all(&mut self) {
        for connection in std::mem::take(&mut self.open).into_values() {
            close(&connection);
        }
    }
}

fn close(connection: &[TcpStream; 2]) {
    for end in connection {
        // An error means that it is closed.
        end.shutdown(Shutdown::Both).ok();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(self: &Arc<Self>, client: TcpStream, target: SocketAddr) -> Result<()> {
        if self.state().refusing {
            return Ok(());
        }
        let server = TcpStream::connect_timeout(&target, Duration::from_secs(5))
            .with_context(|| format!("cannot connect to {target}"))?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
        }
        let ends = [client.try_clone()?, server.try_clone()?];
        let connection = {
            let mut state = self.state();
            state.served += 1;
            let connection = state.served;
            state.open.insert(connection, ends);
            connection
        };
        self.forward(connection, client.try_clone()?, server.try_clone()?);
        self.forward(connection, server, client);
        Ok(())
    }

    /// Forwards one direction, in a thread that reads and one that writes.
    fn forward(self: &Arc<Self>, connection: u64, mut from: TcpStream, mut to: TcpStream) {
        let (sender, receiver) = channel();
        let shared = Arc::clone(self);
        thread::spawn(move || {
            shared.write(&receiver, &mut to);
            // The end of one direction is the end of both.
            let ends = shared.state().open.remove(&connection);
            ends.as_ref().inspect(|ends| close(ends));
        });
        let shared = Arc::clone(self);
        thread::spawn(move || shared.read(&mut from, &sender));
    }

    fn read(&self, from: &mut TcpStream, sender: &Sender<(Instant, Vec<u8>)>) {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length) = from.read(&mut buffer)
            && length > 0
        {
            let due = Instant::now() + self.state().delay;
            if sender.send((due, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    }

    fn write(&self, receiver: &Receiver<(Instant, Vec<u8>)>, to: &mut TcpStream) {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let released = self.released.wait_while(self.state(), |state| state.held);
            drop(released);
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || {
                    let mut back = stream.try_clone().unwrap();
                    std::io::copy(&mut &stream, &mut back).ok();
                });
            }
        });
        address
    }

    fn connect(relay: &Relay) -> TcpStream {
        let stream = TcpStream::connect(relay.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        stream
    }

    /// Sends a byte and tells how long its echo took.
    fn round_trip(stream: &mut TcpStream) -> std::io::Result<Duration> {
        let start = Instant::now();
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])?;
        Ok(start.elapsed())
    }

    #[test]
    fn a_slow_relay_delays_every_answer_and_is_fast_again() {
        let relay = Relay::to(echo()).unwrap();
        let mut stream = connect(&relay);
        let late = Duration::from_millis(100);
        assert!(round_trip(&mut stream).unwrap() < late);
        let slow = relay.slow(late);
        assert!(round_trip(&mut stream).unwrap() >= late);
        slow.undo().unwrap();
        assert!(round_trip(&mut stream).unwrap() < late);
    }

    #[test]
    fn a_silent_relay_loses_nothing() {
        let relay = Relay::to(echo()).unwrap();
        let mut stream = connect(&relay);
        let silence = relay.hold();
        assert!(round_trip(&mut stream).is_err());
        silence.undo().unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }

    #[test]
    fn a_relay_closes_and_refuses() {
        let relay = Relay::to(echo()).unwrap();
        let mut stream = connect(&relay);
        round_trip(&mut stream).unwrap();
        assert_eq!(relay.connections(), 1);
        relay.close_all();
        assert!(round_trip(&mut stream).is_err());
        round_trip(&mut connect(&relay)).unwrap();
        let refusal = relay.refuse();
        assert!(round_trip(&mut connect(&relay)).is_err());
        refusal.undo().unwrap();
        round_trip(&mut connect(&relay)).unwrap();
    }
}
