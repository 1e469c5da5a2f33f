//! Networks of a host.

use libvirt::{ErrorKind, NetworkXml};

use crate::fleet::host;

#[tokio::test]
async fn a_network_is_defined_started_stopped_and_undefined() {
    let host = host().await;
    let connection = &host.connection;
    let before = connection.list_networks().await.unwrap().len();
    assert_eq!(connection.network("vms-1").await, Ok(None));
    let mut definition = NetworkXml::isolated("vms-1", "vms3");
    definition.mtu = Some(1450);
    let defined = connection.define_network(&definition).await.unwrap();
    assert_eq!(
        (defined.name.as_str(), defined.bridge.as_deref()),
        ("vms-1", Some("vms3"))
    );
    assert!(!defined.active && !defined.autostart);
    assert_eq!(defined.definition.ips, []);
    assert_eq!(
        (defined.definition.dns, defined.definition.mtu),
        (Some(false), Some(1450))
    );
    let found = connection.network("vms-1").await;
    assert_eq!(found, Ok(Some(defined)));
    connection
        .set_network_autostart("vms-1", true)
        .await
        .unwrap();
    connection.start_network("vms-1").await.unwrap();
    let up = connection.network("vms-1").await.unwrap().unwrap();
    assert!(up.active && up.autostart);
    connection.stop_network("vms-1").await.unwrap();
    let down = connection.network("vms-1").await.unwrap().unwrap();
    assert!(!down.active);
    connection.undefine_network("vms-1").await.unwrap();
    assert_eq!(connection.network("vms-1").await, Ok(None));
    assert_eq!(connection.list_networks().await.unwrap().len(), before);
}

#[tokio::test]
async fn a_network_in_the_wrong_state_or_with_the_name_of_another_is_a_conflict() {
    let host = host().await;
    let connection = &host.connection;
    let mut same_name = NetworkXml::isolated("transit", "vms3");
    same_name.uuid = Some(uuid::Uuid::from_u128(1));
    let again = [
        connection.start_network("transit").await.unwrap_err(),
        connection.define_network(&same_name).await.unwrap_err(),
    ];
    for error in again {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
}

#[tokio::test]
async fn a_network_that_is_not_there_is_not_found() {
    let host = host().await;
    let connection = &host.connection;
    let errors = [
        connection.start_network("other").await.unwrap_err(),
        connection.stop_network("other").await.unwrap_err(),
        connection.undefine_network("other").await.unwrap_err(),
        connection
            .set_network_autostart("other", true)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    let nameless = connection
        .define_network(&NetworkXml::new(""))
        .await
        .unwrap_err();
    assert_eq!(nameless.kind(), ErrorKind::InvalidArgument, "{nameless}");
}
