//! The form that takes a host into the fleet.

use super::{check::checked, in_words};
use crate::{
    components::Act,
    endpoint,
    server_functions::{CheckHost, HostTable, RegisterHost, check_host},
};
use api::{CheckHostReply, Driver, EndpointAddress, RegisterHostReply, Transport};
use leptos::{html, prelude::*};

/// A host has one endpoint for each driver that runs on it.
const MOST_ENDPOINTS: usize = Driver::ALL.len();

/// A button that opens the form.
#[component]
pub fn AddHost(
    /// The fleet; what is added appears in it at once.
    table: RwSignal<HostTable>,
    /// What was done last.
    done: RwSignal<String>,
) -> impl IntoView {
    let register = Act::of::<RegisterHost>();
    let (frame, form) = (
        NodeRef::<html::Details>::new(),
        NodeRef::<html::Form>::new(),
    );
    let count = RwSignal::new(1_usize);
    // What the form holds.
    let typed = RwSignal::new(Vec::<EndpointAddress>::new());
    let read = move || typed.set(endpoints_in(form));
    // A browser may have filled in what was there before a reload.
    Effect::new(read);
    let registered = move |reply: RegisterHostReply| {
        done.set(format!(
            "{} is registered; VMS connects to it.",
            reply.host.name
        ));
        table.update(|table| {
            if !table.hosts.iter().any(|host| host.id == reply.host.id) {
                table.hosts.push(reply.host);
                table.hosts.sort_by(|a, b| a.id.cmp(&b.id));
            }
        });
        count.set(1);
        begin_anew(frame, form);
        read();
    };
    // Open where there is nothing else to do, and where a form without script came back.
    let open = table.with_untracked(|table| table.hosts.is_empty())
        || register.failure.with_untracked(Option::is_some);
    let fields = view! {
        <div class="fields">
            <label>
                <span>"Id " <small>"letters, digits, . _ -"</small></span>
                <input
                    name="host"
                    required
                    maxlength="64"
                    pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*"
                    title="Letters, digits, dots, underscores and hyphens, a letter or digit first"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                />
            </label>
            <label>
                <span>"Name " <small>"for people; the id if empty"</small></span>
                <input name="name" autocomplete="off"/>
            </label>
            <label>
                <span>"Site " <small>"where it stands"</small></span>
                <input name="site" autocomplete="off"/>
            </label>
        </div>
        {move || (0..count.get()).map(|index| endpoint_fields(index, typed)).collect_view()}
        <p class="more">
            <button
                type="button"
                class="plain"
                hidden=move || count.get() == MOST_ENDPOINTS
                on:click=move |_| count.update(|count| *count += 1)
            >
                "Add another driver"
            </button>
            <button
                type="button"
                class="plain"
                hidden=move || count.get() == 1
                on:click=move |_| count.update(|count| *count -= 1)
            >
                "Remove the last one"
            </button>
        </p>
        {move || register.failure.get().map(|failure| view! {
            <p class="notice" role="alert">{in_words(&failure)}</p>
        })}
        <div class="acts">
            <button type="submit" class="act primary" disabled=register.pending>"Add host"</button>
            <span class="hint">
                "VMS connects at once, and tries again until it succeeds or the host is removed."
            </span>
        </div>
    };
    view! {
        <details class="add" node_ref=frame open=open on:input=move |_| read()>
            <summary class="act primary">
                <span class="when-closed">"Add host"</span>
                <span class="when-open">"Close"</span>
            </summary>
            {register.form::<RegisterHost>(form, registered, fields.into_any())}
        </details>
    }
    .into_any()
}

/// The fields of one endpoint, the URI that results, and what comes of trying it.
fn endpoint_fields(index: usize, typed: RwSignal<Vec<EndpointAddress>>) -> AnyView {
    let check = Act::of::<CheckHost>();
    let answer = RwSignal::new(None::<(EndpointAddress, CheckHostReply)>);
    let present = move || {
        let typed = typed.with(|typed| typed.get(index).cloned());
        endpoint::fitting(typed.unwrap_or(endpoint::BLANK))
    };
    let try_it = move |_| {
        let endpoint = present();
        answer.set(None);
        check.run(check_host(endpoint.clone()), move |reply| {
            answer.set(Some((endpoint, reply)));
        });
    };
    let cannot = move || {
        let present = present();
        check.pending.get() || present.transport != Transport::Local && present.address.is_none()
    };
    let name = move |field: &str| format!("endpoints[{index}][{field}]");
    let text = move |field: &str| {
        view! {
            <input name=name(field) autocomplete="off" autocapitalize="off" spellcheck="false"/>
        }
        .into_any()
    };
    let legend = if index == 0 {
        "Endpoint".to_owned()
    } else {
        format!("Endpoint {}", index + 1)
    };
    view! {
        <fieldset class="endpoint">
            <legend>{legend}</legend>
            <div class="fields">
                <label>
                    <span>"Driver"</span>
                    <select name=name("driver")>
                        {Driver::ALL.map(|driver| choice(driver.as_str(), driver_name(driver)))}
                    </select>
                </label>
                <label>
                    <span>"Transport"</span>
                    <select name=name("transport")>
                        {Transport::ALL.map(|transport| choice(transport.as_str(), transport_name(transport)))}
                    </select>
                </label>
                <label class="remote wide">
                    <span>"Address " <small>"host name or IP address"</small></span>
                    {text("address")}
                </label>
                <label class="remote">
                    <span>"Port"</span>
                    <input
                        name=name("port")
                        type="number"
                        min="1"
                        max="65535"
                        placeholder=move || usual_port(present().transport)
                    />
                </label>
                <label class="by-ssh"><span>"User"</span>{text("user")}</label>
                <label class="by-ssh"><span>"Key " <small>"by its name"</small></span>{text("key")}</label>
                <p class="hint by-ssh">
                    "The key of this name in keys/ of the server's data directory, or those of the server's user. The host's own key must be known: in ssh/known_hosts there, or to that user."
                </p>
                <p class="hint by-tls">
                    "Both sides show certificates; the server's are in pki/ of its data directory."
                </p>
                <p class="notice by-tcp">
                    "Neither encrypted nor authenticated: whoever reaches that port rules the host. Only for a network that nobody else reaches."
                </p>
                <p class="hint by-local">"The machine that VMS itself runs on."</p>
            </div>
            <div class="uri">
                <span aria-hidden="true">"URI"</span>
                <output class="mono break" aria-label="The libvirt URI">{move || endpoint::uri(&present())}</output>
                <button type="button" class="act small scripted" disabled=cannot on:click=try_it>"Check"</button>
            </div>
            <div class="checked" role="status">
                {move || check.pending.get().then(|| view! { <p class="working">"Trying it, step by step…"</p> })}
                {move || check.failure.get().map(|failure| view! { <p class="notice">{in_words(&failure)}</p> })}
                // Of another endpoint than the one that stands there now, nothing is said.
                {move || answer.with(|answer| {
                    let (of, reply) = answer.as_ref()?;
                    (*of == present()).then(|| checked(reply))
                })}
            </div>
        </fieldset>
    }
    .into_any()
}

fn choice(value: &'static str, name: &'static str) -> AnyView {
    view! { <option value=value>{name}</option> }.into_any()
}

fn driver_name(driver: Driver) -> &'static str {
    match driver {
        Driver::Qemu => "QEMU/KVM",
        Driver::Xen => "Xen",
        Driver::Lxc => "LXC containers",
        Driver::Test => "test (made up)",
    }
}

fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Ssh => "SSH",
        Transport::Tls => "TLS",
        Transport::Tcp => "TCP, unprotected",
        Transport::Local => "this machine",
    }
}

fn usual_port(transport: Transport) -> &'static str {
    match transport {
        Transport::Ssh => "22",
        Transport::Tls => "16514",
        Transport::Tcp => "16509",
        Transport::Local => "",
    }
}

/// The endpoints that the form holds; none while it cannot be read.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn endpoints_in(form: NodeRef<html::Form>) -> Vec<EndpointAddress> {
    #[cfg(feature = "hydrate")]
    {
        use leptos::form::FromFormData as _;
        let data = form
            .get_untracked()
            .and_then(|form| web_sys::FormData::new_with_form(&form).ok());
        let arguments = data.and_then(|data| RegisterHost::from_form_data(&data).ok());
        arguments.map_or_else(Vec::new, |arguments| arguments.endpoints)
    }
    #[cfg(not(feature = "hydrate"))]
    Vec::new()
}

/// Empties the form and closes it; the focus goes to the button that opens it.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
fn begin_anew(frame: NodeRef<html::Details>, form: NodeRef<html::Form>) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        if let Some(form) = form.get_untracked() {
            form.reset();
        }
        if let Some(frame) = frame.get_untracked() {
            // What cannot be closed or focused stays as it is.
            let _ = frame.remove_attribute("open");
            let summary = frame
                .first_element_child()
                .and_then(|first| first.dyn_into::<web_sys::HtmlElement>().ok());
            if let Some(summary) = summary {
                let _ = summary.focus();
            }
        }
    }
}
