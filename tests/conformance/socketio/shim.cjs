// What stands for `socket.io` in its tests: the library, whose servers each have a gateway of their own.
const { EventEmitter } = require("node:events");
const sluice = require(process.env.SLUICE_SDK);
const { pool } = require("./pool.cjs");

class Server extends sluice.Server {
  constructor(at, options) {
    const isPlace = typeof at === "number" || typeof at === "string" || at instanceof EventEmitter;
    const given = (isPlace ? options : (options ?? at)) ?? {};
    const place = pool.take(given);
    const all = { ...given, ...place.options, application: "tests", leaveOn: [], gateway: () => place.url };
    if (isPlace) super(at, all);
    else super(all);
    place.usedBy(this);
  }
}

const make = (at, options) => new Server(at, options);
module.exports = Object.assign(make, sluice, { Server, default: Server });
