//! Hosts of the test driver for unit tests. `test:///default` is one world for the whole process;
//! each of these is a world of its own.

use tempfile::TempDir;

use crate::{Connection, Options, Uri};

/// A host with one running domain, `test`.
pub(crate) const ONE: &str = "<node><domain type='test'><name>test</name><memory>8192</memory>\
    <os><type>hvm</type></os></domain></node>";

/// A connection to a host that is described by `node`, which lives as long as the directory.
pub(crate) async fn host(node: &str) -> (Connection, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("node.xml");
    std::fs::write(&file, node).unwrap();
    let uri = Uri::test_file(&file);
    let connection = Connection::open(&uri, Options::default()).await.unwrap();
    (connection, directory)
}
