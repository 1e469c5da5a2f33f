//! A running server, seen from another process: [`Operations`] over its SOAP services. The command
//! line is a pilot like any other.

mod console;

use crate::pilot::{NAMESPACE, name};
use api::{
    AttachInterfaceReply, AttachInterfaceRequest, BeginImageUploadReply, BeginImageUploadRequest,
    ByteStream, Caller, CancelImageUploadReply, CancelImageUploadRequest, CancelJobReply,
    CancelJobRequest, CheckCreationReply, CheckCreationRequest, CheckHostReply, CheckHostRequest,
    CheckMigrationReply, CheckMigrationRequest, CreateRouterReply, CreateRouterRequest,
    CreateVirtualLinkReply, CreateVirtualLinkRequest, DeleteImageReply, DeleteImageRequest,
    DeleteRouterReply, DeleteRouterRequest, DeleteVirtualLinkReply, DeleteVirtualLinkRequest,
    DescribeImageReply, DescribeImageRequest, DestroyRouterReply, DestroyRouterRequest,
    DetachInterfaceReply, DetachInterfaceRequest, DistributeImageReply, DistributeImageRequest,
    Error, Event, EventStream, EvictImageReply, EvictImageRequest, FindPathsReply,
    FindPathsRequest, GetHostStatusReply, GetHostStatusRequest, GetImageReply, GetImageRequest,
    GetImageUploadReply, GetImageUploadRequest, GetJobReply, GetJobRequest, GetLoadReply,
    GetLoadRequest, GetRouterStatusReply, GetRouterStatusRequest, GetTopologyReply,
    GetTopologyRequest, ImportImageReply, ImportImageRequest, Internal, ListHostsReply,
    ListHostsRequest, ListImagesReply, ListImagesRequest, ListImportFilesReply,
    ListImportFilesRequest, ListJobsReply, ListJobsRequest, ListRoutersReply, ListRoutersRequest,
    ListVirtualLinksReply, ListVirtualLinksRequest, MigrateRouterReply, MigrateRouterRequest,
    Operations, QueryHistoryReply, QueryHistoryRequest, RebootRouterReply, RebootRouterRequest,
    RegisterHostReply, RegisterHostRequest, RemoveHostReply, RemoveHostRequest, ResetRouterReply,
    ResetRouterRequest, ResizeRouterReply, ResizeRouterRequest, ResumeRouterReply,
    ResumeRouterRequest, RouterId, SetHostMaintenanceReply, SetHostMaintenanceRequest,
    ShutdownRouterReply, ShutdownRouterRequest, StartRouterReply, StartRouterRequest,
    SuspendRouterReply, SuspendRouterRequest, UploadPart,
};
use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use reqwest::{Url, header};
use soap::{Message, Version};
use std::{io, sync::Arc, time::Duration};

/// How long a server may take to answer: longer than it gives itself.
const ANSWER: Duration = Duration::from_secs(65);
/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// A client of one server.
///
/// The server decides who calls: the [`Caller`] of each method is not sent.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    version: Version,
}

impl Client {
    /// A client of the server at `server`, an `http` address without a path. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// A sentence, if it is no such address.
    pub fn new(server: &str, version: Version) -> Result<Self, String> {
        let expected = "http://127.0.0.1:8080, for example, was expected";
        let server: Url = server.parse().map_err(|error| {
            format!("{server:?} is not the address of a server ({error}): {expected}.")
        })?;
        if server.scheme() != "http" || !server.has_host() || !matches!(server.path(), "" | "/") {
            return Err(format!(
                "{server} is not the address of a server: {expected}."
            ));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            // Servers answer to loopback names only, which no proxy knows.
            .no_proxy()
            // A server of VMS never sends elsewhere; whoever does is not one.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("No HTTP client can be made: {error}."))?;
        Ok(Self {
            http,
            server,
            version,
        })
    }

    async fn call<Request, Reply>(
        &self,
        service: &str,
        operation: &str,
        request: &Request,
    ) -> Result<Reply, Error>
    where
        Request: Message,
        Reply: Message,
    {
        let (content_type, action, body) =
            soap::client::request(operation, NAMESPACE, self.version, request);
        let answer = self
            .http
            .post(self.at(&format!("/services/{service}")))
            .timeout(ANSWER)
            .header(header::CONTENT_TYPE, content_type)
            .header("soapaction", action)
            .body(body)
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let is_xml = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| {
                kind.starts_with("text/xml") || kind.starts_with("application/soap+xml")
            });
        let bytes = answer
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if !is_xml {
            return Err(self.not_understood(&format!("it says {status}: {}", excerpt(&bytes))));
        }
        soap::client::response(operation, NAMESPACE, &bytes).map_err(|error| match error {
            soap::client::Error::Fault(error) => error,
            soap::client::Error::Other(reason) => failure(format!(
                "The server at {} refused the call: {reason}.",
                self.server
            )),
            soap::client::Error::Malformed(reason) => self.not_understood(&reason),
        })
    }

    fn at(&self, path: &str) -> Url {
        let mut url = self.server.clone();
        url.set_path(path);
        url
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        if error.is_timeout() && !error.is_connect() {
            return self.too_slow();
        }
        // The innermost cause is what a person can act on: "Connection refused".
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        self.nobody_there(cause)
    }

    fn too_slow(&self) -> Error {
        let server = self.server.as_str().trim_end_matches('/');
        failure(format!(
            "The server at {server} did not answer in time; its log may say why."
        ))
    }

    fn nobody_there(&self, cause: &dyn std::fmt::Display) -> Error {
        let server = self.server.as_str().trim_end_matches('/');
        failure(format!(
            "No server answers at {server} ({cause}). Start one with `vms serve` or `vms demo`, or \
             name its address with --server."
        ))
    }

    fn not_understood(&self, reason: &str) -> Error {
        failure(format!(
            "What answers at {} does not speak as a VMS of this version does: {reason}.",
            self.server
        ))
    }
}

/// An error of the client's own; no log of a server has more to say of it.
fn failure(message: String) -> Error {
    Internal {
        message,
        reference: String::new(),
    }
    .into()
}

/// What an error says: a client's own has no reference to a log.
pub fn sentence(error: &Error) -> String {
    match error {
        Error::Internal(internal) if internal.reference.is_empty() => internal.message.clone(),
        other => other.to_string(),
    }
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[async_trait]
impl Operations for Client {
    async fn list_hosts(
        &self,
        _: &Caller,
        request: ListHostsRequest,
    ) -> Result<ListHostsReply, Error> {
        self.call(name::STATUS, "ListHosts", &request).await
    }

    async fn get_host_status(
        &self,
        _: &Caller,
        request: GetHostStatusRequest,
    ) -> Result<GetHostStatusReply, Error> {
        self.call(name::STATUS, "GetHostStatus", &request).await
    }

    async fn register_host(
        &self,
        _: &Caller,
        request: RegisterHostRequest,
    ) -> Result<RegisterHostReply, Error> {
        self.call(name::STATUS, "RegisterHost", &request).await
    }

    async fn remove_host(
        &self,
        _: &Caller,
        request: RemoveHostRequest,
    ) -> Result<RemoveHostReply, Error> {
        self.call(name::STATUS, "RemoveHost", &request).await
    }

    async fn check_host(
        &self,
        _: &Caller,
        request: CheckHostRequest,
    ) -> Result<CheckHostReply, Error> {
        self.call(name::STATUS, "CheckHost", &request).await
    }

    async fn list_routers(
        &self,
        _: &Caller,
        request: ListRoutersRequest,
    ) -> Result<ListRoutersReply, Error> {
        self.call(name::STATUS, "ListRouters", &request).await
    }

    async fn get_topology(
        &self,
        _: &Caller,
        request: GetTopologyRequest,
    ) -> Result<Arc<GetTopologyReply>, Error> {
        self.call(name::TOPOLOGY, "GetTopology", &request)
            .await
            .map(Arc::new)
    }

    async fn find_paths(
        &self,
        _: &Caller,
        request: FindPathsRequest,
    ) -> Result<FindPathsReply, Error> {
        self.call(name::TOPOLOGY, "FindPaths", &request).await
    }

    async fn get_load(&self, _: &Caller, request: GetLoadRequest) -> Result<GetLoadReply, Error> {
        self.call(name::MEASUREMENT, "GetLoad", &request).await
    }

    async fn get_router_status(
        &self,
        _: &Caller,
        request: GetRouterStatusRequest,
    ) -> Result<GetRouterStatusReply, Error> {
        self.call(name::STATUS, "GetRouterStatus", &request).await
    }

    async fn query_history(
        &self,
        _: &Caller,
        request: QueryHistoryRequest,
    ) -> Result<QueryHistoryReply, Error> {
        self.call(name::MEASUREMENT, "QueryHistory", &request).await
    }

    async fn suspend_router(
        &self,
        _: &Caller,
        request: SuspendRouterRequest,
    ) -> Result<SuspendRouterReply, Error> {
        self.call(name::PROVISIONING, "SuspendRouter", &request)
            .await
    }

    async fn resume_router(
        &self,
        _: &Caller,
        request: ResumeRouterRequest,
    ) -> Result<ResumeRouterReply, Error> {
        self.call(name::PROVISIONING, "ResumeRouter", &request)
            .await
    }

    async fn check_migration(
        &self,
        _: &Caller,
        request: CheckMigrationRequest,
    ) -> Result<CheckMigrationReply, Error> {
        self.call(name::MIGRATION, "CheckMigration", &request).await
    }

    async fn migrate_router(
        &self,
        _: &Caller,
        request: MigrateRouterRequest,
    ) -> Result<MigrateRouterReply, Error> {
        self.call(name::MIGRATION, "MigrateRouter", &request).await
    }

    async fn set_host_maintenance(
        &self,
        _: &Caller,
        request: SetHostMaintenanceRequest,
    ) -> Result<SetHostMaintenanceReply, Error> {
        self.call(name::STATUS, "SetHostMaintenance", &request)
            .await
    }

    async fn get_job(&self, _: &Caller, request: GetJobRequest) -> Result<GetJobReply, Error> {
        self.call(name::MIGRATION, "GetJob", &request).await
    }

    async fn list_jobs(
        &self,
        _: &Caller,
        request: ListJobsRequest,
    ) -> Result<ListJobsReply, Error> {
        self.call(name::MIGRATION, "ListJobs", &request).await
    }

    async fn cancel_job(
        &self,
        _: &Caller,
        request: CancelJobRequest,
    ) -> Result<CancelJobReply, Error> {
        self.call(name::MIGRATION, "CancelJob", &request).await
    }

    async fn check_creation(
        &self,
        _: &Caller,
        request: CheckCreationRequest,
    ) -> Result<CheckCreationReply, Error> {
        self.call(name::PROVISIONING, "CheckCreation", &request)
            .await
    }

    async fn create_router(
        &self,
        _: &Caller,
        request: CreateRouterRequest,
    ) -> Result<CreateRouterReply, Error> {
        self.call(name::PROVISIONING, "CreateRouter", &request)
            .await
    }

    async fn start_router(
        &self,
        _: &Caller,
        request: StartRouterRequest,
    ) -> Result<StartRouterReply, Error> {
        self.call(name::PROVISIONING, "StartRouter", &request).await
    }

    async fn shutdown_router(
        &self,
        _: &Caller,
        request: ShutdownRouterRequest,
    ) -> Result<ShutdownRouterReply, Error> {
        self.call(name::PROVISIONING, "ShutdownRouter", &request)
            .await
    }

    async fn reboot_router(
        &self,
        _: &Caller,
        request: RebootRouterRequest,
    ) -> Result<RebootRouterReply, Error> {
        self.call(name::PROVISIONING, "RebootRouter", &request)
            .await
    }

    async fn reset_router(
        &self,
        _: &Caller,
        request: ResetRouterRequest,
    ) -> Result<ResetRouterReply, Error> {
        self.call(name::PROVISIONING, "ResetRouter", &request).await
    }

    async fn destroy_router(
        &self,
        _: &Caller,
        request: DestroyRouterRequest,
    ) -> Result<DestroyRouterReply, Error> {
        self.call(name::PROVISIONING, "DestroyRouter", &request)
            .await
    }

    async fn delete_router(
        &self,
        _: &Caller,
        request: DeleteRouterRequest,
    ) -> Result<DeleteRouterReply, Error> {
        self.call(name::PROVISIONING, "DeleteRouter", &request)
            .await
    }

    async fn resize_router(
        &self,
        _: &Caller,
        request: ResizeRouterRequest,
    ) -> Result<ResizeRouterReply, Error> {
        self.call(name::PROVISIONING, "ResizeRouter", &request)
            .await
    }

    async fn attach_interface(
        &self,
        _: &Caller,
        request: AttachInterfaceRequest,
    ) -> Result<AttachInterfaceReply, Error> {
        self.call(name::PROVISIONING, "AttachInterface", &request)
            .await
    }

    async fn detach_interface(
        &self,
        _: &Caller,
        request: DetachInterfaceRequest,
    ) -> Result<DetachInterfaceReply, Error> {
        self.call(name::PROVISIONING, "DetachInterface", &request)
            .await
    }

    async fn create_virtual_link(
        &self,
        _: &Caller,
        request: CreateVirtualLinkRequest,
    ) -> Result<CreateVirtualLinkReply, Error> {
        self.call(name::PROVISIONING, "CreateVirtualLink", &request)
            .await
    }

    async fn list_virtual_links(
        &self,
        _: &Caller,
        request: ListVirtualLinksRequest,
    ) -> Result<ListVirtualLinksReply, Error> {
        self.call(name::PROVISIONING, "ListVirtualLinks", &request)
            .await
    }

    async fn delete_virtual_link(
        &self,
        _: &Caller,
        request: DeleteVirtualLinkRequest,
    ) -> Result<DeleteVirtualLinkReply, Error> {
        self.call(name::PROVISIONING, "DeleteVirtualLink", &request)
            .await
    }

    async fn list_images(
        &self,
        _: &Caller,
        request: ListImagesRequest,
    ) -> Result<ListImagesReply, Error> {
        self.call(name::IMAGE, "ListImages", &request).await
    }

    async fn get_image(
        &self,
        _: &Caller,
        request: GetImageRequest,
    ) -> Result<GetImageReply, Error> {
        self.call(name::IMAGE, "GetImage", &request).await
    }

    async fn list_import_files(
        &self,
        _: &Caller,
        request: ListImportFilesRequest,
    ) -> Result<ListImportFilesReply, Error> {
        self.call(name::IMAGE, "ListImportFiles", &request).await
    }

    async fn import_image(
        &self,
        _: &Caller,
        request: ImportImageRequest,
    ) -> Result<ImportImageReply, Error> {
        self.call(name::IMAGE, "ImportImage", &request).await
    }

    async fn begin_image_upload(
        &self,
        _: &Caller,
        request: BeginImageUploadRequest,
    ) -> Result<BeginImageUploadReply, Error> {
        self.call(name::IMAGE, "BeginImageUpload", &request).await
    }

    async fn get_image_upload(
        &self,
        _: &Caller,
        request: GetImageUploadRequest,
    ) -> Result<GetImageUploadReply, Error> {
        self.call(name::IMAGE, "GetImageUpload", &request).await
    }

    async fn cancel_image_upload(
        &self,
        _: &Caller,
        request: CancelImageUploadRequest,
    ) -> Result<CancelImageUploadReply, Error> {
        self.call(name::IMAGE, "CancelImageUpload", &request).await
    }

    async fn describe_image(
        &self,
        _: &Caller,
        request: DescribeImageRequest,
    ) -> Result<DescribeImageReply, Error> {
        self.call(name::IMAGE, "DescribeImage", &request).await
    }

    async fn delete_image(
        &self,
        _: &Caller,
        request: DeleteImageRequest,
    ) -> Result<DeleteImageReply, Error> {
        self.call(name::IMAGE, "DeleteImage", &request).await
    }

    async fn distribute_image(
        &self,
        _: &Caller,
        request: DistributeImageRequest,
    ) -> Result<DistributeImageReply, Error> {
        self.call(name::IMAGE, "DistributeImage", &request).await
    }

    async fn evict_image(
        &self,
        _: &Caller,
        request: EvictImageRequest,
    ) -> Result<EvictImageReply, Error> {
        self.call(name::IMAGE, "EvictImage", &request).await
    }

    async fn upload_image_part(
        &self,
        _: &Caller,
        part: UploadPart,
    ) -> Result<GetImageUploadReply, Error> {
        let path = format!("/images/uploads/{}/{}", part.upload, part.role.as_str());
        let bytes = part.bytes.map(|piece| piece.map_err(io::Error::other));
        let mut request = self.http.put(self.at(&path));
        match part.size_bytes {
            // All of it: the server knows that there is no more.
            None if part.offset == 0 && part.last => {}
            Some(size) if part.offset < size => {
                let (first, last) = (part.offset, size - 1);
                request = request.header(header::CONTENT_LENGTH, size - first).header(
                    header::CONTENT_RANGE,
                    format!("bytes {first}-{last}/{size}"),
                );
            }
            _ => {
                return Err(failure(
                    "A part of a file is sent with the size of the file, and with one byte at least."
                        .to_owned(),
                ));
            }
        }
        let request = request.body(reqwest::Body::wrap_stream(bytes));
        let answer = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let bytes = answer
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        if status.is_success() {
            let upload = serde_json::from_slice(&bytes);
            return upload
                .map(|upload| GetImageUploadReply {
                    as_of: api::Timestamp::now(),
                    upload,
                })
                .map_err(|error| self.not_understood(&error.to_string()));
        }
        Err(serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            self.not_understood(&format!("it says {status}: {}", excerpt(&bytes)))
        }))
    }

    async fn open_console(
        &self,
        _: &Caller,
        router: RouterId,
        input: ByteStream,
    ) -> Result<ByteStream, Error> {
        self.console(router, input).await
    }

    /// By the server's event stream, which is not SOAP. It ends when the connection does.
    async fn subscribe(&self, _: &Caller, since: Option<u64>) -> Result<EventStream, Error> {
        let mut url = self.at("/events");
        if let Some(since) = since {
            url.set_query(Some(&format!("since={since}")));
        }
        let answer = self
            .http
            .get(url)
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        if !status.is_success() {
            let bytes = answer.bytes().await.unwrap_or_default();
            return Err(self.not_understood(&format!("it says {status}: {}", excerpt(&bytes))));
        }
        let mut lines = Lines::default();
        let events = answer
            .bytes_stream()
            .take_while(|chunk| std::future::ready(chunk.is_ok()))
            .flat_map(move |chunk| stream::iter(lines.push(&chunk.unwrap_or_default())));
        Ok(Box::pin(events))
    }
}

/// Puts an event stream's lines together. The server writes each event as one `data:` line.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn push(&mut self, chunk: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(chunk);
        let Some(end) = self.rest.iter().rposition(|&byte| byte == b'\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let complete = std::mem::replace(&mut self.rest, rest);
        complete
            .split(|&byte| byte == b'\n')
            .filter_map(|line| line.strip_prefix(b"data:"))
            // An event of a later version of the server is none that is known here.
            .filter_map(|data| serde_json::from_slice(data).ok())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_servers_are_taken() {
        assert!(Client::new("http://127.0.0.1:8080", Version::V12).is_ok());
        assert!(Client::new("http://[::1]:8080/", Version::V12).is_ok());
        for wrong in [
            "",
            "127.0.0.1:8080",
            "localhost:8080",
            "https://localhost",
            "http://localhost/services",
            "http://",
        ] {
            let error = Client::new(wrong, Version::V12).unwrap_err();
            assert!(error.contains("http://127.0.0.1:8080"), "{error}");
        }
    }

    #[test]
    fn events_are_read_from_pieces() {
        let mut lines = Lines::default();
        let text = b": events follow\nretry: 1000\n\nid: 3\ndata: {\"event\":\"resync\",\"version\":3}\n\ndata: {\"event\":\"later\"}\n\n";
        let mut events = Vec::new();
        for piece in text.chunks(7) {
            events.extend(lines.push(piece));
        }
        assert_eq!(events, [Event::Resync { version: 3 }]);
    }
}
