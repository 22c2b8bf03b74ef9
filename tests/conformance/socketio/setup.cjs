// Loaded by mocha before the tests: begins with NATS and gateways, ends what each test has used, and leaves out what
// left-out.json names with its reason.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { Manager } = require("socket.io-client");
const { startNats } = require("./gateways.cjs");
const { pool } = require("./pool.cjs");

const leftOut = JSON.parse(readFileSync(join(__dirname, "left-out.json"), "utf8"));
const titles = new Set(Object.values(leftOut).flat());

// What a test that failed has left of its clients would speak to the tests after it.
const managers = new Set();
const { open } = Manager.prototype;
Manager.prototype.open = Manager.prototype.connect = function (...args) {
  managers.add(this);
  return open.apply(this, args);
};

function endClients() {
  for (const manager of managers) {
    for (const socket of Object.values(manager.nsps)) socket.off();
    manager.off();
    manager._close();
  }
  managers.clear();
}

exports.mochaHooks = {
  async beforeAll() {
    this.timeout(60_000);
    await startNats();
    await pool.fill();
  },
  async beforeEach() {
    if (titles.has(this.currentTest.fullTitle())) this.skip();
    this.timeout(60_000);
    await pool.fill();
  },
  async afterEach() {
    this.timeout(60_000);
    endClients();
    await pool.endUsed();
  },
};
