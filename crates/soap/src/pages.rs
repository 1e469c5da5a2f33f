//! The pages for people: the list of services, and one page a service. Plain HTML that needs
//! nothing from elsewhere.

use crate::{Service, writer::escape};
use std::fmt::Write as _;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-bottom:.2rem}\
p{margin:.3rem 0}code{font:0.9em ui-monospace,monospace}\
li{margin:.5rem 0}nav a,.links a{margin-right:1rem}";

fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body>\n{content}</body></html>\n",
        title = escape(title)
    )
}

fn links(name: &str) -> String {
    format!(
        "<p class=\"links\"><a href=\"/services/{name}?wsdl\">WSDL</a>\
         <a href=\"/services/{name}?wsdl11\">WSDL for SOAP 1.1 only</a></p>\n"
    )
}

/// The list of all services.
pub(crate) fn list(services: &[Service]) -> String {
    let mut html = String::from(
        "<h1>SOAP services</h1>\n\
         <p>Each service speaks SOAP 1.1 and 1.2, document/literal wrapped. The WSDL for SOAP 1.1 \
         only is for tools that stop at a description of SOAP 1.2, such as Axis 1.4.</p>\n",
    );
    if services.is_empty() {
        html.push_str("<p>There is none.</p>\n");
    }
    for service in services {
        let name = &service.name;
        let _ = write!(
            html,
            "<section><h2><a href=\"/services/{name}\">{name}</a></h2>\n<p>{}</p>\n{}<p>{}</p>\
             </section>\n",
            escape(&service.documentation),
            links(name),
            service
                .operations
                .iter()
                .map(|operation| format!("<code>{}</code>", operation.name))
                .collect::<Vec<_>>()
                .join(", ")
        );
    }
    page("SOAP services", &html)
}

/// The page of one service.
pub(crate) fn service(service: &Service) -> String {
    let name = &service.name;
    let mut html = format!(
        "<nav><a href=\"/services/\">All services</a></nav>\n<h1>{name}</h1>\n<p>{}</p>\n{}\
         <p>Namespace <code>{}</code>. Messages go by <code>POST</code> to this address.</p>\n\
         <ul>\n",
        escape(&service.documentation),
        links(name),
        escape(&service.namespace)
    );
    for operation in &service.operations {
        let _ = writeln!(
            html,
            "<li><code>{}</code>: {}{}</li>",
            operation.name,
            escape(&operation.documentation),
            if operation.faults.is_empty() {
                String::new()
            } else {
                format!("<br>Faults: {}", operation.faults.join(", "))
            }
        );
    }
    html.push_str("</ul>\n");
    page(name, &html)
}
