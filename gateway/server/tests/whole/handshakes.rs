//! What a backend is told of a client, and what it says of its session.

use serde_json::{Value, json};

use crate::{
    backend::{answer, backend, gateway, next, subscribe},
    native::Native,
    socketio::SocketIo,
    support::{
        Gateway,
        fleet::{Fleet, with_fleet},
    },
};

/// A gateway of a cluster that checks no tokens.
async fn without_tokens(fleet: &Fleet) -> Gateway {
    let named = json!({"headers": ["X-Api-Key"], "cookies": ["sid"], "query": ["room"]});
    let more = json!({"askOnConnect": true, "tellOnDisconnect": true, "handshake": named});
    let mut cluster = fleet.cluster(backend(more));
    cluster["spec"]["auth"] = json!({"required": false});
    fleet.gateway("a", &[cluster]).await
}

async fn open(gateway: &Gateway) -> Native {
    let headers = [
        ("cookie", "other=1; sid=abc"),
        ("x-api-key", "k"),
        ("x-other", "o"),
    ];
    Native::open_with(gateway, "?room=7&other=1", &headers).await
}

fn in_an_hour() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() + 3600
}

#[test]
fn a_backend_lets_in_whom_it_knows_by_a_cookie_and_says_who_that_is() {
    with_fleet(async |fleet| {
        let gateway = without_tokens(&fleet).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut events = subscribe(&fleet, "up.=2F.order").await;
        let mut disconnects = subscribe(&fleet, "disconnected.=2F").await;
        let accept = json!({"user": "ann", "data": {"cart": 7}, "expires": in_an_hour()});
        let accept = accept.to_string();

        let mut client = open(&gateway).await;
        let auth = json!({"plan": "free", "token": "own", "pid": "none", "offset": "none"});
        let serve = async {
            let (body, reply) = next(&mut connects).await;
            answer(&fleet.client, reply, &accept).await;
            body
        };
        let connect = json!({"op": "connect", "auth": auth});
        let (first, told) = tokio::join!(client.ask(connect), serve);
        let handshake = json!({
            "address": "127.0.0.1", "headers": {"x-api-key": "k"}, "cookies": {"sid": "abc"},
            "query": {"room": "7"}, "auth": {"plan": "free", "token": "own"},
        });
        assert_eq!(
            (&told["handshake"], &told["user"]),
            (&handshake, &json!(""))
        );
        assert_eq!(
            (&first["user"], &first["ok"]),
            (&json!("ann"), &json!(true))
        );

        let serve = async {
            let (body, reply) = next(&mut events).await;
            answer(&fleet.client, reply, "").await;
            body
        };
        let order = json!({"op": "emit", "event": "order", "data": 1});
        let (_, event) = tokio::join!(client.ask(order), serve);
        let known = (&json!("ann"), &json!({"cart": 7}));
        assert_eq!((&event["user"], &event["sessionData"]), known);
        drop(client);
        let (gone, _) = next(&mut disconnects).await;
        let gone = &gone["sessions"][0];
        assert_eq!((&gone["user"], &gone["sessionData"]), known);

        // It comes back, and the backend is asked who it is and then whether it may go on.
        let mut client = open(&gateway).await;
        let serve = async {
            let mut asked = Vec::new();
            for _ in 0..2 {
                let (body, reply) = next(&mut connects).await;
                answer(&fleet.client, reply, &accept).await;
                asked.push((body["user"].clone(), body["recovered"].clone(), body));
            }
            asked
        };
        let connect = json!({"op": "connect", "pid": first["pid"]});
        let (again, asked) = tokio::join!(client.ask(connect), serve);
        assert_eq!((&asked[0].0, &asked[0].1), (&json!(""), &json!(false)));
        assert_eq!((&asked[1].0, &asked[1].1), (&json!("ann"), &json!(true)));
        assert_eq!(asked[1].2["session"], first["session"]);
        let goes_on = (&first["session"], &json!(true));
        assert_eq!((&again["session"], &again["recovered"]), goes_on);
    });
}

#[test]
fn a_backend_refuses_with_a_message_and_data_of_its_own() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({"askOnConnect": true})).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let refusal = json!({"code": "unpaid", "message": "Pay first.", "data": {"due": 7}});
        let mut serve = async || {
            let (body, reply) = next(&mut connects).await;
            let text = json!({"error": refusal}).to_string();
            answer(&fleet.client, reply, &text).await;
            body
        };
        let (packet, told) = tokio::join!(SocketIo::refused(&gateway, "ann"), serve());
        assert_eq!(
            (&packet["message"], &packet["data"]),
            (&json!("Pay first."), &refusal)
        );
        assert_eq!(
            told["handshake"],
            Value::Null,
            "nothing is told that is not named"
        );
        let ((_, refused), _) = tokio::join!(Native::enter(&gateway, "ann"), serve());
        assert_eq!(refused["error"], refusal);
    });
}

#[test]
fn an_answer_that_says_what_cannot_be_lets_nobody_in() {
    with_fleet(async |fleet| {
        let gateway = without_tokens(&fleet).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        for text in [r#"{"user":""}"#, r#"{"expires":1}"#, r#"{"name":"ann"}"#] {
            let mut client = open(&gateway).await;
            let serve = async {
                let (_, reply) = next(&mut connects).await;
                answer(&fleet.client, reply, text).await;
            };
            let (refused, ()) = tokio::join!(client.ask(json!({"op": "connect"})), serve);
            assert_eq!(
                refused["error"]["code"], "backend_answer_invalid",
                "{refused}"
            );
        }
    });
}
