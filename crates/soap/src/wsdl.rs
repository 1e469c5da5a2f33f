//! The description of a service in WSDL 1.1, document/literal wrapped, after WS-I Basic Profile
//! and with the names that Axis2 gives.

use crate::{Service, Version, writer::escape};
use std::fmt::Write as _;

const HTTP: &str = "http://schemas.xmlsoap.org/soap/http";

/// Writes the description, with one binding and port for each of the versions.
pub(crate) fn write(service: &Service, location: &str, versions: &[Version]) -> String {
    let mut xml = String::new();
    // Writing to a string cannot fail.
    let _ = definitions(&mut xml, service, &escape(location), versions);
    xml
}

fn prefix(version: Version) -> &'static str {
    match version {
        Version::V11 => "soap",
        Version::V12 => "soap12",
    }
}

/// The part of Axis2's names that tells the versions apart.
fn label(version: Version) -> &'static str {
    match version {
        Version::V11 => "Soap11",
        Version::V12 => "Soap12",
    }
}

fn definitions(
    xml: &mut String,
    service: &Service,
    location: &str,
    versions: &[Version],
) -> std::fmt::Result {
    let name = &service.name;
    let namespace = escape(&service.namespace);
    writeln!(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    write!(
        xml,
        "<wsdl:definitions name=\"{name}\" targetNamespace=\"{namespace}\" \
         xmlns:tns=\"{namespace}\" xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" \
         xmlns:xs=\"http://www.w3.org/2001/XMLSchema\""
    )?;
    for &version in versions {
        let binding = prefix(version);
        write!(
            xml,
            " xmlns:{binding}=\"http://schemas.xmlsoap.org/wsdl/{binding}/\""
        )?;
    }
    writeln!(xml, ">")?;
    documentation(xml, &service.documentation, 2)?;
    writeln!(xml, "  <wsdl:types>")?;
    xml.push_str(&service.schema.to_xml(&service.namespace));
    writeln!(xml, "  </wsdl:types>")?;
    messages(xml, service)?;
    port_type(xml, service)?;
    for &version in versions {
        binding(xml, service, version)?;
    }
    writeln!(xml, "  <wsdl:service name=\"{name}\">")?;
    documentation(xml, &service.documentation, 4)?;
    for &version in versions {
        let (binding, label) = (prefix(version), label(version));
        writeln!(
            xml,
            "    <wsdl:port name=\"{name}Http{label}Endpoint\" binding=\"tns:{name}{label}Binding\">\n      \
             <{binding}:address location=\"{location}\"/>\n    </wsdl:port>"
        )?;
    }
    writeln!(xml, "  </wsdl:service>\n</wsdl:definitions>")
}

fn messages(xml: &mut String, service: &Service) -> std::fmt::Result {
    let mut message = |name: &str, part: &str, element: &str| {
        writeln!(
            xml,
            "  <wsdl:message name=\"{name}\">\n    \
             <wsdl:part name=\"{part}\" element=\"tns:{element}\"/>\n  </wsdl:message>"
        )
    };
    let mut faults: Vec<&str> = Vec::new();
    for operation in &service.operations {
        let name = &operation.name;
        message(&format!("{name}RequestMessage"), "parameters", name)?;
        message(
            &format!("{name}ResponseMessage"),
            "parameters",
            &operation.response(),
        )?;
        for fault in &operation.faults {
            if !faults.contains(fault) {
                faults.push(fault);
            }
        }
    }
    for fault in faults {
        message(&format!("{fault}FaultMessage"), "fault", fault)?;
    }
    Ok(())
}

fn port_type(xml: &mut String, service: &Service) -> std::fmt::Result {
    writeln!(xml, "  <wsdl:portType name=\"{}PortType\">", service.name)?;
    for operation in &service.operations {
        let name = &operation.name;
        writeln!(xml, "    <wsdl:operation name=\"{name}\">")?;
        documentation(xml, &operation.documentation, 6)?;
        writeln!(
            xml,
            "      <wsdl:input message=\"tns:{name}RequestMessage\"/>\n      \
             <wsdl:output message=\"tns:{name}ResponseMessage\"/>"
        )?;
        for fault in &operation.faults {
            writeln!(
                xml,
                "      <wsdl:fault name=\"{fault}\" message=\"tns:{fault}FaultMessage\"/>"
            )?;
        }
        writeln!(xml, "    </wsdl:operation>")?;
    }
    writeln!(xml, "  </wsdl:portType>")
}

fn binding(xml: &mut String, service: &Service, version: Version) -> std::fmt::Result {
    let name = &service.name;
    let (soap, label) = (prefix(version), label(version));
    writeln!(
        xml,
        "  <wsdl:binding name=\"{name}{label}Binding\" type=\"tns:{name}PortType\">\n    \
         <{soap}:binding transport=\"{HTTP}\" style=\"document\"/>"
    )?;
    for operation in &service.operations {
        let (name, action) = (&operation.name, operation.action());
        writeln!(
            xml,
            "    <wsdl:operation name=\"{name}\">\n      \
             <{soap}:operation soapAction=\"{action}\" style=\"document\"/>\n      \
             <wsdl:input><{soap}:body use=\"literal\"/></wsdl:input>\n      \
             <wsdl:output><{soap}:body use=\"literal\"/></wsdl:output>"
        )?;
        for fault in &operation.faults {
            writeln!(
                xml,
                "      <wsdl:fault name=\"{fault}\"><{soap}:fault name=\"{fault}\" \
                 use=\"literal\"/></wsdl:fault>"
            )?;
        }
        writeln!(xml, "    </wsdl:operation>")?;
    }
    writeln!(xml, "  </wsdl:binding>")
}

fn documentation(xml: &mut String, text: &str, indent: usize) -> std::fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    writeln!(
        xml,
        "{:indent$}<wsdl:documentation>{}</wsdl:documentation>",
        "",
        escape(text)
    )
}
