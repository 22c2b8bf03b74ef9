//! What a server's `-ERR` means, and what a person can do.

/// What a server complains about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Complaint {
    /// The credentials: trying again soon helps nobody.
    Credentials,
    /// One operation, which had no effect. The connection goes on.
    Operation,
    /// Anything else. The server closes the connection if it means to.
    Other,
}

/// What the text of an `-ERR` complains about, and what to do.
pub(super) fn understand(text: &str) -> (Complaint, &'static str) {
    let text = text.to_ascii_lowercase();
    let begins = |part: &str| text.starts_with(part);
    if begins("permissions violation") {
        let todo = "allow the gateway's user to publish and subscribe there";
        (Complaint::Operation, todo)
    } else if begins("maximum subscriptions") {
        (
            Complaint::Operation,
            "raise max_subscriptions of the NATS servers",
        )
    } else if begins("invalid") && text.ends_with("subject") {
        (
            Complaint::Operation,
            "please report it: the gateway should not have sent this",
        )
    } else if text.contains("auth") || text.contains("account registration") {
        let todo = "check the user, token or credentials that the gateway is given";
        (Complaint::Credentials, todo)
    } else {
        (Complaint::Other, other(&text))
    }
}

fn other(text: &str) -> &'static str {
    match text {
        _ if text.contains("slow consumer") => {
            "the gateway does not keep up with its messages; give it more CPU, or add gateways"
        }
        _ if text.contains("stale") => {
            "the gateway did not answer in time; see whether it or the network is overloaded"
        }
        _ if text.contains("payload") => "raise max_payload of the NATS servers",
        _ if text.contains("connections exceeded") => "raise max_connections of the NATS servers",
        _ if text.contains("tls") => "use tls:// in the URLs of the NATS servers",
        _ => "see the log of the NATS server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_complains_about_the_credentials_an_operation_or_else() {
        let cases = [
            ("Authorization Violation", Complaint::Credentials),
            ("User Authentication Expired", Complaint::Credentials),
            ("Account Authentication Expired", Complaint::Credentials),
            ("Authentication Timeout", Complaint::Credentials),
            (
                "Permissions Violation for Publish to \"authorization\"",
                Complaint::Operation,
            ),
            (
                "Permissions Violation for Subscription to \"a\" (sid \"1\")",
                Complaint::Operation,
            ),
            ("maximum subscriptions exceeded", Complaint::Operation),
            ("Invalid Subject", Complaint::Operation),
            ("Stale Connection", Complaint::Other),
            ("Slow Consumer", Complaint::Other),
            ("Maximum Payload Violation", Complaint::Other),
        ];
        for (text, complaint) in cases {
            assert_eq!(understand(text).0, complaint, "{text}");
        }
    }
}
