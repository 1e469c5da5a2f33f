use super::*;

fn refusal(text: &str) -> String {
    match Document::parse(text, Some(Encoding::Utf8), &Limits::default()) {
        Ok(_) => panic!("accepted: {text}"),
        Err(reason) => reason,
    }
}

#[test]
fn a_document_becomes_a_tree() {
    let text = "\u{20}<!-- c --><a xmlns='urn:a' x:y='1' xmlns:x='urn:x'>\
                <x:b>1&amp;<![CDATA[<2>]]>&#x33;\r\n</x:b><c xmlns=''/></a>\n";
    let document = Document::parse(text, None, &Limits::default()).unwrap();
    let names: Vec<_> = document
        .nodes
        .iter()
        .map(|node| {
            let namespace = &document.namespaces[usize::from(node.namespace)];
            (namespace.as_str(), node.name, node.text.as_ref())
        })
        .collect();
    assert_eq!(
        names,
        [
            ("urn:a", "a", ""),
            ("urn:x", "b", "1&<2>3\n"),
            ("", "c", "")
        ]
    );
    assert_eq!(document.attributes[0].value, "1");
    assert_eq!(
        (document.nodes[0].first_child, document.nodes[1].next),
        (1, 2)
    );
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let cases = [
        ("<!DOCTYPE a><a/>", "DOCTYPE"),
        ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "DOCTYPE"),
        ("<a>&x;</a>", "`&x;` is not known"),
        ("<a>&#0;</a>", "not known"),
        ("<a>&#1;</a>", "not known"),
        ("<a>& b</a>", ""),
        ("<a b='&#1;'/>", "cannot carry"),
        ("<a>\0</a>", "U+0000"),
        ("<a>\u{FFFF}</a>", "U+FFFF"),
        ("<a>", "ends before the element `a`"),
        ("<a><b></a></b>", ""),
        ("</a>", ""),
        ("<a/><b/>", "more than one root"),
        ("<a/>b", "outside the root"),
        ("b<a/>", "outside the root"),
        ("<a/>&lt;", "outside the root"),
        ("<![CDATA[ ]]><a/>", "outside the root"),
        ("<a/><?xml version='1.0'?>", "very start"),
        (" <?xml version='1.0'?><a/>", "very start"),
        ("<?xml version='1.1'?><a/>", "only 1.0"),
        ("<?xml version='1.0' encoding='latin1'?><a/>", "latin1"),
        ("<p:a/>", "prefix `p` is not declared"),
        ("<a p:b='1'/>", "prefix `p` is not declared"),
        ("<a><b xmlns:p='urn:p'/><p:c/></a>", "prefix `p`"),
        ("<a b='1' b='2'/>", "duplicate"),
        ("<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", "twice"),
        ("<a xmlns:p=''/>", "undeclared"),
        ("<a xmlns:xmlns='u'/>", "cannot be declared"),
        ("<a xmlns:xml='u'/>", "cannot be declared"),
        ("<a b='<'/>", "must not stand"),
        ("<a b=1/>", ""),
        ("<a b/>", ""),
        ("<1/>", "not a name"),
        ("<a:b:c xmlns:a='u'/>", "not a name"),
        ("<a>]]></a>", "]]>"),
        ("<a><!-- -- --></a>", ""),
        ("", "no element"),
        ("  ", "no element"),
        ("hello", "outside the root"),
    ];
    for (text, part) in cases {
        let reason = refusal(text);
        assert!(reason.contains(part), "{text}: {reason}");
    }
}

#[test]
fn limits_are_kept() {
    let nested = |depth| "<a>".repeat(depth) + &"</a>".repeat(depth);
    let limits = Limits::default();
    assert!(Document::parse(&nested(64), None, &limits).is_ok());
    assert!(refusal(&nested(65)).contains("64 deep"));
    assert!(refusal(&"<a>".repeat(1_000_000)).contains("64 deep"));
    assert!(refusal(&format!("<a>{}</a>", "<b/>".repeat(100_000))).contains("100000 elements"));
    let attributes = |count| -> String {
        let each: Vec<_> = (0..count).map(|i| format!(" a{i}=''")).collect();
        format!("<a{}/>", each.concat())
    };
    assert!(Document::parse(&attributes(64), None, &limits).is_ok());
    assert!(refusal(&attributes(80_000)).contains("64 attributes"));
    let namespaces: Vec<_> = (0..200).map(|i| format!("<b xmlns='urn:{i}'/>")).collect();
    assert!(refusal(&format!("<a>{}</a>", namespaces.concat())).contains("128 namespaces"));
}
