//! Values and structures cross unchanged; what is not of its type is refused by name.

use crate::support::*;
use proptest::prelude::*;
use soap::{Version, client};

async fn echo(version: Version, value: &Everything) -> Everything {
    let (content_type, _, body) = client::request("Echo", NAMESPACE, version, value);
    let answer = post(&content_type, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client::response::<_, Failure>("Echo", NAMESPACE, &answer.body).unwrap()
}

#[tokio::test]
async fn everything_comes_back_as_it_was_sent() {
    for version in Version::ALL {
        assert_eq!(echo(version, &everything()).await, everything());
    }
}

#[tokio::test]
async fn numbers_at_their_edges() {
    let mut value = everything();
    for (single, double) in [
        (f32::INFINITY, f64::NEG_INFINITY),
        (f32::MIN_POSITIVE, f64::MIN_POSITIVE),
        (f32::MAX, f64::MAX),
        (-0.0, 5e-324),
    ] {
        (value.single, value.double) = (single, double);
        assert_eq!(echo(Version::V12, &value).await, value);
    }
    value.single = f32::NAN;
    assert!(echo(Version::V11, &value).await.single.is_nan());
    let (_, _, body) = client::request("Echo", NAMESPACE, Version::V11, &value);
    assert!(
        String::from_utf8(body)
            .unwrap()
            .contains("<single>NaN</single>")
    );
}

#[tokio::test]
async fn spellings_that_xsd_allows_are_read() {
    let xml = everything_xml();
    for (from, to) in [
        ("<flag>true</flag>", "<flag> 1\n</flag>"),
        ("<big>18446744073709551615<", "<big>+18446744073709551615<"),
        ("<small>-2147483648<", "<small>\t-002147483648 <"),
        ("12:00:00.25Z", "13:30:00.250+01:30"),
        ("12:00:00.25Z", "12:00:00.2500000-00:00"),
        ("<colour>off-white<", "<colour> off-white <"),
        ("6f1f52a0-", "6F1F52A0-"),
        ("</aliases>", "</aliases>"),
        ("<note></note>", "<note/>"),
        ("<note></note>", "<!-- x --><note><!-- y --></note>"),
        ("<id>abc</id>", "<id>a<![CDATA[b]]>&#99;</id>"),
        // Of another namespace: not ours to judge.
        (
            "<id>",
            "<id xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='z'>",
        ),
    ] {
        assert!(xml.contains(from) || from == to, "{from} in {xml}");
        let answer = post("text/xml", xml.replacen(from, to, 1)).await;
        let read = client::response::<Everything, Failure>("Echo", NAMESPACE, &answer.body);
        assert_eq!(read.unwrap(), everything(), "{to}");
    }
}

#[tokio::test]
async fn order_does_not_matter_but_of_a_list() {
    let xml = everything_xml();
    let moved = xml
        .replace("<alias>x</alias>", "")
        .replace("<text>", "<alias>x</alias><text>");
    assert_ne!(xml, moved);
    let answer = post("text/xml", moved).await;
    let read = client::response::<Everything, Failure>("Echo", NAMESPACE, &answer.body);
    assert_eq!(read.unwrap(), everything());
}

#[tokio::test]
async fn nil_reads_as_absent() {
    let nil = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil";
    let xml = everything_xml();
    let answer = post(
        "text/xml",
        xml.replace("<note></note>", &format!("<note {nil}='true'/>"))
            .replacen("<alias>x</alias>", &format!("<alias {nil}='1'/>"), 1),
    )
    .await;
    let read = client::response::<Everything, Failure>("Echo", NAMESPACE, &answer.body).unwrap();
    assert_eq!(read.note, None);
    assert_eq!(read.aliases, ["", "y"]);

    for (from, to, part) in [
        (
            "<flag>true",
            format!("<flag {nil}='true'>"),
            "Echo/flag: is xsi:nil",
        ),
        (
            "<note>",
            format!("<note {nil}='true'>x"),
            "Echo/note: is marked xsi:nil and yet not",
        ),
        (
            "<note>",
            format!("<note {nil}='maybe'>"),
            "Echo/note: has xsi:nil=\"maybe\"",
        ),
    ] {
        let answer = post("text/xml", xml.replacen(from, &to, 1)).await;
        let text = answer.fault(500, "Client").replace("&quot;", "\"");
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn wrong_content_is_refused_with_its_path() {
    let xml = everything_xml();
    let cases = [
        (
            "<flag>true<",
            "<flag>yes<",
            "Echo/flag: \"yes\" is not true or false",
        ),
        ("<flag>true<", "<flag><", "Echo/flag: \"\" is not"),
        (
            "<small>-2147483648<",
            "<small>2147483648<",
            "Echo/small: \"2147483648\" is not a whole",
        ),
        (
            "<port>65535<",
            "<port>-1<",
            "Echo/port: \"-1\" is not a whole number from 0 to 65535",
        ),
        (
            "<single>0.1<",
            "<single>inf<",
            "Echo/single: \"inf\" is not a number",
        ),
        (
            "<single>0.1<",
            "<single>nan<",
            "Echo/single: \"nan\" is not a number",
        ),
        ("<single>0.1<", "<single>1 2<", "Echo/single: \"1 2\""),
        (
            "12:00:00.25Z",
            "12:00:00",
            "Echo/at: \"2026-11-30T12:00:00\" is not a time with offset",
        ),
        ("2026-11-30T", "2026-13-30T", "Echo/at: "),
        ("2026-11-30T", "2026-11-30 ", "Echo/at: "),
        ("12:00:00.25Z", "12:00:00.Z", "Echo/at: "),
        ("<uuid>6", "<uuid>x", "Echo/uuid: "),
        (
            "<colour>off-white<",
            "<colour>offWhite<",
            "Echo/colour: \"offWhite\" is not one of blue, darkRed, off-white",
        ),
        (
            "<id>abc<",
            "<id>ABC<",
            "Echo/id: \"ABC\" is not an id: lower-case letters were expected",
        ),
        ("<id>abc</id>", "", "Echo/id: is missing"),
        (
            "<flag>true</flag>",
            "<flag>true</flag><flag>true</flag>",
            "Echo/flag[2]: is given more than once",
        ),
        (
            "<note></note>",
            "<note></note><note>a</note>",
            "Echo/note[2]: is given more than once",
        ),
        (
            "<id>abc</id>",
            "<id>abc</id><di/>",
            "Echo/di: is not known here: the elements are text, flag",
        ),
        (
            "<id>abc</id>",
            "<id>abc</id>abc",
            "Echo: holds the text \"abc\"",
        ),
        (
            "<id>abc</id>",
            "<id><b>abc</b></id>",
            "Echo/id: holds the element `b`",
        ),
        (
            "<id>",
            "<id href='#1'>",
            "Echo/id: has the attribute \"href\"",
        ),
        (
            "<type>",
            "<type id='1'>",
            "Echo/type: has the attribute \"id\"",
        ),
        (
            "<id>abc</id>",
            "<id xmlns='urn:other'>abc</id>",
            "Echo/id: is in the namespace \"urn:other\"; \"urn:test:1\" was expected",
        ),
        (
            "<id>abc</id>",
            "<id xmlns=''>abc</id>",
            "Echo/id: is in no namespace; \"urn:test:1\" was expected",
        ),
        (
            "<name>d</name>",
            "",
            "Echo/things[1]/parts[2]/name: is missing",
        ),
        (
            "<name>d</name>",
            "<name>d</name><x/>",
            "Echo/things[1]/parts[2]/x: is not known here",
        ),
    ];
    for (from, to, part) in cases {
        assert!(xml.contains(from), "{from} in {xml}");
        let answer = post("text/xml", xml.replacen(from, to, 1)).await;
        let text = answer.fault(500, "Client");
        assert!(text.contains(part), "{part} was expected: {text}");
    }
}

#[tokio::test]
async fn a_structure_without_fields_takes_none() {
    let answer = call(Version::V11, "<Ping xmlns='urn:test:1'> <!-- --> </Ping>").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .text()
            .contains("<PingResponse xmlns=\"urn:test:1\"></PingResponse>")
    );
    let answer = call(Version::V12, "<Ping xmlns='urn:test:1'><x/></Ping>").await;
    let text = answer.fault(400, "Sender");
    assert!(
        text.contains("Ping/x: is not known here: no element was expected"),
        "{text}"
    );
}

fn carried(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' | '\n' | '\r' => c,
            '\0'..='\x1f' | '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
            other => other,
        })
        .collect()
}

/// Text of any characters, with many of those that mean something to XML.
fn any_text() -> impl Strategy<Value = String> {
    let special = prop::sample::select(vec![
        '<', '>', '&', ']', '"', '\'', '\r', '\n', '\t', ' ', '\0', '\x0b', '\u{FFFE}', '\u{FFFD}',
        ';',
    ]);
    prop::collection::vec(prop_oneof![special, any::<char>()], 0..40)
        .prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_crosses(text in any_text(), alias in any_text()) {
        let value = Everything { text, aliases: vec![alias], ..everything() };
        let (_, _, body) = client::request("EchoResponse", NAMESPACE, Version::V12, &value);
        let read = client::response::<Everything, Failure>("Echo", NAMESPACE, &body).unwrap();
        prop_assert_eq!(read.text, carried(&value.text));
        prop_assert_eq!(&read.aliases[0], &carried(&value.aliases[0]));
    }

    #[test]
    fn any_numbers_cross(small: i32, large: i64, big: u64, double: f64, single: f32) {
        prop_assume!(!double.is_nan() && !single.is_nan());
        let value = Everything { small, large, big, single, double, ..everything() };
        let (_, _, body) = client::request("EchoResponse", NAMESPACE, Version::V11, &value);
        let read = client::response::<Everything, Failure>("Echo", NAMESPACE, &body).unwrap();
        prop_assert_eq!(read, value);
    }

    /// Whatever bytes arrive, the answer is an answer.
    #[test]
    fn no_bytes_break_the_reader(at in 0usize..1500, junk in prop::collection::vec(any::<u8>(), 0..6)) {
        let mut bytes = everything_xml().into_bytes();
        let at = at.min(bytes.len());
        let end = (at + junk.len()).min(bytes.len());
        bytes.splice(at..end, junk);
        let _ = client::response::<Everything, Failure>("Echo", NAMESPACE, &bytes);
    }
}
