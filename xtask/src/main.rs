//! Everything that a developer does: `cargo xtask COMMAND`, or `make COMMAND`.
//!
//! - `packages`: what the machine must have, and how it is installed;
//! - `site`: from the front end's source to the files that the server embeds;
//! - `cargo`: how this workspace is compiled;
//! - `stages`: the time that each step took;
//! - `tour`: what to try with a testbed.

mod cargo;
mod commands;
mod packages;
mod site;
mod stages;
mod tour;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  run         install what is missing, build, serve the demo fleet
                --listen ADDRESS:PORT   where (127.0.0.1:8080)
                --data DIRECTORY        where its data go
  test        everything that CI runs
  build       the server with its page, for development
  release     the server with its page, optimised: target/release/vms
  testbed     four real hosts with twenty routers, and VMS over them
                --listen, --data        as above
  testbed-soak  start and stop the testbed twenty times: nothing may be left
  soak        look for lost memory, and reconnect to a real host 500 times
  bench       the benchmarks
  bench-layout  our layouts against those of others
  bench-view [SIZE…]  the page's picture against sigma.js and cytoscape.js (1k 10k 100k)
  bench-host  the benchmarks over a real host, against libvirt's Python binding
  bench-migration  ten live migrations, against virsh
  bench-creation   three routers, five times, against a script of virsh and qemu-img
  bench-images     an image of 4 GiB, uploaded and shipped to three hosts: memory
  bench-paths  searching for paths, against petgraph, igraph and networkx
  fmt         format the source
  clean       remove everything that was built, downloaded or cached here
";

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nStopped: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    if command == "bench-view" {
        return commands::bench_view(arguments);
    }
    let options = Options::read(arguments)?;
    match command.as_str() {
        "run" => commands::run(&options),
        "testbed" => commands::testbed(&options),
        "testbed-soak" => commands::testbed_soak(),
        "soak" => commands::soak(),
        "test" => commands::test(),
        "build" => commands::build(),
        "release" => commands::release(),
        "bench" => commands::bench(),
        "bench-host" => commands::bench_host(),
        "bench-migration" => commands::bench_migration(),
        "bench-creation" => commands::bench_creation(),
        "bench-images" => commands::bench_images(),
        "bench-layout" => commands::bench_layout(),
        "bench-paths" => commands::bench_paths(),
        "fmt" => commands::fmt(),
        "clean" => commands::clean(),
        "" | "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no command {other:?}; `cargo xtask help` lists them"),
    }
}

/// What `run` and `testbed` take.
struct Options {
    listen: SocketAddr,
    data: Option<PathBuf>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: None,
        };
        while let Some(name) = arguments.next() {
            let value = arguments
                .next()
                .filter(|value| !value.is_empty())
                .with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--listen" => {
                    options.listen = value.parse().with_context(|| {
                        format!("--listen {value}: expected ADDRESS:PORT, as 127.0.0.1:8080")
                    })?;
                }
                "--data" => options.data = Some(value.into()),
                _ => bail!("there is no option {name}; `cargo xtask help` lists them"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Options> {
        Options::read(arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn an_address_and_a_directory_are_read() {
        let options = read(&["--listen", "[::1]:81", "--data", "d"]).unwrap();
        assert_eq!(options.listen, "[::1]:81".parse().unwrap());
        assert_eq!(options.data, Some("d".into()));
    }

    #[test]
    fn a_wrong_address_says_what_was_expected() {
        let error = read(&["--listen", "8080"]).err().unwrap();
        assert_eq!(
            error.to_string(),
            "--listen 8080: expected ADDRESS:PORT, as 127.0.0.1:8080"
        );
    }
}
