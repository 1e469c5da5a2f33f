//! Asking a host's own programs, for what libvirt does not know: over SSH, or on this machine.
//!
//! A question that is not answered in time is ended with its process. Why there is no answer is a
//! sentence that stays the same while the cause does, and is in the log once.

use super::{DEADLINE, KeyStore};
use crate::SshAddress;
use model::HostId;
use serde_json::Value;
use std::process::Stdio;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

/// The most that an answer may hold, in bytes: some thousand neighbours or interfaces.
const LONGEST: u64 = 4 << 20;

/// The longest name of an interface, in characters (`IFNAMSIZ`).
pub(super) const LONGEST_NAME: usize = 15;

/// What asks a kernel for its interfaces.
pub(super) const IP: Program = Program {
    name: "ip",
    package: "iproute2",
};

/// A program that answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program {
    pub name: &'static str,
    /// Debian's package that has it.
    pub package: &'static str,
}

impl Program {
    /// The command that runs it on a host, or here; its words are still missing. Or why there is
    /// none.
    pub fn command(self, keys: &KeyStore, over: Option<&SshAddress>) -> Result<Command, String> {
        match over {
            None => Ok(Command::new(self.name)),
            Some(address) => {
                let mut command = keys.ssh(address)?;
                // For the shell there: Debian has such programs in /usr/sbin, where it looks for
                // root only.
                command.args(["PATH=$PATH:/usr/sbin:/sbin", self.name]);
                Ok(command)
            }
        }
    }

    /// Runs such a command and answers with what it wrote, or why that is not known.
    pub async fn ask(self, mut command: Command) -> Result<Vec<u8>, String> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        match tokio::time::timeout(DEADLINE, self.run(command)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!(
                "It was asked and did not answer within {} s.",
                DEADLINE.as_secs()
            )),
        }
    }

    /// The list that it wrote, or why it is no answer: a sentence.
    pub fn list(self, bytes: &[u8]) -> Result<Vec<Value>, String> {
        let name = self.name;
        serde_json::from_slice(bytes)
            .map_err(|error| format!("{name} says what is no list in JSON: {error}."))
    }

    async fn run(self, mut command: Command) -> Result<Vec<u8>, String> {
        let Self { name, package } = self;
        let program = command.as_std().get_program().to_owned();
        let mut child = command.spawn().map_err(|error| {
            let program = std::path::Path::new(&program).file_name();
            let program = program.unwrap_or_default().to_string_lossy();
            format!("{program} cannot be started ({error}); {name} is in the package {package}.")
        })?;
        let (output, errors) = tokio::join!(
            self.read(child.stdout.take()),
            // Both are read to the end: who cannot write waits.
            self.read(child.stderr.take()),
        );
        let status = child.wait().await.map_err(|error| error.to_string())?;
        if status.success() {
            return output;
        }
        let errors = errors.unwrap_or_default();
        let errors = String::from_utf8_lossy(&errors);
        let mut lines = errors.lines().filter(|line| !line.trim().is_empty());
        let last = lines.next_back().unwrap_or("it does not say why").trim();
        let last: String = last.chars().filter(|c| !c.is_control()).take(300).collect();
        Err(format!("{name} failed: {}.", last.trim_end_matches('.')))
    }

    async fn read(self, stream: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, String> {
        let name = self.name;
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            let mut bounded = stream.take(LONGEST + 1);
            let done = bounded.read_to_end(&mut bytes).await;
            done.map_err(|error| format!("What {name} says cannot be read: {error}."))?;
        }
        if bytes.len() as u64 > LONGEST {
            return Err(format!("{name} says more than {} MiB.", LONGEST >> 20));
        }
        Ok(bytes)
    }
}

/// Why there was no answer, said once for each cause.
#[derive(Default)]
pub(super) struct Complaint(Option<String>);

impl Complaint {
    /// Takes up whether `what` of a host is known now, or why not.
    pub fn heed(&mut self, host: &HostId, what: &str, why: Option<String>) {
        if why == self.0 {
            return;
        }
        if let Some(why) = &why {
            tracing::warn!(%host, why, "{what} is not known");
        } else {
            tracing::info!(%host, "{what} is known again");
        }
        self.0 = why;
    }
}

/// What others say of themselves, fit for one line, with at most so many characters.
pub(super) fn plain(text: &str, longest: usize) -> Option<String> {
    let plain = text.chars().filter(|c| !c.is_control()).take(longest);
    let plain: String = plain.collect();
    let plain = plain.trim();
    (!plain.is_empty()).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_says_too_much_or_fails_is_no_answer() {
        let program = Program {
            name: "lldpcli",
            package: "lldpd",
        };
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            program.ask(command)
        };
        assert_eq!(shell("printf x").await, Ok(b"x".to_vec()));
        let error = shell("echo a >&2; echo 'no lldpd here.' >&2; exit 1").await;
        assert_eq!(error, Err("lldpcli failed: no lldpd here.".to_owned()));
        let error = shell("head -c 5000000 /dev/zero").await.unwrap_err();
        assert!(
            error.contains("4 MiB") || error.contains("failed"),
            "{error}"
        );
        let missing = Command::new("/nowhere/lldpcli");
        let error = program.ask(missing).await.unwrap_err();
        assert!(error.starts_with("lldpcli cannot be started"), "{error}");
    }
}
