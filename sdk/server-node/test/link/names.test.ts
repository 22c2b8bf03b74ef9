import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newInstanceId, subjectsOf, token } from "../../src/link/names.js";
import { placeOf } from "../../src/link/options.js";

describe("names in NATS", () => {
  test("are one token each", () => {
    assert.equal(token("shop_1-a"), "shop_1-a");
    assert.equal(token("/a.b é"), "=2Fa=2Eb=20=C3=A9");
    const subjects = subjectsOf({ kubernetesNamespace: "web", cluster: "chat", application: "my.app" });
    assert.equal(subjects.toGateway("0000000a"), "sluice.web.chat.app.my=2Eapp.from.0000000a");
  });

  test("of instances are 16 letters and digits", () => {
    assert.match(newInstanceId(), /^[A-Za-z0-9]{16}$/);
    assert.notEqual(newInstanceId(), newInstanceId());
  });
});

describe("the options", () => {
  test("are completed by the environment", () => {
    const place = placeOf({ application: "shop" }, { SLUICE_SERVERS: "nats://a, nats://b", SLUICE_CLUSTER: "chat" });
    assert.deepEqual(place.servers, ["nats://a", "nats://b"]);
    assert.deepEqual([place.cluster, place.application, place.kubernetesNamespace], ["chat", "shop", "default"]);
  });

  test("take a login from an address", () => {
    const place = placeOf({ cluster: "c", application: "a", servers: "nats://ann:p%40ss@nats:4222,other:4222" }, {});
    assert.deepEqual(place.servers, ["nats://nats:4222", "other:4222"]);
    assert.deepEqual([place.user, place.password], ["ann", "p@ss"]);
    const given = placeOf({ cluster: "c", application: "a", servers: "ann:x@nats", user: "bob", password: "y" }, {});
    assert.deepEqual([given.servers, given.user, given.password], [["nats"], "bob", "y"]);
  });

  test("that are missing are named with what to give", () => {
    assert.throws(() => placeOf({ application: "shop" }, {}), /as the option cluster, or as SLUICE_CLUSTER/);
    assert.throws(() => placeOf({ cluster: "chat" }, {}), /as the option application, or as SLUICE_APPLICATION/);
  });
});
