//! What the backend is told of the request that opened a connection.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr, sync::Arc};

use http::{HeaderMap, header, request::Parts};
use serde_json::value::RawValue;
use sluice_backend::ClientRequest;
use sluice_policy::{Handshake, Policy};

/// What of `auth` is the gateway's own and no business of the backend's.
const OWN: [&str; 2] = ["pid", "offset"];

/// What is kept of a request from there: all that the backend and applications are told of it, each
/// of its own part.
pub(crate) fn kept(policy: &Policy, head: &Parts, address: IpAddr) -> Option<Arc<ClientRequest>> {
    let backend = policy.backend.as_ref().filter(|b| b.ask_on_connect);
    let backend = backend.and_then(|backend| backend.handshake.as_ref());
    if backend.is_none() && policy.applications().len() == 0 {
        return None;
    }
    let applications = policy.applications();
    let named = applications.filter_map(|name| policy.application_handshake(name));
    let mut request = nothing_of(address);
    for named in named.chain(backend) {
        request.headers.extend(headers(named, &head.headers));
        request.cookies.extend(cookies(named, &head.headers));
        let parameters = query(named, head.uri.query().unwrap_or_default());
        request.query.extend(parameters);
    }
    Some(Arc::new(request))
}

/// What is told of a request: what is named of it, and no more.
pub(crate) fn told(request: &ClientRequest, named: Option<&Handshake>) -> ClientRequest {
    let mut told = nothing_of(request.address);
    if let Some(named) = named {
        let only = |all: &BTreeMap<Box<str>, String>, names: &[Box<str>]| {
            let found = names.iter().filter_map(|name| all.get_key_value(name));
            found
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        told.headers = only(&request.headers, &named.headers);
        told.cookies = only(&request.cookies, &named.cookies);
        told.query = only(&request.query, &named.query);
    }
    told
}

fn nothing_of(address: IpAddr) -> ClientRequest {
    ClientRequest {
        address,
        headers: BTreeMap::new(),
        cookies: BTreeMap::new(),
        query: BTreeMap::new(),
    }
}

/// An `auth` without what is the gateway's own, and without the token where the gateway has
/// checked it: its claims are told. What is no object is told as it is.
pub(crate) fn auth(policy: &Policy, json: &str) -> Option<Box<RawValue>> {
    if json.is_empty() {
        return None;
    }
    let Ok(mut fields) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(json) else {
        return RawValue::from_string(json.to_owned()).ok();
    };
    let checked = policy.auth.tokens.is_some();
    let own = |name: &str| OWN.contains(&name) || (checked && name == "token");
    fields.retain(|name, _| !own(name));
    serde_json::value::to_raw_value(&fields).ok()
}

fn headers(named: &Handshake, headers: &HeaderMap) -> BTreeMap<Box<str>, String> {
    let value = |name: &str| {
        let values = headers.get_all(name).into_iter();
        let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        (!texts.is_empty()).then(|| (name.into(), texts.join(", ")))
    };
    let wanted = named.headers.iter();
    wanted.filter_map(|name| value(name)).collect()
}

/// Of several cookies of one name the first counts, which is the one of the longest path (RFC
/// 6265, section 5.4).
fn cookies(named: &Handshake, headers: &HeaderMap) -> BTreeMap<Box<str>, String> {
    let mut cookies = BTreeMap::new();
    let lines = headers.get_all(header::COOKIE).into_iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    for (name, value) in texts
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
    {
        if let Some(name) = named.cookies.iter().find(|known| &***known == name) {
            let first = cookies.entry(name.clone());
            first.or_insert_with(|| value.to_owned());
        }
    }
    cookies
}

fn query(named: &Handshake, query: &str) -> BTreeMap<Box<str>, String> {
    let mut parameters = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if let Some(name) = named.query.iter().find(|known| ***known == *name) {
            let first = parameters.entry(name.clone());
            first.or_insert_with(|| value.into_owned());
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Handshake {
        let names: Box<[Box<str>]> = names.iter().map(|name| (*name).into()).collect();
        Handshake {
            headers: names.clone(),
            cookies: names.clone(),
            query: names,
        }
    }

    fn map(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, http::HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    #[test]
    fn only_what_is_named_is_told() {
        let map = map(&[
            ("x-api-key", b"k"),
            ("x-other", b"o"),
            ("cookie", b"other=1; x-api-key=2;x-api-key=3"),
            ("cookie", b"x-api-key=4"),
        ]);
        let named = named(&["x-api-key", "missing"]);
        let of = |value: &str| BTreeMap::from([("x-api-key".into(), value.to_owned())]);
        assert_eq!(headers(&named, &map), of("k"));
        assert_eq!(cookies(&named, &map), of("2"));
        assert_eq!(
            query(&named, "x-other=1&x-api-key=a%20b+c&x-api-key=d"),
            of("a b c")
        );
        assert!(query(&named, "").is_empty());
    }

    #[test]
    fn several_headers_of_one_name_are_one_and_what_is_no_text_is_left_out() {
        let map = map(&[("x", b"a"), ("x", b"\xff"), ("x", b"b"), ("y", b"\xff")]);
        let told = headers(&named(&["x", "y"]), &map);
        assert_eq!(told, BTreeMap::from([("x".into(), "a, b".to_owned())]));
    }
}
