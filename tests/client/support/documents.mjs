/** The key that tests sign with and that the test cluster's Secret holds. */
export const SIGNING_KEY = "a-key-for-tests-only-of-enough-length";

/** The bearer key of the test cluster's server API. */
export const API_KEY = "an-api-key-for-tests-only";

const API_VERSION = "sluice.dev/v1alpha1";
const CLUSTER = "test";

/** Limits that no test meets by accident. */
const GENEROUS = {
  connectionsPerIP: 10_000,
  connectionsPerUser: 1_000,
  messagesPerSecond: 100_000,
  inFlight: 10_000,
};

/** A RealtimeCluster on the memory backbone; `spec` overrides whole fields of the spec. */
export function cluster(spec = {}) {
  return {
    apiVersion: API_VERSION,
    kind: "RealtimeCluster",
    metadata: { name: CLUSTER },
    spec: {
      auth: { required: true, jwt: { keySecretRef: { name: "keys", key: "jwt" } } },
      heartbeat: { interval: "25s", timeout: "20s" },
      serverApi: { keySecretRef: { name: "keys", key: "api" } },
      limits: GENEROUS,
      recovery: { window: "2m" },
      rooms: { default: "Open" },
      backbone: { memory: {} },
      ...spec,
    },
  };
}

/** A Room of the test cluster for the rooms that `match` names. */
export function room(name, match, spec = {}) {
  return {
    apiVersion: API_VERSION,
    kind: "Room",
    metadata: { name },
    spec: { clusterRef: { name: CLUSTER }, match, ...spec },
  };
}

/** Rooms with history and announced presence: what most tests want. */
export const kept = room("kept", "kept-*", {
  history: { maxMessages: 100_000, maxAge: "1h" },
  presence: { enabled: true, announce: true },
  limits: { members: 10_000, messagesPerSecond: 100_000 },
});

/** The Secret that holds both keys. */
export function secret() {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "keys" },
    stringData: { jwt: SIGNING_KEY, api: API_KEY },
  };
}

/** A Secret with a certificate and its key, as Kubernetes keeps them. */
export function tlsSecret(name, { certificate, key }) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name },
    stringData: { "tls.crt": certificate, "tls.key": key },
  };
}

/** Documents in one YAML stream; JSON is YAML, so no writer is needed. */
export function stream(documents) {
  return documents.map((document) => JSON.stringify(document, null, 2)).join("\n---\n");
}
