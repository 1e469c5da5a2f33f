//! The `vms` program: see the library of this package.

use api::{Caller, Channel};
use clap::Parser as _;
use server::{
    cli::{
        Command, CommandError, CommandLine, Console, Remote, completion, execute, keyboard, manual,
    },
    client::{Client, sentence},
    config::Config,
    process,
};
use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::Duration,
};
use tracing_subscriber::EnvFilter;

/// It could not be done.
const FAILED: u8 = 1;
/// It was asked for wrongly.
const USAGE: u8 = 2;
/// Whoever waited interrupted it: as shells tell of a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let told = match &line.command {
        Command::Completion { shell } => Some(completion(*shell, &mut io::stdout())),
        Command::Man { out } => Some(manual(out.as_deref(), &mut io::stdout())),
        _ => None,
    };
    if let Some(told) = told {
        return match told {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                fail(FAILED, &format!("It cannot be written: {error}."))
            }
            _ => ExitCode::SUCCESS,
        };
    }
    let environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let config = match &line.command {
        Command::Demo(flags) => Some(Config::demo(flags, &environment)),
        Command::Serve { flags, config } => {
            Some(Config::serve(flags, config.as_deref(), &environment))
        }
        _ => None,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(FAILED, &format!("No thread can be started: {error}.")),
    };
    let code = match config {
        Some(Err(error)) => fail(USAGE, &error.to_string()),
        Some(Ok(config)) => {
            log_to_stderr();
            let demo = matches!(line.command, Command::Demo(_));
            match runtime.block_on(process::run(config, demo)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(FAILED, &error.to_string()),
            }
        }
        None => runtime.block_on(ask(line.command)),
    };
    // A thread that is stuck in a call must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

/// Asks a running server.
async fn ask(command: Command) -> ExitCode {
    let remote = match &command {
        Command::Host { remote, .. }
        | Command::Router { remote, .. }
        | Command::Job { remote, .. }
        | Command::Image { remote, .. }
        | Command::Link { remote, .. }
        | Command::Topology { remote, .. }
        | Command::Path { remote, .. }
        | Command::Load { remote, .. }
        | Command::History { remote, .. }
        | Command::Events { remote, .. } => remote,
        Command::Demo(_)
        | Command::Serve { .. }
        | Command::Completion { .. }
        | Command::Man { .. } => return ExitCode::SUCCESS,
    };
    let Remote { server, .. } = remote;
    let client = match Client::new(server, soap::Version::V12) {
        Ok(client) => client,
        Err(error) => return fail(USAGE, &error),
    };
    let caller = Caller::local(Channel::Soap);
    let console = Console {
        terminal: io::stdout().is_terminal(),
        out: &mut io::stdout(),
        confirm: &mut confirm,
        listen: &mut keyboard,
    };
    match execute(command, &client, &caller, console).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ CommandError::Unconfirmed) => fail(USAGE, &error.to_string()),
        Err(error @ CommandError::NotFollowed { .. }) => fail(INTERRUPTED, &error.to_string()),
        // Whoever read the answer has enough: `vms router list | head -1`.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(CommandError::Operation(error)) => fail(FAILED, &sentence(&error)),
        Err(error) => fail(FAILED, &error.to_string()),
    }
}

/// Asks at the terminal; whoever reads the answer from standard output is not disturbed.
fn confirm(question: &str) -> io::Result<Option<bool>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    let answer = answer.trim().to_lowercase();
    Ok(Some(matches!(answer.as_str(), "y" | "yes")))
}

fn fail(code: u8, sentence: &str) -> ExitCode {
    eprintln!("vms: {sentence}");
    ExitCode::from(code)
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}
