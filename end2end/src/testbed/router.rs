//! Talking to the program in a virtual router: see `src/bin/router.rs`.

use std::{
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
    os::unix::net::UnixStream,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use super::{domain, host::Host, plan::Flow};

/// How long an answer may take on a loaded machine.
const LIMIT: Duration = Duration::from_secs(20);

/// What a router has sent and received by itself since its start: not what it has forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Traffic {
    /// What its flow has sent.
    pub sent: Count,
    /// What other routers' flows have brought.
    pub received: Count,
}

/// Packets, and their bytes as Ethernet frames without checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// How many packets.
    pub packets: u64,
    /// How many bytes in all.
    pub bytes: u64,
}

impl Host {
    /// What a router of this host has sent and received.
    ///
    /// # Errors
    /// It does not run.
    pub fn traffic(&self, router: &str) -> Result<Traffic> {
        Ok(serde_json::from_value(self.command(router, "traffic")?)?)
    }

    /// Makes a router send this flow in place of the one that it sends.
    ///
    /// # Errors
    /// It does not run.
    pub fn send(&self, router: &str, flow: Flow) -> Result<()> {
        let Flow {
            to,
            packets_per_second,
            bytes,
        } = flow;
        self.command(router, &format!("send {to} {packets_per_second} {bytes}"))?;
        Ok(())
    }

    /// Makes a router keep its CPU busy for some seconds.
    ///
    /// # Errors
    /// It does not run.
    pub fn burn(&self, router: &str, time: Duration) -> Result<()> {
        self.command(router, &format!("burn {}", time.as_secs()))?;
        Ok(())
    }

    /// Makes a router use some more mebibytes of its memory for some seconds.
    ///
    /// # Errors
    /// It does not run.
    pub fn hold(&self, router: &str, mebibytes: u32, time: Duration) -> Result<()> {
        self.command(router, &format!("hold {mebibytes} {}", time.as_secs()))?;
        Ok(())
    }

    /// Makes a router change all of so many mebibytes of its memory, over and over, for some time.
    ///
    /// # Errors
    /// It does not run.
    pub fn churn(&self, router: &str, mebibytes: u32, time: Duration) -> Result<()> {
        self.command(router, &format!("churn {mebibytes} {}", time.as_secs()))?;
        Ok(())
    }

    /// Lets a router ping an address so many times: sent and received.
    ///
    /// # Errors
    /// It does not run.
    pub fn ping(&self, router: &str, to: Ipv4Addr, count: u32) -> Result<[u64; 2]> {
        let answer = self.command(router, &format!("ping {to} {count}"))?;
        let number = |of: &str| answer[of].as_u64().context("a number was expected");
        Ok([number("sent")?, number("received")?])
    }

    /// Makes a router shut down, from inside.
    ///
    /// # Errors
    /// It does not run.
    pub fn power_off(&self, router: &str) -> Result<()> {
        self.command(router, "poweroff")?;
        Ok(())
    }

    /// Makes a router write to its disk for some time.
    ///
    /// # Errors
    /// It does not run, or has no disk.
    pub fn write_disk(&self, router: &str, time: Duration) -> Result<()> {
        self.command(router, &format!("write /dev/vda {}", time.as_secs()))?;
        Ok(())
    }

    /// Lets a router read all that it wrote to its disk: blocks, and how many of them are wrong.
    ///
    /// # Errors
    /// It does not run, or has no disk.
    pub fn verify_disk(&self, router: &str) -> Result<[u64; 2]> {
        let answer = self.command(router, "verify /dev/vda")?;
        let number = |of: &str| answer[of].as_u64().context("a number was expected");
        Ok([number("blocks")?, number("wrong")?])
    }

    fn command(&self, router: &str, command: &str) -> Result<Value> {
        let what = || format!("{router} on {} did not answer {command:?}", self.plan().id);
        let socket = domain::control(router);
        let mut stream = UnixStream::connect(self.machine().path(&socket)).with_context(what)?;
        stream.set_read_timeout(Some(LIMIT))?;
        writeln!(stream, "{command}").with_context(what)?;
        let mut answer = String::new();
        BufReader::new(stream)
            .read_line(&mut answer)
            .with_context(what)?;
        let answer: Value = serde_json::from_str(&answer)
            .with_context(|| format!("{router} answered {answer:?} to {command:?}"))?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{router} refused {command:?}: {error}");
        }
        Ok(answer)
    }
}
