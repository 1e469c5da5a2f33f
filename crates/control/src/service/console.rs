//! Consoles of routers: from here on it is bytes, both ways.

use super::{State, errors, once::Once};
use crate::fleet::{Failure, can};
use api::{ByteStream, Caller, Error, NotSupported, Role, RouterId};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use libvirt::{Capability, ConsoleData, ConsoleReader, ConsoleWriter, DomainXml};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Opens the console of a router: an act, which is written down as any other.
pub(crate) async fn open(
    once: &Once,
    state: &Arc<State>,
    caller: &Caller,
    router: RouterId,
    input: ByteStream,
) -> Result<ByteStream, Error> {
    let act = once.act(caller, "OpenConsole", router.to_string(), None);
    let (give, opened) = oneshot::channel();
    let state = Arc::clone(state);
    act.carry_out(Role::Operator, async move {
        let console = at_host(&state, router).await?;
        // Dropped, and so closed, if nobody waits for it any longer.
        let _ = give.send(console);
        Ok(())
    })
    .await?;
    let opened = opened.await;
    let (console, parting) =
        opened.map_err(|error| errors::internal("the console was not opened", &error))?;
    let (writer, reader) = console.split();
    Ok(joined(writer, reader, input, parting))
}

/// The console, and what is cancelled when its host is let go.
async fn at_host(
    state: &State,
    id: RouterId,
) -> Result<(libvirt::Console, CancellationToken), Error> {
    let view = state.view();
    let router = Arc::clone(view.find(id)?);
    let source = view.source(&router);
    let name = &router.domain.name;
    let driver = router.domain.driver;
    let unable = |message: String| {
        Error::from(NotSupported {
            driver: driver.as_str().to_owned(),
            message,
        })
    };
    if !can(driver, Capability::Console) {
        return Err(unable(format!(
            "libvirt's {} driver has no consoles, so router {name} has none",
            driver.as_str()
        )));
    }
    if !source.current {
        let host = view.topology().hosts.get(&router.host);
        let why = host.and_then(|host| host.message.as_deref());
        return Err(errors::unreachable(&source.host, source.as_of, why));
    }
    let failed = |failure| errors::from_host(failure, &router, source.as_of);
    let connection = state.fleet.connection(&router.host, driver).await;
    let connection = connection.map_err(failed)?;
    // As it is now: it may have been started since, and its definition is not all in the inventory.
    let now = connection.domain(id.0).await;
    let now = now.map_err(|error| failed(Failure::Libvirt(error)))?;
    let now = now.ok_or_else(|| errors::no_router(id))?;
    if !now.state.is_active() {
        return Err(errors::conflict(format!(
            "router {name} does not run, and so has no console to look at: start it first"
        )));
    }
    if !has_console(&now.definition) {
        return Err(unable(format!(
            "router {name} has no console that can be reached from here. Give its definition \
             <serial type='pty'/> (a container: <console type='pty'/>), and start it anew"
        )));
    }
    let parting = state.fleet.parting(&router.host).map_err(failed)?;
    let opened = connection.open_console(id.0, None, true).await;
    let opened = opened.map_err(|error| failed(Failure::Libvirt(error)))?;
    Ok((opened, parting))
}

/// Whether the first console, which is the one that is opened, ends at a terminal of the host.
fn has_console(definition: &DomainXml) -> bool {
    let mut all = definition.consoles.iter().chain(&definition.serials);
    all.next().is_some_and(|first| first.kind == "pty")
}

/// What a console gives while `input` goes into it, until either ends, or its host is let go.
fn joined(
    writer: ConsoleWriter,
    reader: ConsoleReader,
    mut input: ByteStream,
    parting: CancellationToken,
) -> ByteStream {
    let feed = tokio::spawn(async move {
        while let Some(Ok(typed)) = input.next().await {
            if writer.send(typed).await.is_err() {
                // It ended: its last words are still to be read.
                std::future::pending::<()>().await;
            }
        }
    });
    let next = async |(reader, parting): (Option<ConsoleReader>, CancellationToken)| {
        let mut reader = reader?;
        let Some(data) = parting.run_until_cancelled(reader.next()).await else {
            let sentence = "VMS has let the host go, and its consoles with it.";
            return Some((Err(sentence.to_owned()), (None, parting)));
        };
        let told = data?.map(told).map_err(|error| error.to_string());
        Some((told, (Some(reader), parting)))
    };
    stream::unfold((Some(reader), parting), next)
        // Dropped, it takes the other direction along.
        .take_until(AbortOnDropHandle::new(feed))
        .boxed()
}

fn told(data: ConsoleData) -> Bytes {
    match data {
        ConsoleData::Bytes(bytes) => bytes,
        ConsoleData::Lost(bytes) => {
            format!("\r\n[{bytes} bytes came faster than they were read, and are left out]\r\n")
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_is_a_terminal_of_the_host() {
        for (devices, expected) in [
            ("", false),
            ("<serial type='pty'/>", true),
            ("<console type='pty'/>", true),
            ("<serial type='file'><source path='/log'/></serial>", false),
            (
                "<serial type='file'/><console type='file'/><serial type='pty'/>",
                false,
            ),
        ] {
            let xml = format!("<domain><devices>{devices}</devices></domain>");
            let definition = DomainXml::parse(&xml).unwrap();
            assert_eq!(has_console(&definition), expected, "{devices}");
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let said = told(ConsoleData::Lost(7));
        assert!(said.starts_with(b"\r\n[7 bytes "), "{said:?}");
        assert_eq!(told(ConsoleData::Bytes("a".into())), "a");
    }
}
