//! The fields of what is to be known of an image.

use crate::{
    components::{Field, Tick},
    errands::words,
    moving::words::number,
};
use api::{Driver, ImageDescription, ImageKind};
use leptos::prelude::*;

/// What is filled in.
#[derive(Clone, Copy)]
pub struct Described {
    /// Its name.
    pub name: RwSignal<String>,
    /// Its version.
    pub version: RwSignal<String>,
    /// Its processor architecture.
    pub architecture: RwSignal<String>,
    description: RwSignal<String>,
    drivers: RwSignal<Vec<Driver>>,
    vcpus: RwSignal<String>,
    memory: RwSignal<String>,
    interfaces: RwSignal<String>,
    arguments: RwSignal<String>,
    init: RwSignal<String>,
    ready: RwSignal<String>,
    cloud_init: RwSignal<bool>,
    guest_agent: RwSignal<bool>,
}

impl Described {
    /// As it is.
    pub fn of(known: &ImageDescription) -> Self {
        let text = |text: &Option<String>| RwSignal::new(text.clone().unwrap_or_default());
        let count = |number: Option<u64>| {
            RwSignal::new(number.map_or_else(String::new, |number| number.to_string()))
        };
        Self {
            name: RwSignal::new(known.name.clone()),
            version: RwSignal::new(known.version.clone()),
            architecture: RwSignal::new(known.architecture.clone()),
            description: text(&known.description),
            drivers: RwSignal::new(known.drivers.clone()),
            vcpus: count(known.vcpus.map(u64::from)),
            memory: count(known.memory_bytes.map(|bytes| bytes >> 20)),
            interfaces: count(known.interfaces.map(u64::from)),
            arguments: text(&known.kernel_arguments),
            init: text(&known.init),
            ready: text(&known.ready_text),
            cloud_init: RwSignal::new(known.cloud_init == Some(true)),
            guest_agent: RwSignal::new(known.guest_agent == Some(true)),
        }
    }

    /// What is filled in of an image of this kind, or what is wrong with it.
    pub fn read(self, kind: ImageKind) -> Result<ImageDescription, String> {
        let named = |name: &'static str| move |wrong: String| format!("{name}: {wrong}.");
        let small = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
        for (what, text) in [("name", &self.name), ("version", &self.version)] {
            if text.read().trim().is_empty() {
                return Err(format!("Give it a {what}."));
            }
        }
        Ok(ImageDescription {
            name: self.name.read().trim().to_owned(),
            version: self.version.read().trim().to_owned(),
            description: words::some(&self.description.read()),
            architecture: self.architecture.read().trim().to_owned(),
            drivers: self.drivers.get(),
            vcpus: small(number(&self.vcpus.read(), 1, 1024).map_err(named("Processors"))?),
            memory_bytes: words::mebibytes(&self.memory.read()).map_err(named("Memory"))?,
            interfaces: small(number(&self.interfaces.read(), 0, 16).map_err(named("Interfaces"))?),
            kernel_arguments: words::some(&self.arguments.read())
                .filter(|_| kind == ImageKind::Kernel),
            init: words::some(&self.init.read()).filter(|_| kind == ImageKind::RootFileSystem),
            cloud_init: self.cloud_init.get().then_some(true),
            guest_agent: self.guest_agent.get().then_some(true),
            ready_text: words::some(&self.ready.read()),
        })
    }
}

/// The fields.
#[component]
pub fn DescriptionFields(
    /// What is filled in.
    form: Described,
    /// The image's kind.
    #[prop(into)]
    kind: Signal<ImageKind>,
    /// Whether the details are shown at once.
    #[prop(default = false)]
    open: bool,
) -> impl IntoView {
    let driver = move |driver: Driver| {
        let value = form.drivers;
        view! {
            <label class="tick">
                <input
                    type="checkbox"
                    prop:checked=move || value.with(|all| all.contains(&driver))
                    on:change=move |event| value.update(|all| {
                        all.retain(|one| *one != driver);
                        if event_target_checked(&event) {
                            all.push(driver);
                        }
                    })
                />
                <span>{driver.as_str()}</span>
            </label>
        }
    };
    view! {
        <div class="fields">
            <Field label="Name" value=form.name/>
            <Field label="Version" value=form.version/>
            <Field label="Architecture" value=form.architecture usual="x86_64"/>
        </div>
        <details class="part" open=open>
            <summary>"More about it"</summary>
            <label class="line">
                <span>"Description"</span>
                <textarea rows="2" prop:value=form.description on:input=move |event| form.description.set(event_target_value(&event))></textarea>
            </label>
            <div class="fields">
                <Field label="Processors" hint="of a router" value=form.vcpus usual="1" number=true/>
                <Field label="Memory" hint="MiB" value=form.memory usual="128" number=true/>
                <Field label="Interfaces" hint="proposed" value=form.interfaces usual="0" number=true/>
                <Show when=move || kind.get() == ImageKind::Kernel>
                    <Field label="Arguments of the kernel" value=form.arguments usual="console=ttyS0" class="wide"/>
                </Show>
                <Show when=move || kind.get() == ImageKind::RootFileSystem>
                    <Field label="First program" value=form.init usual="/sbin/init"/>
                </Show>
                <Field label="Ready once it writes" value=form.ready usual="login:"/>
            </div>
            <Tick value=form.cloud_init>"It reads a cloud-init seed"</Tick>
            <Tick value=form.guest_agent>"QEMU's guest agent runs in it"</Tick>
            <fieldset class="choices in-line">
                <legend>"Only for these drivers of hosts; for all that its kind suits if none"</legend>
                {Driver::ALL.map(driver).into_iter().collect_view()}
            </fieldset>
        </details>
    }
    .into_any()
}
