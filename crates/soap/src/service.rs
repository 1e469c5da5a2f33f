//! Services and their operations.

use crate::{
    Attachments, Element, Fault, Message, ReadError, Schema, Version,
    document::{is_name, shown},
    fault::{Answer, FaultSchema, Refusal, envelope, typed},
    wsdl,
};
use http::{Extensions, HeaderMap};
use std::{fmt, future::Future, net::SocketAddr, pin::Pin};

/// What a handler may know of the call beside its message.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) version: Version,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: Extensions,
}

impl Call {
    /// The service that is called.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The operation that is called.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The version of SOAP that is spoken.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The address that the call comes from, if the server was started with
    /// `into_make_service_with_connect_info::<SocketAddr>()`.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The headers of the HTTP request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The extensions of the HTTP request: what middleware found out, such as who calls.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Handler =
    Box<dyn Fn(Call, Element<'_>, Attachments) -> Result<Answering, ReadError> + Send + Sync>;

/// An operation: its names, its documentation and what carries it out.
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) documentation: String,
    pub(crate) faults: Vec<&'static str>,
    handler: Handler,
}

impl Operation {
    /// The SOAP action, by Axis2's convention.
    pub(crate) fn action(&self) -> String {
        action(&self.name)
    }

    /// The name of the reply's element.
    pub(crate) fn response(&self) -> String {
        response(&self.name)
    }
}

/// The SOAP action of an operation.
pub(crate) fn action(operation: &str) -> String {
    format!("urn:{operation}")
}

/// The name of an operation's reply element.
pub(crate) fn response(operation: &str) -> String {
    format!("{operation}Response")
}

/// A SOAP service: a name, an XML namespace and operations.
///
/// ```
/// # #[derive(soap::Message)] struct EchoRequest { text: String }
/// # #[derive(soap::Message)] struct EchoReply { text: String }
/// let service = soap::Service::new("EchoService", "urn:example:echo")
///     .documentation("Says what it is told.")
///     .operation(
///         "Echo",
///         "Returns the text.",
///         async |_call, request: EchoRequest| -> Result<EchoReply, std::convert::Infallible> {
///             Ok(EchoReply { text: request.text })
///         },
///     );
/// ```
pub struct Service {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) documentation: String,
    pub(crate) operations: Vec<Operation>,
    pub(crate) schema: Schema,
}

impl Service {
    /// A service without operations yet, at `/services/<name>`.
    ///
    /// # Panics
    ///
    /// If `name` is not an XML name or `namespace` is empty.
    pub fn new(name: &str, namespace: &str) -> Self {
        assert!(
            is_name(name) && name.is_ascii(),
            "a service cannot be named {name:?}: ASCII letters and digits were expected"
        );
        assert!(
            !namespace.is_empty(),
            "the service {name} needs a namespace"
        );
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            documentation: String::new(),
            operations: Vec::new(),
            schema: Schema::default(),
        }
    }

    /// Says what the service is for: shown in the WSDL and on its page.
    #[must_use]
    pub fn documentation(mut self, text: &str) -> Self {
        text.clone_into(&mut self.documentation);
        self
    }

    /// Adds an operation. Its request is the element `<name>`, its reply `<nameResponse>`, its
    /// SOAP action `urn:name`; every fault of `E` is declared.
    ///
    /// # Panics
    ///
    /// If the name is no XML name, is taken, or if two different Rust types among the messages of
    /// the service have one name.
    #[must_use]
    pub fn operation<Request, Reply, E, Run, Running>(
        self,
        name: &str,
        documentation: &str,
        run: Run,
    ) -> Self
    where
        Request: Message,
        Reply: Message,
        E: Fault,
        Run: Fn(Call, Request) -> Running + Send + Sync + 'static,
        Running: Future<Output = Result<Reply, E>> + Send + 'static,
    {
        self.add::<Request, Reply, E, _, _>(
            name,
            documentation,
            move |call, request, attachments| {
                let version = call.version;
                let running = run(call, request);
                async move {
                    // Nothing in the message can mean them.
                    if let Err(error) = attachments.expect_none().await {
                        return Err(Refusal::Sender(error.to_string()).answer(version));
                    }
                    Ok(running.await)
                }
            },
        )
    }

    /// Adds an operation whose messages may have attachments (MTOM): its handler gets them as they
    /// come, beside the message, whose [`Content`](crate::Content) says which is which.
    ///
    /// # Panics
    ///
    /// As [`Service::operation`].
    #[must_use]
    pub fn operation_with_attachments<Request, Reply, E, Run, Running>(
        self,
        name: &str,
        documentation: &str,
        run: Run,
    ) -> Self
    where
        Request: Message,
        Reply: Message,
        E: Fault,
        Run: Fn(Call, Request, Attachments) -> Running + Send + Sync + 'static,
        Running: Future<Output = Result<Reply, E>> + Send + 'static,
    {
        self.add::<Request, Reply, E, _, _>(
            name,
            documentation,
            move |call, request, attachments| {
                let running = run(call, request, attachments);
                async move { Ok(running.await) }
            },
        )
    }

    /// Adds an operation that answers by itself where it refuses what came.
    fn add<Request, Reply, E, Run, Running>(
        mut self,
        name: &str,
        documentation: &str,
        run: Run,
    ) -> Self
    where
        Request: Message,
        Reply: Message,
        E: Fault,
        Run: Fn(Call, Request, Attachments) -> Running + Send + Sync + 'static,
        Running: Future<Output = Result<Result<Reply, E>, Answer>> + Send + 'static,
    {
        assert!(
            is_name(name) && name.is_ascii(),
            "an operation cannot be named {name:?}: ASCII letters and digits were expected"
        );
        assert!(
            !self
                .operations
                .iter()
                .any(|other| other.name.eq_ignore_ascii_case(name)),
            "the service {} has an operation {name} already",
            self.name
        );
        let reply_name = response(name);
        self.schema.element::<Request>(name);
        self.schema.element::<Reply>(&reply_name);
        let mut declared = FaultSchema {
            schema: &mut self.schema,
            names: Vec::new(),
        };
        E::declare(&mut declared);
        let faults = declared.names;

        let namespace = self.namespace.clone();
        let handler = move |call: Call,
                            element: Element<'_>,
                            attachments: Attachments|
              -> Result<Answering, ReadError> {
            let version = call.version;
            let running = run(call, Request::read(element)?, attachments);
            let (namespace, reply_name) = (namespace.clone(), reply_name.clone());
            Ok(Box::pin(async move {
                match running.await {
                    Err(refused) => refused,
                    Ok(Ok(reply)) => Answer {
                        status: 200,
                        version,
                        body: envelope(version, "", |out| {
                            out.element_in(&reply_name, &namespace, |out| reply.write(out));
                        }),
                    },
                    Ok(Err(fault)) => {
                        tracing::debug!(fault = fault.name(), "the operation ended in a fault");
                        typed(version, &namespace, &fault)
                    }
                }
            }))
        };
        self.operations.push(Operation {
            name: name.to_owned(),
            documentation: documentation.to_owned(),
            faults,
            handler: Box::new(handler),
        });
        self
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The WSDL 1.1 description with ports for both versions of SOAP.
    pub fn wsdl(&self, location: &str) -> String {
        wsdl::write(self, location, &Version::ALL)
    }

    /// The WSDL 1.1 description with the port for SOAP 1.1 alone: some old tools (`WSDL2Java` of
    /// Axis 1.4) reject a description that mentions SOAP 1.2.
    pub fn wsdl11(&self, location: &str) -> String {
        wsdl::write(self, location, &[Version::V11])
    }

    /// Finds the operation of the element in a body, decodes the request and starts the handler.
    pub(crate) fn start(
        &self,
        mut call: Call,
        action: Option<&str>,
        element: Element<'_>,
        attachments: Attachments,
    ) -> Result<Answering, Refusal> {
        let operation = self
            .operations
            .iter()
            .find(|operation| element.is(&self.namespace, &operation.name))
            .ok_or_else(|| {
                let names: Vec<_> = self.operations.iter().map(|o| o.name.as_str()).collect();
                Refusal::Sender(format!(
                    "{} has no operation {{{}}}{}; it has, in the namespace {:?}: {}",
                    self.name,
                    shown(element.namespace()),
                    shown(element.name()),
                    self.namespace,
                    names.join(", ")
                ))
            })?;
        self.check_action(operation, action)?;
        operation.name.clone_into(&mut call.operation);
        Ok((operation.handler)(call, element, attachments)?)
    }

    /// The body alone decides what is done. An action that names another operation is refused: a
    /// gateway that let the call pass for its action would have been deceived.
    fn check_action(&self, operation: &Operation, action: Option<&str>) -> Result<(), Refusal> {
        let Some(action) = action else { return Ok(()) };
        let named = self
            .operations
            .iter()
            .find(|other| other.action() == action || other.name == action);
        match named {
            Some(other) if other.name != operation.name => Err(Refusal::Sender(format!(
                "the action names {}, the body {}",
                other.name, operation.name
            ))),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
