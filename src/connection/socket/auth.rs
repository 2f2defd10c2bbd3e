//! Challenge and answer: each side proves that it has the key without sending the key.
//!
//! A challenge is `#CHALLENGE#` and a text M. Since Python 3.12, M is `{sha256}` and 40 random
//! bytes, and the answer is `{hash}` and the HMAC of all of M with that hash. The older M is 20
//! random bytes, and the older answer is only the HMAC-MD5 of M. Both roles speak and understand
//! both forms.

use hmac::{KeyInit, Mac, SimpleHmac};
use md5::Md5;
use sha2::{Sha256, Sha384};
use sha3::{Sha3_256, Sha3_384};

use crate::status::{Result, Status};
use crate::sys::getrandom;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const PREFIX: &[u8] = b"{sha256}";
const RANDOM: usize = 40;
/// The length of M from a peer that knows only MD5, and of its answer.
const OLD_CHALLENGE: usize = 20;
const OLD_ANSWER: usize = 16;

pub(crate) const WELCOME: &[u8] = b"#WELCOME#";
pub(crate) const FAILURE: &[u8] = b"#FAILURE#";
/// The longest message of a handshake.
pub(crate) const LONGEST: u64 = 256;

/// The secret that both sides have, and whether they accept MD5.
pub(crate) struct Key {
    pub(crate) bytes: Vec<u8>,
    pub(crate) allow_md5: bool,
}

#[derive(Clone, Copy)]
enum Hash {
    Md5,
    Sha256,
    Sha384,
    Sha3_256,
    Sha3_384,
}

impl Hash {
    const ALL: [(&'static [u8], Hash); 5] = [
        (b"{md5}", Hash::Md5),
        (b"{sha256}", Hash::Sha256),
        (b"{sha384}", Hash::Sha384),
        (b"{sha3_256}", Hash::Sha3_256),
        (b"{sha3_384}", Hash::Sha3_384),
    ];

    /// The hash that the text names, its prefix, and the rest of the text.
    fn named(text: &[u8]) -> Option<(Hash, &'static [u8], &[u8])> {
        Hash::ALL.iter().find_map(|(prefix, hash)| {
            let rest = text.strip_prefix(*prefix)?;
            Some((*hash, *prefix, rest))
        })
    }
}

impl Key {
    /// The hash, if it is allowed.
    fn allow(&self, hash: Hash) -> Result<Hash> {
        match hash {
            Hash::Md5 if !self.allow_md5 => Err(Status::E_AUTH),
            _ => Ok(hash),
        }
    }

    fn mac(&self, hash: Hash, text: &[u8]) -> Result<Vec<u8>> {
        fn of<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Result<Vec<u8>> {
            Ok(keyed::<M>(key, text)?.finalize().into_bytes().to_vec())
        }
        match hash {
            Hash::Md5 => of::<SimpleHmac<Md5>>(&self.bytes, text),
            Hash::Sha256 => of::<SimpleHmac<Sha256>>(&self.bytes, text),
            Hash::Sha384 => of::<SimpleHmac<Sha384>>(&self.bytes, text),
            Hash::Sha3_256 => of::<SimpleHmac<Sha3_256>>(&self.bytes, text),
            Hash::Sha3_384 => of::<SimpleHmac<Sha3_384>>(&self.bytes, text),
        }
    }

    /// Compare in constant time.
    fn verify(&self, hash: Hash, text: &[u8], mac: &[u8]) -> Result<()> {
        fn is<M: Mac + KeyInit>(key: &[u8], text: &[u8], mac: &[u8]) -> Result<()> {
            let own = keyed::<M>(key, text)?;
            own.verify_slice(mac).map_err(|_| Status::E_AUTH)
        }
        match hash {
            Hash::Md5 => is::<SimpleHmac<Md5>>(&self.bytes, text, mac),
            Hash::Sha256 => is::<SimpleHmac<Sha256>>(&self.bytes, text, mac),
            Hash::Sha384 => is::<SimpleHmac<Sha384>>(&self.bytes, text, mac),
            Hash::Sha3_256 => is::<SimpleHmac<Sha3_256>>(&self.bytes, text, mac),
            Hash::Sha3_384 => is::<SimpleHmac<Sha3_384>>(&self.bytes, text, mac),
        }
    }

    /// A fresh challenge, in its form on the wire.
    pub(crate) fn challenge(&self) -> Result<Vec<u8>> {
        let mut random = [0; RANDOM];
        getrandom::fill(&mut random)?;
        Ok([CHALLENGE, PREFIX, &random].concat())
    }

    /// Check `answer` against `challenge`. `E_AUTH` when it does not match.
    pub(crate) fn judge(&self, challenge: &[u8], answer: &[u8]) -> Result<()> {
        let text = challenge
            .strip_prefix(CHALLENGE)
            .ok_or(Status::E_INTERNAL)?;
        let (hash, mac) = match Hash::named(answer) {
            _ if answer.len() == OLD_ANSWER => (Hash::Md5, answer),
            Some((hash, _, mac)) => (hash, mac),
            None => return Err(Status::E_AUTH),
        };
        self.verify(self.allow(hash)?, text, mac)
    }

    /// The answer to the peer's challenge. `E_AUTH` when the message is no challenge, or asks for
    /// MD5 where MD5 is not allowed.
    pub(crate) fn answer(&self, challenge: &[u8]) -> Result<Vec<u8>> {
        let text = challenge.strip_prefix(CHALLENGE).ok_or(Status::E_AUTH)?;
        if text.len() == OLD_CHALLENGE {
            return self.mac(self.allow(Hash::Md5)?, text);
        }
        let (hash, prefix, _) = Hash::named(text).ok_or(Status::E_AUTH)?;
        Ok([prefix, &self.mac(self.allow(hash)?, text)?].concat())
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Result<M> {
    let mac = <M as KeyInit>::new_from_slice(key).map_err(|_| Status::E_INTERNAL)?;
    Ok(mac.chain_update(text))
}

/// Whether a message is a challenge: to a connector without a key it means that one is required.
pub(crate) fn is_challenge(message: &[u8]) -> bool {
    message.strip_prefix(CHALLENGE).is_some_and(|text| {
        text.len() == OLD_CHALLENGE
            || Hash::named(text).is_some_and(|(_, _, rest)| rest.len() == RANDOM)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(allow_md5: bool) -> Key {
        Key {
            bytes: b"Hello World!".to_vec(),
            allow_md5,
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn counting(prefix: &[u8], n: u8) -> Vec<u8> {
        [CHALLENGE, prefix, &(0..n).collect::<Vec<u8>>()].concat()
    }

    const OLD: &str = "6abc9e865d02119010fcd45922003cc2";
    const RAW: &str = "f74c9f37dbbe34879fec590ce40d73c7";
    const NEW: &str = "0749b1fa051cda9bdc9d3ec0c1aad5e5d7b2f68d99e1ca9ac60b69e6b8670aed";

    #[test]
    fn the_known_answers() {
        let key = key(true);
        assert_eq!(key.answer(&counting(b"", 20)), Ok(bytes(OLD)));
        let challenge = counting(b"{sha256}", 40);
        let answer = [b"{sha256}", &bytes(NEW)[..]].concat();
        assert_eq!(key.answer(&challenge), Ok(answer.clone()));
        assert_eq!(key.judge(&challenge, &answer), Ok(()));
        assert_eq!(key.judge(&challenge, &bytes(RAW)), Ok(()));
    }

    /// From `hmac.new(b"Hello World!", b"{md5}" + bytes(range(40)), "md5")` and so on in CPython.
    #[test]
    fn each_hash_as_python_computes_it() {
        let key = key(true);
        for (prefix, mac) in PYTHON {
            let answer = [prefix.as_bytes(), &bytes(mac)[..]].concat();
            assert_eq!(
                key.answer(&counting(prefix.as_bytes(), 40)),
                Ok(answer),
                "{prefix}"
            );
        }
    }

    #[test]
    fn a_wrong_answer_is_none() {
        let key = key(true);
        let challenge = counting(b"{sha256}", 40);
        let mut wrong = key.answer(&challenge).expect("an answer");
        assert_eq!(key.judge(&challenge, &wrong[..20]), Err(Status::E_AUTH));
        wrong[9] ^= 1;
        for answer in [
            &wrong[..],
            b"",
            b"{sha256}",
            b"{sha1}01234567890123456789",
            &[0; 16],
        ] {
            assert_eq!(key.judge(&challenge, answer), Err(Status::E_AUTH));
        }
        for challenge in [
            &b""[..],
            b"#CHALLENGE",
            b"#CHALLENGE#",
            b"#CHALLENGE#{sha1}0123456789",
        ] {
            assert_eq!(key.answer(challenge), Err(Status::E_AUTH));
        }
    }

    #[test]
    fn md5_can_be_switched_off() {
        let key = key(false);
        let challenge = counting(b"{sha256}", 40);
        assert_eq!(key.judge(&challenge, &bytes(RAW)), Err(Status::E_AUTH));
        assert_eq!(key.answer(&counting(b"", 20)), Err(Status::E_AUTH));
        assert_eq!(key.answer(&counting(b"{md5}", 40)), Err(Status::E_AUTH));
        assert!(key.answer(&challenge).is_ok());
    }

    #[test]
    fn a_fresh_challenge_is_fresh_and_answered() {
        let key = key(true);
        let [first, second] = [0; 2].map(|_| key.challenge().expect("random bytes"));
        assert_ne!(first, second);
        assert!(is_challenge(&first));
        let answer = key.answer(&first).expect("an answer");
        assert_eq!(key.judge(&first, &answer), Ok(()));
        assert_eq!(key.judge(&second, &answer), Err(Status::E_AUTH));
    }

    const PYTHON: [(&str, &str); 5] = [
        ("{md5}", "18bc001dc5d0ceac8bf024d2031dde04"),
        ("{sha256}", "0749b1fa051cda9bdc9d3ec0c1aad5e5d7b2f68d99e1ca9ac60b69e6b8670aed"),
        ("{sha384}", "ade6c582f3e9abf5bb824584fd6cec74093680a50c88a72f7d368d5a831c240e83b98030cd9379038007d0b85c9d1c59"),
        ("{sha3_256}", "50c13f04646f8032a77886afa8cddae4b53886f4fe1435f12c8d8e8eb152db4e"),
        ("{sha3_384}", "d63b89722364163cb9b3112070f1b85af07261937baec522a53d5c65a1b9cdbf616093ff620ec9a23da85673f6dc1931"),
    ];
}
