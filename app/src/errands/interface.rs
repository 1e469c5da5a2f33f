//! Asks about one more interface of a router, or one less.

use super::{Errands, Named, words};
use crate::{
    components::{Act, Dialog, DialogFoot, Field, Select, close},
    jobs::Desk,
    server_functions::{Attachments, attach_interface, attachments, detach_interface},
};
use api::{
    AttachInterfaceReply, AttachInterfaceRequest, DetachInterfaceReply, DetachInterfaceRequest,
    MacAddress, NewInterface,
};
use leptos::{html, prelude::*, task::spawn_local};

/// What there is to connect an interface to: values (`network:default`) and words.
pub fn choices(networks: &[String], bridges: &[String]) -> Vec<(String, String)> {
    let networks = networks.iter().map(|name| ("network", name));
    let bridges = bridges.iter().map(|name| ("bridge", name));
    networks
        .chain(bridges)
        .map(|(kind, name)| (format!("{kind}:{name}"), format!("{name} ({kind})")))
        .collect()
}

/// The interface that fields describe, or what is wrong with them.
pub fn interface(to: &str, mac: &str, addresses: &str) -> Result<NewInterface, String> {
    let (network, bridge) = match to.split_once(':') {
        Some(("network", name)) => (Some(name.to_owned()), None),
        Some(("bridge", name)) => (None, Some(name.to_owned())),
        _ => return Err("Choose what the interface is connected to.".to_owned()),
    };
    let mac = words::some(mac)
        .map(|mac| {
            mac.parse::<MacAddress>()
                .map_err(|_| format!("{mac:?} is no MAC address."))
        })
        .transpose()?;
    let addresses = words::list(addresses);
    if let Some(wrong) = addresses.iter().find(|address| !address.contains('/')) {
        return Err(format!(
            "{wrong}: an address with its prefix length was expected, for example 10.0.0.1/24."
        ));
    }
    Ok(NewInterface {
        network,
        bridge,
        mac,
        addresses,
    })
}

/// Asks what a new interface is connected to, and makes it.
#[component]
pub fn AttachDialog(
    /// The router.
    router: Named,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let (id, name) = router;
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let (to, mac, addresses) = (
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
        RwSignal::new(String::new()),
    );
    let known = RwSignal::new(None::<Attachments>);
    spawn_local(async move {
        let found = attachments(id).await.unwrap_or_default();
        if let Some((first, _)) = choices(&found.networks, &found.bridges).first() {
            to.try_set(first.clone());
        }
        known.try_set(Some(found));
    });
    let options = Signal::derive(move || {
        known.with(|known| {
            known
                .as_ref()
                .map(|known| choices(&known.networks, &known.bridges))
                .unwrap_or_default()
        })
    });
    let wanted = Memo::new(move |_| interface(&to.read(), &mac.read(), &addresses.read()));
    let why_not = Memo::new(move |_| {
        if act.pending.get() {
            return Some("It is being asked for…".to_owned());
        }
        if known.with(Option::is_none) {
            return Some("The host's networks are being read.".to_owned());
        }
        if options.with(Vec::is_empty) {
            return Some("No network and no bridge is known of its host.".to_owned());
        }
        wanted.with(|wanted| wanted.as_ref().err().cloned())
    });
    let submit = move |()| {
        let (Ok(interface), None) = (wanted.get_untracked(), why_not.get_untracked()) else {
            return;
        };
        let request = AttachInterfaceRequest {
            router: id,
            interface,
            request_id: None,
        };
        act.run(
            attach_interface(request),
            move |reply: AttachInterfaceReply| {
                desk.tell(None, true, reply.message);
                close(frame);
            },
        );
    };
    view! {
        <Dialog
            eyebrow="New interface"
            title=Signal::stored(name)
            frame
            closed=move |()| errands.wanted.set(None)
            submit
        >
            <div class="fields">
                <Select label="Connected to" hint="of its host" value=to options/>
                <Field label="MAC address" value=mac usual="one that nobody has"/>
                <Field label="Addresses" hint="with prefix lengths" value=addresses usual="none"/>
            </div>
            <p class="hint">"Addresses reach systems that read a cloud-init seed, or the arguments of their kernel. A link to another router needs no interface made here: it brings its own."</p>
            <DialogFoot label="Attach" why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}

/// Asks whether an interface shall go.
#[component]
pub fn DetachDialog(
    /// The router.
    router: Named,
    /// The interface.
    mac: MacAddress,
    /// Where it leads.
    leads: String,
) -> impl IntoView {
    let errands = expect_context::<Errands>();
    let desk = expect_context::<Desk>();
    let (id, name) = router;
    let frame = NodeRef::<html::Dialog>::new();
    let act = Act::default();
    let why_not = Memo::new(move |_| {
        act.pending
            .get()
            .then(|| "It is being asked for…".to_owned())
    });
    let submit = move |()| {
        let request = DetachInterfaceRequest {
            router: id,
            mac,
            request_id: None,
        };
        act.run(
            detach_interface(request),
            move |reply: DetachInterfaceReply| {
                desk.tell(None, true, reply.message);
                close(frame);
            },
        );
    };
    view! {
        <Dialog
            eyebrow="Take an interface away"
            title=Signal::stored(name)
            frame
            closed=move |()| errands.wanted.set(None)
            submit
        >
            <p class="lead">
                "The interface to " <strong>{leads}</strong> " (" <span class="mono">{mac.to_string()}</span>
                ") goes, with its addresses. What it carried stops."
            </p>
            <DialogFoot label="Take away" danger=true why_not failure=act.failure frame/>
        </Dialog>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_of_one_thing() {
        let one = interface("network:default", "", "10.0.0.1/24").unwrap();
        assert_eq!(
            (one.network.as_deref(), one.bridge),
            (Some("default"), None)
        );
        assert_eq!(one.addresses, ["10.0.0.1/24"]);
        let one = interface("bridge:br0", "52:54:00:00:00:01", "").unwrap();
        assert_eq!((one.network, one.bridge.as_deref()), (None, Some("br0")));
        assert!(one.mac.is_some());
        for (to, mac, addresses) in [
            ("", "", ""),
            ("bridge:b", "x", ""),
            ("bridge:b", "", "10.0.0.1"),
        ] {
            assert!(interface(to, mac, addresses).is_err());
        }
    }
}
