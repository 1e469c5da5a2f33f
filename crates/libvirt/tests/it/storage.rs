//! Storage pools and volumes.

use libvirt::{Connection, ErrorKind, PoolState, PoolXml, VolumeXml};

use crate::fleet::host;

/// A pool that is started and empty.
async fn pool(connection: &Connection, name: &str) -> PoolXml {
    let mut definition = PoolXml::new("dir", name);
    definition.path = Some(format!("/{name}"));
    let pool = connection.define_pool(&definition).await.unwrap();
    assert_eq!(pool.state, PoolState::Inactive);
    assert!(pool.persistent && !pool.autostart);
    connection.build_pool(name).await.unwrap();
    connection.start_pool(name).await.unwrap();
    definition
}

#[tokio::test]
async fn a_pool_is_defined_started_listed_stopped_and_undefined() {
    let host = host().await;
    let connection = &host.connection;
    assert_eq!(connection.list_pools().await, Ok(Vec::new()));
    assert_eq!(connection.pool("images").await, Ok(None));
    let definition = pool(connection, "images").await;
    connection.set_pool_autostart("images", true).await.unwrap();
    let listed = connection.list_pools().await.unwrap();
    let [pool] = listed.as_slice() else {
        panic!("one pool expected: {listed:?}");
    };
    assert_eq!(connection.pool("images").await, Ok(Some(pool.clone())));
    assert_eq!((pool.state, pool.autostart), (PoolState::Running, true));
    assert!(pool.state.is_active());
    assert_eq!(pool.definition.path, definition.path);
    assert_eq!(pool.definition.uuid, Some(pool.uuid));
    assert!(pool.capacity_bytes > 0);
    assert_eq!(
        pool.available_bytes,
        pool.capacity_bytes - pool.allocation_bytes
    );
    connection.refresh_pool("images").await.unwrap();
    connection.stop_pool("images").await.unwrap();
    let stopped = connection.pool("images").await.unwrap().unwrap();
    assert_eq!(stopped.state, PoolState::Inactive);
    connection.delete_pool("images").await.unwrap();
    connection.undefine_pool("images").await.unwrap();
    assert_eq!(connection.list_pools().await, Ok(Vec::new()));
}

#[tokio::test]
async fn volumes_are_created_listed_and_deleted() {
    let host = host().await;
    let connection = &host.connection;
    pool(connection, "images").await;
    assert_eq!(connection.list_volumes("images").await, Ok(Vec::new()));
    let mut definition = VolumeXml::new("edge-1.raw", 64 << 20);
    definition.allocation_bytes = Some(1 << 20);
    definition.format = Some("raw".to_owned());
    let created = connection
        .create_volume("images", &definition)
        .await
        .unwrap();
    assert_eq!(
        (created.pool.as_str(), created.name.as_str()),
        ("images", "edge-1.raw")
    );
    assert_eq!(created.path, "/images/edge-1.raw");
    assert_eq!(
        (created.capacity_bytes, created.allocation_bytes),
        (64 << 20, 1 << 20)
    );
    let second = VolumeXml::new("edge-2.raw", 1 << 20);
    connection.create_volume("images", &second).await.unwrap();
    let mut listed = connection.list_volumes("images").await.unwrap();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!((listed.len(), &listed[0]), (2, &created));
    let found = connection.volume("images", "edge-1.raw").await;
    assert_eq!(found, Ok(Some(created)));
    let used = connection.pool("images").await.unwrap().unwrap();
    assert_eq!(used.allocation_bytes, 2 << 20);
    connection
        .delete_volume("images", "edge-1.raw")
        .await
        .unwrap();
    assert_eq!(connection.volume("images", "edge-1.raw").await, Ok(None));
    assert_eq!(connection.list_volumes("images").await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let host = host().await;
    let connection = &host.connection;
    pool(connection, "images").await;
    let volume = VolumeXml::new("v", 1);
    let errors = [
        connection.start_pool("other").await.unwrap_err(),
        connection.list_volumes("other").await.unwrap_err(),
        connection
            .create_volume("other", &volume)
            .await
            .unwrap_err(),
        connection
            .delete_volume("images", "other")
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    assert_eq!(connection.volume("other", "v").await, Ok(None));
}

#[tokio::test]
async fn a_pool_in_the_wrong_state_is_a_conflict() {
    let host = host().await;
    let connection = &host.connection;
    pool(connection, "images").await;
    let again = connection.start_pool("images").await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict, "{again}");
    connection.stop_pool("images").await.unwrap();
    let errors = [
        connection.list_volumes("images").await.unwrap_err(),
        connection.refresh_pool("images").await.unwrap_err(),
        connection.stop_pool("images").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    }
}

#[tokio::test]
async fn a_definition_that_makes_no_sense_is_refused() {
    let host = host().await;
    let nonsense = PoolXml::new("pond", "images");
    let error = host.connection.define_pool(&nonsense).await.unwrap_err();
    assert!(error.to_string().contains("pond"), "{error}");
    let nameless = VolumeXml::new("", 1);
    pool(&host.connection, "images").await;
    let error = host
        .connection
        .create_volume("images", &nameless)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[tokio::test]
async fn the_test_driver_is_not_asked_to_resize() {
    let host = host().await;
    let error = host
        .connection
        .resize_volume("images", "v", 1)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}
