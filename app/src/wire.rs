//! How server functions answer: as JSON, read as text.
//!
//! What the server renders into a page is read as text, too. The JSON reader of bytes, which server
//! functions use by themselves, is another, and would be all of its code a second time: a fiftieth
//! of the page.

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType, Http,
    codec::{GetUrl, Post, PostUrl},
};
use serde::{Serialize, de::DeserializeOwned};

/// The protocol of what only reads.
pub type Reading = Http<GetUrl, Post<JsonText>>;

/// The protocol of what acts: the fields of a form.
pub type Acting = Http<PostUrl, Post<JsonText>>;

/// The protocol of what acts and says more than a form does.
pub type Posting = Http<Post<JsonText>, Post<JsonText>>;

/// JSON in UTF-8.
#[derive(Debug)]
pub struct JsonText;

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for JsonText {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_string(output).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonText {
    type Error = String;

    fn decode(bytes: Bytes) -> Result<T, String> {
        let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string())?;
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}
