// Mock servers for Node's test runner: one for each test, all in one process in the background, `mockserve control`.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What mockserve says it cannot do. `status` is the exit status that `mockserve run` would have. */
export class MockServeError extends Error {
  constructor(message, status) {
    super(message);
    this.name = "MockServeError";
    this.status = status;
  }
}

/** The process with the servers. It ends when this one does, whatever happens. */
class Control {
  #process;
  #last = 0;
  #waiting = new Map();

  ask(request) {
    this.#process ??= this.#start();
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // Tests that wait for an answer are not to end; a process without requests is not to keep them from ending.
      this.#hold(true);
      this.#process.stdin.write(JSON.stringify({ id, ...request }) + "\n");
    });
  }

  #start() {
    const child = spawn(process.env.MOCKSERVE || "mockserve", ["control"], { stdio: ["pipe", "pipe", "inherit"] });
    const fail = (message) => {
      for (const { reject } of this.#waiting.values()) reject(new MockServeError(message));
      this.#waiting.clear();
      this.#process = undefined;
    };
    child.on("error", (error) =>
      fail(`mockserve cannot be run (${error.message}). Install it, or name it in the environment: MOCKSERVE=/path/to/it`));
    child.on("exit", (status, signal) => fail(`mockserve has ended with ${signal ?? `status ${status}`}.`));
    child.stdin.on("error", () => {});
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { id, error, status, ...answer } = JSON.parse(line);
      if (id === null) {
        child.kill();
        return fail(error);
      }
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#hold(false);
      if (error === undefined) waiting?.resolve(answer);
      else waiting?.reject(new MockServeError(error, status));
    });
    return child;
  }

  #hold(isHeld) {
    for (const part of [this.#process, this.#process?.stdin, this.#process?.stdout]) {
      if (isHeld) part?.ref?.();
      else part?.unref?.();
    }
  }
}

const control = new Control();
const claims = new Map();

/** A server in the background. `url` is its base URL, `urls` those of several upstreams by name. */
export class MockServer {
  #number;

  constructor(answer) {
    this.#number = answer.server;
    this.url = answer.url;
    this.urls = answer.urls;
    this.isRecording = answer.recording;
  }

  /** Starts a server. `options` are those of `mockserve run`, `record` says how to record, for people who read what is missing. */
  static async start(cassette, options = [], record = undefined) {
    return new MockServer(await control.ask({ start: [...options, "--", cassette], record }));
  }

  /** What it was asked for, in the order of the answers: objects with `method`, `target`, `status`, `outcome`. */
  async requests() {
    return (await control.ask({ journal: this.#number })).journal;
  }

  /** Makes answers go wrong: `await server.fault("GET /users/*: status 503 retry-after 1 times 2")`. */
  async fault(rule) {
    await control.ask({ fault: this.#number, rule });
  }

  /** What is wrong with its answers so far; null if nothing is. */
  async report() {
    return (await control.ask({ report: this.#number })).report;
  }

  /** Stops it, and keeps what it has recorded if `keep` and nothing is wrong. Returns what is wrong; null if nothing is. */
  async stop(keep = true) {
    return (await control.ask({ stop: this.#number, keep })).report;
  }
}

/**
 * A test with a mock server of its own.
 *
 *     test("shows a user", withMockServer({ upstream: "https://api.github.com" }, async (server, t) => {
 *       const user = await (await fetch(`${server.url}/users/octocat`)).json();
 *     }));
 *
 * Settings: `name` (a folder in `cassettes`, or, if it ends in `.cassette`, a file that tests share), `upstream`, `upstreams` (by name),
 * `mode`, `playback`, `unused: "fail"`, `faults`, `options` (others of `mockserve run`), `cassettes` (the folder).
 */
export function withMockServer(settings, body) {
  if (typeof settings === "function") [settings, body] = [{}, settings];
  checkSettings(settings);
  const file = callingFile();
  // Each call is a test of its own, whatever it is called.
  const owner = Symbol("test");
  return async (t) => {
    const title = (t.fullName ?? t.name).replaceAll(" > ", " ");
    const cassette = cassettePath(file, title, settings);
    const how = `MOCKSERVE_MODE=missing node --test '${file.replaceAll("'", "'\\''")}'`;
    if (!settings.name?.endsWith(".cassette")) claim(cassette, owner, title);
    let server;
    try {
      server = await MockServer.start(cassette, optionsOf(settings), how);
    } catch (error) {
      if (error.status === 77) error.message += `\nOn your own machine: ${how}`;
      throw error;
    }
    try {
      await body(server, t);
    } catch (error) {
      const report = await server.stop(false).catch(() => null);
      if (report) t.diagnostic(report);
      throw error;
    }
    const report = await server.stop(true);
    if (report) throw new MockServeError(report);
  };
}

const known = ["name", "upstream", "upstreams", "mode", "playback", "unused", "faults", "options", "cassettes"];

function checkSettings(settings) {
  const unknown = Object.keys(settings).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new MockServeError(`There is no setting ${unknown.join(", ")}: there are ${known.join(", ")}.`);
  if (!["fail", "ignore", undefined].includes(settings.unused)) throw new MockServeError('unused is "fail" or "ignore".');
  for (const name of ["faults", "options"])
    if (settings[name] !== undefined && !Array.isArray(settings[name])) throw new MockServeError(`${name} is a list.`);
}

function optionsOf(settings) {
  const upstreams = { ...(settings.upstream && { default: settings.upstream }), ...settings.upstreams };
  return [
    ...Object.entries(upstreams).map(([name, url]) => `--upstream=${name}=${url}`),
    ...(settings.mode ? [`--mode=${settings.mode}`] : []),
    ...(settings.playback ? [`--playback=${settings.playback}`] : []),
    ...(settings.unused === "fail" ? ["--require-all-used"] : []),
    ...(settings.name?.endsWith(".cassette") ? ["--shared"] : []),
    ...(settings.faults ?? []).map((rule) => `--fault=${rule}`),
    ...(settings.options ?? []),
  ];
}

/** Beside the test file: `cassettes/NAME/users.test/shows_a_user.cassette`. */
function cassettePath(file, title, settings) {
  const folder = resolve(dirname(file), settings.cassettes ?? "cassettes");
  const name = settings.name ?? "";
  if (name.endsWith(".cassette")) return join(folder, name);
  const parts = [...name.split("/").filter(Boolean), basename(file).replace(/\.[cm]?[jt]sx?$/, "")];
  return join(folder, ...parts.map((part) => fileName(part)), `${fileName(title)}.cassette`);
}

/** A name that is allowed and different on every file system: where it does not say all, a digest is added. */
function fileName(text) {
  let name = text.normalize("NFC").replace(/[^\p{L}\p{N}_.-]+/gu, "_").replace(/^\.+/, "_");
  const isReserved = /^(con|prn|aux|nul|(com|lpt)\d)(\.|$)/i.test(name);
  if (isReserved) name = `_${name}`;
  // Spaces between words are plain enough.
  const isExact = !isReserved && name === text.replaceAll(" ", "_") && !text.includes("_");
  if (isExact && Buffer.byteLength(name) <= 100) return name;
  while (Buffer.byteLength(name) > 100) name = [...name].slice(0, -1).join("");
  return `${name}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
}

function claim(cassette, owner, title) {
  const other = claims.get(cassette.toLowerCase());
  if (other !== undefined && other.owner !== owner)
    throw new MockServeError(`“${title}” and “${other.title}” would have the same cassette: ${cassette}. Rename one of them.`);
  claims.set(cassette.toLowerCase(), { owner, title });
}

/** The test file, which called `withMockServer`. */
function callingFile() {
  const own = fileURLToPath(import.meta.url);
  for (const line of new Error().stack.split("\n").slice(1)) {
    const found = /(?:\(|at )(?:async )?(file:\/\/.*?|\/.*?|[A-Za-z]:\\.*?):\d+:\d+\)?$/.exec(line.trim());
    if (!found) continue;
    const file = found[1].startsWith("file:") ? fileURLToPath(found[1]) : found[1];
    if (file !== own) return file;
  }
  throw new MockServeError("The test file cannot be found.");
}
