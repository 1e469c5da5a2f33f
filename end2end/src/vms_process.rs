//! The built `vms` binary as a process.
//!
//! ```text
//! demo / serve ──> Running ──terminate / kill──> Ended ──start──> Running (same port, same data)
//! ```

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Scratch, until};

/// How long a start may take on a loaded machine.
const START: Duration = Duration::from_mins(1);
/// How long an orderly end may take.
const END: Duration = Duration::from_secs(20);

/// One `vms` process on a free loopback port; dropped, it is gone.
///
/// It dies with the *thread* that started it (the kernel's parent-death signal), so that
/// nothing is left when a test is killed: keep it within one test.
#[derive(Debug)]
pub struct VmsProcess {
    arguments: Vec<OsString>,
    /// Where it looks for programs, if not where this process does.
    path: Option<OsString>,
    address: SocketAddr,
    child: Option<Child>,
    files: Scratch,
}

impl VmsProcess {
    /// Starts `vms demo` with its data in `data`, and waits until it is ready.
    ///
    /// # Errors
    /// See [`VmsProcess::start`].
    pub fn demo(data: &Path) -> Result<Self> {
        Self::launch(vec!["demo".into(), "--data".into(), data.into()], None)
    }

    /// Starts `vms serve` with the configuration file `config` and its data in `data`, and
    /// waits until every host was tried.
    ///
    /// # Errors
    /// See [`VmsProcess::start`].
    pub fn serve(config: &Path, data: &Path) -> Result<Self> {
        Self::launch(serve(config, data), None)
    }

    /// The same, with another search path for the programs that it runs.
    ///
    /// # Errors
    /// See [`VmsProcess::start`].
    pub fn serve_with_path(config: &Path, data: &Path, path: OsString) -> Result<Self> {
        Self::launch(serve(config, data), Some(path))
    }

    fn launch(mut arguments: Vec<OsString>, path: Option<OsString>) -> Result<Self> {
        let address = free_address()?;
        arguments.extend(["--listen".into(), address.to_string().into()]);
        let mut process = Self {
            arguments,
            path,
            address,
            child: None,
            files: Scratch::new()?,
        };
        process.start()?;
        Ok(process)
    }

    /// Starts it again after [`terminate`](Self::terminate) or [`kill`](Self::kill), with the
    /// same port and data, and waits until `/readyz` answers 200.
    ///
    /// # Errors
    /// The binary is not built, ends early, or is not ready within a minute; the sentence
    /// holds what it printed.
    pub fn start(&mut self) -> Result<()> {
        if self.child.is_some() {
            bail!("vms is already running");
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let mut command = Command::new("setpriv");
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let child = command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(binary()?)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start vms through setpriv (package util-linux)")?;
        self.child = Some(child);
        until("vms to answer /readyz", START, || {
            if let Some(status) = self.running()?.try_wait()? {
                bail!("vms ended at once ({status})");
            }
            Ok(matches!(get(self.address, "/readyz"), Ok((200, _))).then_some(()))
        })
        .map_err(|error| anyhow!("{error}; it printed:\n{}", self.log()))
    }

    /// Its process id.
    ///
    /// # Errors
    /// It was ended.
    pub fn pid(&mut self) -> Result<u32> {
        Ok(self.running()?.id())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of one of its pages; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and body of one page.
    ///
    /// # Errors
    /// It does not answer.
    pub fn get(&self, path: &str) -> Result<(u16, String)> {
        get(self.address, path)
    }

    /// Everything it has printed, starts before included.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It is not running, or does not end within 20 s; then it is killed.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        let pid = Pid::from_raw(self.pid()?.try_into()?);
        kill(pid, Signal::SIGTERM).context("cannot send SIGTERM to vms")?;
        let ended = until("vms to end after SIGTERM", END, || {
            Ok(self.running()?.try_wait()?)
        });
        if ended.is_err() {
            self.kill();
        }
        self.child = None;
        ended.map_err(|error| anyhow!("{error}; it printed:\n{}", self.log()))
    }

    /// Ends it as a power failure would (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error here means that it has ended by itself.
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// The status that it ended with by itself, or `None` while it runs.
    ///
    /// # Errors
    /// It was ended before.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.running()?.try_wait()?)
    }

    fn running(&mut self) -> Result<&mut Child> {
        self.child.as_mut().context("vms is not running")
    }

    fn log_path(&self) -> PathBuf {
        self.files.path().join("vms.log")
    }
}

impl Drop for VmsProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(config: &Path, data: &Path) -> Vec<OsString> {
    vec![
        "serve".into(),
        "--config".into(),
        config.into(),
        "--data".into(),
        data.into(),
    ]
}

/// The `vms` binary that was built with this code, or what the environment variable
/// `VMS_BIN` names.
///
/// # Errors
/// There is none.
pub fn binary() -> Result<PathBuf> {
    let path = if let Some(path) = std::env::var_os("VMS_BIN") {
        PathBuf::from(path)
    } else {
        // target/debug/xtask, or target/debug/deps/end2end-…
        let here = std::env::current_exe()?;
        let mut directory = here.parent().context("no directory")?;
        if directory.ends_with("deps") {
            directory = directory.parent().context("no directory")?;
        }
        directory.join("vms")
    };
    if !path.is_file() {
        bail!(
            "{} is missing: build it with `cargo xtask build`",
            path.display()
        );
    }
    Ok(path)
}

/// Status and body of one page, over HTTP/1.0 so that the body comes in one piece.
///
/// # Errors
/// Nobody answers at `address`, or not in HTTP.
pub fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    exchange(
        address,
        &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n"),
    )
}

/// Status and body of the answer to a SOAP 1.1 envelope.
///
/// # Errors
/// As [`get`].
pub fn post(address: SocketAddr, path: &str, envelope: &str) -> Result<(u16, String)> {
    let length = envelope.len();
    exchange(
        address,
        &format!(
            "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: text/xml; charset=utf-8\r\n\
             SOAPAction: \"\"\r\nContent-Length: {length}\r\n\r\n{envelope}"
        ),
    )
}

fn exchange(address: SocketAddr, request: &str) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    let reply = String::from_utf8_lossy(&reply);
    let (head, body) = reply
        .split_once("\r\n\r\n")
        .context("the reply has no end of headers")?;
    let status = head
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .context("the reply has no status")?;
    Ok((status, body.to_owned()))
}

fn free_address() -> Result<SocketAddr> {
    // Between this and the start of vms another process could take the port; the kernel
    // hands ports out in turn, so that this does not happen in practice.
    let listener = TcpListener::bind("127.0.0.1:0").context("no free loopback port")?;
    Ok(listener.local_addr()?)
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use super::*;

    #[test]
    fn a_reply_is_split_into_status_and_body() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut line = String::new();
            std::io::BufReader::new(stream.try_clone().unwrap())
                .read_line(&mut line)
                .unwrap();
            write!(
                stream,
                "HTTP/1.0 503 Later\r\nA: b\r\n\r\nnot yet\n\r\n\r\n"
            )
            .unwrap();
            line
        });
        let reply = get(address, "/readyz").unwrap();
        assert_eq!(reply, (503, "not yet\n\r\n\r\n".to_owned()));
        assert_eq!(server.join().unwrap(), "GET /readyz HTTP/1.0\r\n");
    }
}
