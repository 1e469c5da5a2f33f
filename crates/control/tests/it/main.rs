//! The control as its callers see it, over libvirt's test driver.

mod acting;
mod history;
mod hosts;
mod images;
mod life;
mod moving;
mod paths;
mod provisioning;
mod support;
mod topology;
mod world;
