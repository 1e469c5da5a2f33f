//! Differences and their sentences, by example.

use crate::fleet::{With, bridge, host, link};
use std::slice;

use model::{ChangeKind, Contact, Difference, ElementKind, HostReport, RouterState, Topology};

fn sentences(old: &[HostReport], new: &[HostReport]) -> Vec<String> {
    let (old, new) = (Topology::derive(old, &[]), Topology::derive(new, &[]));
    Difference::between(&old, &new)
        .describe(&old, &new)
        .into_iter()
        .map(|described| described.sentence)
        .collect()
}

#[test]
fn a_suspended_router_reads_as_a_person_would_say_it() {
    let rio = host("rio")
        .router(1, vec![bridge("br0")])
        .router(2, vec![bridge("br0")]);
    let then = rio.clone().state(1, RouterState::Suspended);
    assert_eq!(
        sentences(&[rio], &[then]),
        [
            "router r1 on rio went from running to suspended",
            "link between r1 and r2 went down"
        ]
    );
}

#[test]
fn arrivals_and_departures_have_names() {
    let one = host("rio").router(1, vec![bridge("br0")]);
    let two = one.clone().router(2, vec![bridge("br0")]);
    assert_eq!(
        sentences(slice::from_ref(&one), slice::from_ref(&two)),
        [
            "router r2 appeared on rio (running)",
            "segment br0 gained r2",
            "link between r1 and r2 appeared"
        ]
    );
    assert_eq!(
        sentences(&[two], &[one]),
        [
            "router r2 is gone from rio",
            "segment br0 lost r2",
            "link between r1 and r2 is gone"
        ]
    );
}

#[test]
fn a_lost_host_says_why_and_its_routers_stay() {
    let rio = host("rio").router(1, vec![bridge("br0")]);
    let mut lost = rio.clone();
    lost.set_contact(Contact::Unreachable);
    lost.endpoints[0].message = Some("the connection was refused".to_owned());
    assert_eq!(
        sentences(&[rio], &[lost]),
        ["host rio went from online to unreachable (the connection was refused)"]
    );
}

#[test]
fn times_are_no_change() {
    let rio = host("rio").router(1, vec![bridge("br0")]);
    let mut later = rio.clone();
    later.inventory().as_of = jiff::Timestamp::now();
    assert_eq!(sentences(&[rio], &[later]), Vec::<String>::new());
}

#[test]
fn every_change_names_its_element() {
    let reports = [host("rio"), host("sao")];
    let old = Topology::derive(&reports, &[]);
    let new = Topology::derive(&reports, &[link(("rio", "eth0"), ("sao", "eth0"))]);
    let difference = Difference::between(&old, &new);
    let described = difference.describe(&old, &new);
    assert_eq!(described.len(), 3);
    assert_eq!(described[0].element, ElementKind::Host);
    assert_eq!(described[0].change, ChangeKind::Changed);
    assert_eq!(
        described[0].sentence,
        "host rio has other network interfaces"
    );
    assert_eq!(described[2].element, ElementKind::Link);
    assert_eq!(described[2].id, "physical:rio/eth0--sao/eth0");
    assert_eq!(
        described[2].sentence,
        "physical link between rio eth0 and sao eth0 appeared"
    );
}
