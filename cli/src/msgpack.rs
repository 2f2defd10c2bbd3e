//! JSON as MessagePack.

use serde_json::Value;

/// Writes a JSON value as MessagePack. Integers stay exact.
pub fn from_json(value: &Value) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &value_of(value)).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn value_of(value: &Value) -> rmpv::Value {
    match value {
        Value::Null => rmpv::Value::Nil,
        Value::Bool(is) => (*is).into(),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => number.into(),
            (_, Some(number), _) => number.into(),
            (_, _, number) => number.map_or(rmpv::Value::Nil, Into::into),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => rmpv::Value::Array(values.iter().map(value_of).collect()),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| (key.as_str().into(), value_of(value));
            rmpv::Value::Map(entries.iter().map(entry).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Form;

    #[test]
    fn what_json_has_goes_both_ways() {
        let text = r#"{"b":[null,true,18446744073709551615,-9223372036854775808,1.5,"é"],"a":{}}"#;
        let value: Value = serde_json::from_str(text).expect("JSON");
        let bytes = from_json(&value).expect("MessagePack");
        assert_eq!(Form::Msgpack.line(&bytes), text);
    }
}
