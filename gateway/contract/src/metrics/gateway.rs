//! What a gateway shows.

crate::metrics! {
    Gauge CONNECTIONS = "sluice_connections",
        "Client connections open now.";
    Gauge CONNECTIONS_PEAK = "sluice_connections_peak",
        "The most client connections that were open at once.";
    Gauge CONNECTIONS_LIMIT = "sluice_connections_limit",
        "The most client connections that the gateway takes.";
    Counter CONNECTIONS_OPENED = "sluice_connections_opened_total",
        "Sessions that got a connection.";
    Counter CONNECTIONS_CLOSED = "sluice_connections_closed_total" ["cause"],
        "Sessions that lost or ended their connection.";
    Gauge SESSIONS = "sluice_sessions",
        "Sessions, connected or recoverable.";
    Gauge SESSIONS_DETACHED = "sluice_sessions_detached",
        "Sessions without a connection that can be recovered.";
    Gauge SOCKETS = "sluice_sockets",
        "TCP connections open now.";
    Counter SOCKETS_ACCEPTED = "sluice_sockets_accepted_total",
        "TCP connections accepted.";
    Counter SOCKETS_REFUSED = "sluice_sockets_refused_total",
        "TCP connections closed at once because the gateway was full.";
    Counter HANDSHAKES_FAILED = "sluice_handshakes_failed_total",
        "TLS and HTTP handshakes that failed.";
    Counter RECOVERIES = "sluice_recoveries_total" ["outcome"],
        "Sessions and rooms that clients wanted to recover.";

    Counter MESSAGES_PUBLISHED = "sluice_messages_published_total",
        "Messages that clients published to rooms.";
    Counter MESSAGES_DUPLICATE = "sluice_messages_duplicate_total",
        "Messages published again under the same id.";
    Counter MESSAGES_DELIVERED = "sluice_messages_delivered_total",
        "Messages handed to members' connections.";
    Counter MESSAGES_DROPPED = "sluice_messages_dropped_total",
        "Messages dropped for members that read too slowly.";
    Counter MESSAGES_THROTTLED = "sluice_messages_throttled_total",
        "Messages refused because their connection was too fast.";
    Counter SLOW_CONSUMERS = "sluice_slow_consumers_total",
        "Connections closed because they read too slowly.";
    Histogram DELIVERY_LATENCY_SECONDS = "sluice_delivery_latency_seconds",
        "From a message's acceptance until it was written to all members of a worker.";
    Gauge QUEUE_BYTES = "sluice_queue_bytes",
        "Bytes that wait in outbound queues.";
    Gauge QUEUE_LIMIT_BYTES = "sluice_queue_limit_bytes",
        "Bytes that may wait in all outbound queues together; 0 where there is no limit.";
    Gauge REPLAY_BYTES = "sluice_replay_bytes",
        "Bytes of messages that wait to be sent to clients that catch up; many may share them.";
    Counter RECEIVED_BYTES = "sluice_received_bytes_total",
        "Bytes read from WebSocket connections.";
    Counter SENT_BYTES = "sluice_sent_bytes_total",
        "Bytes written to WebSocket connections.";
    Counter SENT_FRAMES = "sluice_sent_frames_total",
        "Frames queued for WebSocket connections.";
    Counter WRITES = "sluice_writes_total",
        "Writes to WebSocket connections; fewer than frames where frames coalesce.";

    Gauge ROOMS = "sluice_rooms",
        "Rooms with members or messages.";
    Gauge ROOM_MEMBERSHIPS = "sluice_room_memberships",
        "Sessions in rooms, one for each room.";
    Histogram ROOM_MEMBERS = "sluice_room_members",
        "Members of each room there is now.";
    Gauge HISTORY_MESSAGES = "sluice_history_messages",
        "Messages kept in histories.";
    Gauge HISTORY_BYTES = "sluice_history_bytes",
        "Memory that histories hold, roughly.";

    Gauge APPLICATION_INSTANCES = "sluice_application_instances",
        "Instances of applications that this gateway hears.";
    Gauge APPLICATION_SESSIONS = "sluice_application_sessions",
        "Sessions that are attached to instances of applications, or wait for one.";
    Gauge APPLICATION_HELD_BYTES = "sluice_application_held_bytes",
        "Bytes that wait for instances of applications.";
    Gauge APPLICATION_WAITING_BYTES = "sluice_application_waiting_bytes",
        "Bytes of clients' events that wait at this gateway for an instance.";
    Gauge APPLICATION_PAUSED_SESSIONS = "sluice_application_paused_sessions",
        "Sessions whose clients are not read, since too much of what they sent waits.";
    Gauge APPLICATION_RECOVERY_BYTES = "sluice_application_recovery_bytes",
        "Bytes of what instances emitted, and of sessions without a connection, kept for clients that come back.";
    Counter APPLICATION_EVENTS = "sluice_application_events_total" ["outcome"],
        "Clients' events for applications, by what became of them.";
    Counter APPLICATION_HANDOVERS = "sluice_application_handovers_total",
        "Sessions that went from one instance to the next in order.";
    Counter APPLICATION_ENTRIES = "sluice_application_entries_total" ["outcome"],
        "What this gateway and instances said to each other, by what became of it.";
    Counter APPLICATION_INSTANCES_GONE = "sluice_application_instances_gone_total" ["reason"],
        "Instances that went, by how.";
    Counter APPLICATION_FRAMES_SENT_AGAIN = "sluice_application_frames_sent_again_total",
        "Frames to instances that were sent again because they did not arrive in time.";

    Counter ERRORS = "sluice_errors_total" ["code"],
        "Refusals of what clients asked for, by code.";
    Counter AUTH = "sluice_auth_total" ["outcome"],
        "Tokens of clients by what became of them.";
    Gauge POLICY_GENERATION = "sluice_policy_generation",
        "How often the documents have changed, from 1.";
    Gauge POLICY_REVISION = "sluice_policy_revision",
        "The revision of the documents in the bucket of the fleet; 0 for the gateway's own.";
    Counter POLICY_REFUSED = "sluice_policy_refused_total",
        "How often changed documents were refused.";
    Gauge DRAINING = "sluice_draining",
        "Whether the gateway drains.";

    Gauge CONTROL_CONNECTED = "sluice_control_connected",
        "Whether there is a connection to NATS for policy, revocations and backends.";
    Gauge BACKBONE_CONNECTED = "sluice_backbone_connected",
        "Whether there is a connection to NATS.";
    Counter BACKBONE_CONNECTS = "sluice_backbone_connects_total",
        "Connections to NATS, the first one included.";
    Gauge BACKBONE_GATEWAYS = "sluice_backbone_gateways",
        "Gateways of the fleet, this one included.";
    Counter BACKBONE_MESSAGES = "sluice_backbone_messages_total" ["fate"],
        "Messages of rooms with history, by what became of them at this gateway.";
    Counter BACKBONE_STREAM_LOSSES = "sluice_backbone_stream_losses_total" ["what"],
        "How often this gateway found a stream gone, made anew, or its store put back.";
    Gauge BACKBONE_UNSTORED_MESSAGES = "sluice_backbone_unstored_messages",
        "Messages that wait to be stored.";
    Gauge BACKBONE_CATCHING_UP = "sluice_backbone_catching_up",
        "Whether rooms with history wait for what all of them missed while NATS was away.";
    Gauge BACKBONE_BEHIND_ROOMS = "sluice_backbone_behind_rooms",
        "Rooms whose members wait for messages that are known to be missing.";
    Gauge BACKBONE_NAMESAKES = "sluice_backbone_namesakes",
        "Other gateways of the fleet that have the name of this one.";
    Gauge BACKBONE_STORED_SESSIONS = "sluice_backbone_stored_sessions",
        "Sessions of this gateway that would go on elsewhere if it died.";
    Gauge BACKBONE_SUBSCRIPTIONS = "sluice_backbone_subscriptions",
        "Subjects that are subscribed to.";
    Counter BACKBONE_RECEIVED_MESSAGES = "sluice_backbone_received_messages_total",
        "Messages that came from NATS.";
    Counter BACKBONE_RECEIVED_BYTES = "sluice_backbone_received_bytes_total",
        "Bytes that came from NATS.";
    Counter BACKBONE_SENT_MESSAGES = "sluice_backbone_sent_messages_total",
        "Messages that were sent to NATS.";
    Counter BACKBONE_SENT_BYTES = "sluice_backbone_sent_bytes_total",
        "Bytes of messages that were sent to NATS.";
    Counter BACKBONE_DROPPED = "sluice_backbone_dropped_total",
        "Messages that were not sent because there was no connection, or too much waited.";
    Gauge BACKBONE_MAX_PAYLOAD_BYTES = "sluice_backbone_max_payload_bytes",
        "The largest message that the NATS servers take.";
    Gauge BACKBONE_WAITING_BYTES = "sluice_backbone_waiting_bytes",
        "Bytes that wait to be written to NATS.";
    Counter BACKBONE_MALFORMED = "sluice_backbone_malformed_total" ["kind"],
        "What other gateways said that could not be understood.";
    Counter BACKBONE_NEWER = "sluice_backbone_newer_total" ["kind"],
        "What newer gateways said that this version does not know, and skips.";
    Counter BACKBONE_SILENT = "sluice_backbone_silent_total",
        "How often a gateway did not answer a command in time.";
    Counter FORWARDED_REQUESTS = "sluice_forwarded_requests_total" ["kind"],
        "Polling requests that were passed on to the gateway that owns their session.";
    Gauge TUNNELS = "sluice_tunnels",
        "WebSocket connections passed on between this gateway and others now.";
    Counter TUNNELS_OPENED = "sluice_tunnels_opened_total",
        "WebSocket connections that were passed on.";
    Counter TUNNELS_SENT_AGAIN = "sluice_tunnels_sent_again_total",
        "Frames of connections passed on that were sent again, counted when their connection ends.";
    Counter FORWARDING_FAILURES = "sluice_forwarding_failures_total" ["reason"],
        "What went wrong between gateways about polling sessions.";

    Counter SPANS = "sluice_spans_total" ["outcome"],
        "Spans, by what became of them.";

    Counter API_REQUESTS = "sluice_api_requests_total" ["operation", "outcome"],
        "Requests to the server API, by operation and by outcome: ok or the error's code.";
    Histogram API_REQUEST_DURATION_SECONDS = "sluice_api_request_duration_seconds" ["operation"],
        "Time from a request's head to its answer.";
    Gauge API_REQUESTS_IN_FLIGHT = "sluice_api_requests_in_flight",
        "Requests to the server API that are being worked on.";

    Counter BACKEND_EVENTS = "sluice_backend_events_total",
        "Events of clients for the application's backend.";
    Counter WEBHOOK_REQUESTS = "sluice_webhook_requests_total" ["kind", "outcome"],
        "Requests to the backend, by kind and by outcome: ok or the error's code.";
    Histogram WEBHOOK_REQUEST_DURATION_SECONDS = "sluice_webhook_request_duration_seconds" ["kind"],
        "Time until the backend's answer was there, all tries together.";
    Counter WEBHOOK_TRIES = "sluice_webhook_tries_total",
        "Tries to post a request to the backend; more than requests where some are repeated.";
    Gauge WEBHOOK_REQUESTS_IN_FLIGHT = "sluice_webhook_requests_in_flight",
        "Events and questions that the backend has not answered yet.";
    Gauge WEBHOOK_CIRCUIT_OPEN = "sluice_webhook_circuit_open",
        "1 while the backend is left alone because it fails, else 0.";
    Counter WEBHOOK_DISCONNECTS_DROPPED = "sluice_webhook_disconnects_dropped_total",
        "Ended sessions that the backend was not told of.";
    Counter NATS_BACKEND_REQUESTS = "sluice_nats_backend_requests_total" ["kind", "outcome"],
        "Requests to the backend over NATS, by kind and by outcome: ok or the error's code.";
    Histogram NATS_BACKEND_REQUEST_DURATION_SECONDS = "sluice_nats_backend_request_duration_seconds" ["kind"],
        "Time until the backend's answer was there.";
    Gauge NATS_BACKEND_REQUESTS_IN_FLIGHT = "sluice_nats_backend_requests_in_flight",
        "Events and questions that the backend has not answered yet.";
    Counter NATS_BACKEND_DISCONNECTS_DROPPED = "sluice_nats_backend_disconnects_dropped_total",
        "Ended sessions that the backend was not told of.";
}
