// Loaded by mocha before the tests: begins with NATS and gateways, ends what each test has used, and leaves out what
// left-out.json names with its reason.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { startNats } = require("./gateways.cjs");
const { pool } = require("./pool.cjs");

const leftOut = JSON.parse(readFileSync(join(__dirname, "left-out.json"), "utf8"));
const titles = new Set(Object.values(leftOut).flat());

process.on("warning", () => {});

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
    await pool.endUsed();
  },
};
