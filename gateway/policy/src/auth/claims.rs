//! The claims that decide whether a token counts (RFC 7519 section 4.1).

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The claims that decide, read in one pass; all others are passed over.
#[derive(Debug, Default)]
pub(crate) struct Claims<'c> {
    pub(crate) issuer: Option<Cow<'c, str>>,
    /// Whether `aud` is or contains the audience that was asked for.
    pub(crate) is_for_audience: bool,
    pub(crate) expires_at: Option<u64>,
    pub(crate) not_before: Option<u64>,
    pub(crate) issued_at: Option<u64>,
    pub(crate) token_id: Option<Cow<'c, str>>,
    pub(crate) user: Option<Cow<'c, str>>,
}

/// What is looked for in the claims.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'w> {
    pub(crate) audience: Option<&'w str>,
    pub(crate) user_claim: &'w str,
}

impl Wanted<'_> {
    /// Reads a payload. An object that names one of these claims twice is refused.
    pub(crate) fn read(self, payload: &str) -> Result<Claims<'_>, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(payload);
        let claims = self.deserialize(&mut json)?;
        json.end()?;
        Ok(claims)
    }
}

impl<'c> DeserializeSeed<'c> for Wanted<'_> {
    type Value = Claims<'c>;

    fn deserialize<D: Deserializer<'c>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'c> Visitor<'c> for Wanted<'_> {
    type Value = Claims<'c>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'c>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut claims = Claims::default();
        let mut has_audience = false;
        while let Some(Text(name)) = map.next_key()? {
            if name == self.user_claim {
                let user = map.next_value::<Name<'c>>()?.0;
                if name == "jti" {
                    claims.token_id.clone_from(&user);
                } else if name == "iss" {
                    claims.issuer.clone_from(&user);
                }
                once(&mut claims.user, user)?;
                continue;
            }
            match &*name {
                "iss" => once(
                    &mut claims.issuer,
                    map.next_value::<Option<Text<'c>>>()?.map(|t| t.0),
                )?,
                "aud" if has_audience => return Err(A::Error::custom("`aud` is there twice")),
                "aud" => {
                    has_audience = true;
                    claims.is_for_audience = map.next_value_seed(Audience(self.audience))?;
                }
                "exp" => once(
                    &mut claims.expires_at,
                    Some(map.next_value::<Date>()?.floor()),
                )?,
                "nbf" => once(
                    &mut claims.not_before,
                    Some(map.next_value::<Date>()?.ceil()),
                )?,
                "iat" => once(
                    &mut claims.issued_at,
                    Some(map.next_value::<Date>()?.floor()),
                )?,
                "jti" => once(
                    &mut claims.token_id,
                    map.next_value::<Option<Text<'c>>>()?.map(|t| t.0),
                )?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(claims)
    }
}

fn once<T, E: Error>(place: &mut Option<T>, value: Option<T>) -> Result<(), E> {
    if place.is_some() {
        return Err(E::custom("a claim is there twice"));
    }
    *place = value;
    Ok(())
}

/// A string, borrowed where it has no escapes, also inside an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'c>(#[serde(borrow)] pub(crate) Cow<'c, str>);

/// A user's name: a string, or a whole number as databases like to give; anything else names
/// nobody.
struct Name<'c>(Option<Cow<'c, str>>);

impl<'c> Deserialize<'c> for Name<'c> {
    fn deserialize<D: Deserializer<'c>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<'c> {
            #[serde(borrow)]
            Text(Text<'c>),
            Number(i64),
            Other(IgnoredAny),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::Text(Text(text)) => Some(text),
            Form::Number(number) => Some(number.to_string().into()),
            Form::Other(_) => None,
        }))
    }
}

/// A `NumericDate`: seconds since 1970, with or without a fraction.
#[derive(Deserialize)]
#[serde(transparent)]
struct Date(f64);

impl Date {
    // A conversion from a float ends at the bounds of the target and never wraps.
    #[allow(clippy::cast_sign_loss)]
    fn floor(self) -> u64 {
        self.0.floor() as u64
    }

    #[allow(clippy::cast_sign_loss)]
    fn ceil(self) -> u64 {
        self.0.ceil() as u64
    }
}

/// Reads `aud`, a string or a list of them, and says whether it has the one that is wanted.
struct Audience<'w>(Option<&'w str>);

impl<'c> DeserializeSeed<'c> for Audience<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'c>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'c> Visitor<'c> for Audience<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        Ok(self.0 == Some(text))
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'c>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(Text(audience)) = list.next_element()? {
            found |= self.0 == Some(&*audience);
        }
        Ok(found)
    }
}
