//! A router's console at a terminal: every key goes to the router, but the one that leaves.

use super::commands::{CommandError, Console, find_router};
use api::{ByteStream, Caller, Operations};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use rustix::termios::{self, OptionalActions, Termios};
use std::{
    io::{self, IsTerminal as _, Read as _, Write},
    thread,
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

/// The key that leaves, Ctrl-], as it comes from a terminal in raw mode.
const LEAVE: u8 = 0x1d;

/// Where what is typed comes from.
pub struct Keyboard {
    /// What is typed.
    pub typed: ByteStream,
    /// Whether it is a terminal, which is as it was before once this is dropped.
    pub terminal: Option<RawTerminal>,
}

/// Begins to listen to the keyboard.
pub type Listen<'a> = &'a mut (dyn FnMut() -> io::Result<Keyboard> + Send);

/// A terminal in raw mode: it echoes nothing, waits for no line and knows no signal.
#[derive(Debug)]
pub struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    fn enter() -> io::Result<Self> {
        let input = io::stdin();
        let before = termios::tcgetattr(&input)?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&input, OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // What is left of the terminal is all there would be to tell it on.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Listens to standard input.
///
/// # Errors
/// The terminal cannot be put into raw mode.
pub fn keyboard() -> io::Result<Keyboard> {
    let terminal = io::stdin().is_terminal();
    let terminal = terminal.then(RawTerminal::enter).transpose()?;
    let (typed, keys) = mpsc::channel(4);
    // Reading a terminal cannot be given up; the process does not wait for the thread.
    thread::Builder::new()
        .name("keyboard".to_owned())
        .spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = io::stdin().read(&mut buffer) {
                let keys = Bytes::copy_from_slice(&buffer[..read]);
                if typed.blocking_send(Ok(keys)).is_err() {
                    return;
                }
            }
        })?;
    Ok(Keyboard {
        typed: ReceiverStream::new(keys).boxed(),
        terminal,
    })
}

/// Opens the console of a router and is its terminal until that ends, or the user leaves.
pub(super) async fn converse(
    router: &str,
    operations: &dyn Operations,
    caller: &Caller,
    console: Console<'_>,
) -> Result<(), CommandError> {
    let Console { out, listen, .. } = console;
    let id = find_router(operations, caller, router).await?;
    // The keyboard is listened to once there is something to type into.
    let (give, keys) = oneshot::channel::<ByteStream>();
    let input = stream::once(keys)
        .filter_map(async |keys| keys.ok())
        .flatten();
    let said = operations.open_console(caller, id, input.boxed()).await?;
    let Keyboard { typed, terminal } = listen()?;
    let is_terminal = terminal.is_some();
    let typed = if is_terminal {
        write!(
            out,
            "This is the console of {router}; Ctrl-] leaves it.\r\n"
        )?;
        out.flush()?;
        until_left(typed)
    } else {
        // What follows the end of a file is for whoever interrupts to decide.
        typed.chain(stream::pending()).boxed()
    };
    // Nobody takes it where the console has just ended.
    let _ = give.send(typed);
    let end = show(said, out).await;
    drop(terminal);
    if is_terminal {
        writeln!(out, "\nThe console of {router} is closed.")?;
    }
    end
}

async fn show(mut said: ByteStream, out: &mut (dyn Write + Send)) -> Result<(), CommandError> {
    while let Some(said) = said.next().await {
        out.write_all(&said.map_err(CommandError::ConsoleBroke)?)?;
        out.flush()?;
    }
    Ok(())
}

/// What is typed before the key that leaves.
fn until_left(typed: ByteStream) -> ByteStream {
    stream::unfold(Some(typed), async |typed| {
        let mut typed = typed?;
        let mut keys = match typed.next().await? {
            Ok(keys) => keys,
            broken => return Some((broken, None)),
        };
        let left = keys.iter().position(|&key| key == LEAVE);
        keys.truncate(left.unwrap_or(keys.len()));
        Some((Ok(keys), left.is_none().then_some(typed)))
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passed(typed: &[&'static str]) -> (String, bool) {
        let typed: Vec<_> = (typed.iter())
            .map(|keys| Ok(Bytes::from_static(keys.as_bytes())))
            .collect();
        let mut passed = until_left(stream::iter(typed).chain(stream::pending()).boxed());
        let mut text = String::new();
        let mut all = async || {
            while let Some(keys) = passed.next().await {
                text += std::str::from_utf8(&keys.unwrap()).unwrap();
            }
        };
        let soon = std::time::Duration::from_millis(50);
        let ended = tokio::time::timeout(soon, all()).await.is_ok();
        (text, ended)
    }

    #[tokio::test]
    async fn the_key_that_leaves_ends_it_at_once_and_is_not_passed_on() {
        assert_eq!(passed(&["ab", "c"]).await, ("abc".to_owned(), false));
        let (text, ended) = passed(&["ab", "c\u{1d}d", "e"]).await;
        assert_eq!((text.as_str(), ended), ("abc", true));
        let (text, ended) = passed(&["\u{1d}"]).await;
        assert_eq!((text.as_str(), ended), ("", true));
    }

    #[tokio::test]
    async fn what_a_console_says_is_shown_until_it_breaks() {
        let mut out = Vec::new();
        let said = [Ok("a".into()), Err("It broke.".to_owned())];
        let end = show(stream::iter(said).boxed(), &mut out).await;
        assert_eq!(end.unwrap_err().to_string(), "It broke.");
        assert_eq!(out, b"a");
    }
}
