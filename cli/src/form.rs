//! The forms in which a message is shown: `--as`.

use clap::ValueEnum;
use serde_json::{json, Map, Value};

/// How to show a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Form {
    /// UTF-8
    Text,
    /// Two digits for each byte
    Hex,
    /// JSON, on one line
    Json,
    /// MessagePack, shown as JSON
    Msgpack,
}

impl Form {
    /// The form for the format label of a queue.
    pub fn of_label(label: &str) -> Form {
        match label {
            "msgpack" => Form::Msgpack,
            "json" => Form::Json,
            "pickle" => Form::Hex,
            _ => Form::Text,
        }
    }

    /// The message as a field of a JSON object. Bytes that are not in the form become `hex`.
    pub fn field(self, bytes: &[u8]) -> (&'static str, Value) {
        match (self, std::str::from_utf8(bytes)) {
            (Form::Text, Ok(text)) => ("text", json!(text)),
            (Form::Text, Err(_)) | (Form::Hex, _) => ("hex", json!(hex(bytes))),
            (Form::Json | Form::Msgpack, _) => ("value", self.value(bytes)),
        }
    }

    /// The message as a value of JSON. Bytes that are not in the form become `{"hex": …}`.
    fn value(self, bytes: &[u8]) -> Value {
        let value = match self {
            Form::Text => std::str::from_utf8(bytes).ok().map(Value::from),
            Form::Hex => Some(json!(hex(bytes))),
            Form::Json => serde_json::from_slice(bytes).ok(),
            Form::Msgpack => msgpack(bytes),
        };
        value.unwrap_or_else(|| json!({ "hex": hex(bytes) }))
    }

    /// The message on one line, fit for a terminal.
    pub fn line(self, bytes: &[u8]) -> String {
        match self {
            Form::Text => clean(&String::from_utf8_lossy(bytes)),
            Form::Hex => hex(bytes),
            Form::Json | Form::Msgpack => json_line(&self.value(bytes)),
        }
    }
}

/// Text that other processes chose, on one line and without characters that command a terminal.
pub fn clean(text: &str) -> String {
    clean_except(text, &[])
}

/// As [`clean`], and leaves the characters of `kept`.
pub fn clean_except(text: &str, kept: &[char]) -> String {
    escape(text, |character, clean| match kept.contains(&character) {
        true => clean.push(character),
        false => clean.extend(character.escape_default()),
    })
}

/// JSON on one line, without characters that command a terminal. They are escaped as JSON does.
pub fn json_line(value: &Value) -> String {
    escape(&value.to_string(), |character, clean| {
        clean.push_str(&format!("\\u{:04x}", character as u32));
    })
}

fn escape(text: &str, replace: impl Fn(char, &mut String)) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        match commands(character) {
            true => replace(character, &mut clean),
            false => clean.push(character),
        }
    }
    clean
}

/// Whether a character moves the cursor, starts a command, or turns the direction of writing. Each
/// has at most 16 bits.
fn commands(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.map(|nibble| DIGITS[usize::from(nibble)]).collect()
}

/// How deep a value of MessagePack may be nested: as deep as JSON is read.
const DEPTH: usize = 120;

fn msgpack(mut bytes: &[u8]) -> Option<Value> {
    let value = rmpv::decode::read_value_ref_with_max_depth(&mut bytes, DEPTH).ok()?;
    bytes.is_empty().then(|| json_of(&value))
}

/// The nearest value of JSON. Bytes become `{"hex": …}`, an extension `{"ext": type, "hex": …}`, a
/// number that is not finite a string, and a key that is no string the text of its JSON.
fn json_of(value: &rmpv::ValueRef<'_>) -> Value {
    use rmpv::ValueRef;
    match value {
        ValueRef::Nil => Value::Null,
        ValueRef::Boolean(is_so) => json!(is_so),
        ValueRef::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => json!(number),
            (_, number) => json!(number),
        },
        ValueRef::F32(number) => float(f64::from(*number)),
        ValueRef::F64(number) => float(*number),
        ValueRef::String(text) => match text.as_str() {
            Some(text) => json!(text),
            None => json!({ "hex": hex(text.as_bytes()) }),
        },
        ValueRef::Binary(bytes) => json!({ "hex": hex(bytes) }),
        ValueRef::Array(values) => values.iter().map(json_of).collect(),
        ValueRef::Map(pairs) => {
            let fields = pairs.iter().map(|(key, value)| {
                let key = match json_of(key) {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                (key, json_of(value))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        ValueRef::Ext(kind, bytes) => json!({ "ext": kind, "hex": hex(bytes) }),
    }
}

fn float(number: f64) -> Value {
    match number.is_finite() {
        true => json!(number),
        false => json!(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_one_line() {
        assert_eq!(Form::Text.line(b"a\nb\xff"), "a\\nb\u{fffd}");
        assert_eq!(Form::Hex.line(b"\0\xff"), "00ff");
        assert_eq!(Form::Json.line(b"{ \"a\": [1,\n2] }"), "{\"a\":[1,2]}");
        let packed = b"\x94\xa5hello\x58\xc4\x02\x00\x01\x82\x01\xc0\xa1x\xcb\x7f\xf8\0\0\0\0\0\0";
        assert_eq!(
            Form::Msgpack.line(packed),
            r#"["hello",88,{"hex":"0001"},{"1":null,"x":"NaN"}]"#
        );
        assert_eq!(
            Form::Msgpack.line(b"\xd4\x05\x01"),
            r#"{"ext":5,"hex":"01"}"#
        );
    }

    #[test]
    fn bytes_that_are_not_in_the_form_are_shown() {
        assert_eq!(Form::Json.line(b"{"), r#"{"hex":"7b"}"#);
        assert_eq!(Form::Text.field(b"\xff"), ("hex", json!("ff")));
        let deep = [0x91; 5000];
        for bad in [
            &b""[..],
            b"\x01\x02",
            b"\xa5he",
            b"\xdd\xff\xff\xff\xff",
            &deep,
        ] {
            let shown = json!({ "hex": hex(bad) });
            assert_eq!(Form::Msgpack.field(bad), ("value", shown));
        }
    }

    #[test]
    fn a_terminal_gets_no_commands() {
        assert_eq!(
            clean_except("a\tb\n\x1b[2J\u{9b}z\u{202e}", &['\n', '\t']),
            "a\tb\n\\u{1b}[2J\\u{9b}z\\u{202e}"
        );
        let value = json!("\x1b\u{9b}\u{202e}");
        let line = json_line(&value);
        assert_eq!(line, r#""\u001b\u009b\u202e""#);
        assert_eq!(serde_json::from_str::<Value>(&line).ok(), Some(value));
    }
}
