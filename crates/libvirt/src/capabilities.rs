//! What a host can run.

use virt::connect::Connect;

use crate::connection::Connection;
use crate::error::Error;
use crate::xml::CapabilitiesXml;

impl Connection {
    /// What the host is and can run: its processors, guests, machines, and ways of migration.
    ///
    /// # Errors
    /// As every call.
    pub async fn capabilities(&self) -> Result<CapabilitiesXml, Error> {
        let call = "virConnectGetCapabilities";
        let capabilities = self.call(call, move |session| {
            session.run(call, Connect::capabilities)
        });
        CapabilitiesXml::parse(&capabilities.await?).map_err(|reason| Error::Xml {
            what: "the host's capabilities".to_owned(),
            reason: reason.to_string(),
        })
    }
}
