// The client of versions.py in Node. It reads requests, a line each, and writes what it saw of the answers.
//
// Usage: node versions_client.mjs http2|fetch|many URL FILE
//
// FILE has lines of: name, method, path, file with the body or `-`, and fields as NAME=VALUE, with tabs between them. `many` asks for the
// paths in it all at once, in one connection, and writes the size and the SHA-256 of each body. A certificate to trust is in CA_FILE.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import http2 from "node:http2";

const TIMEOUT = 20_000;
const [mode, base, file] = process.argv.slice(2);
const ca = process.env.CA_FILE ? readFileSync(process.env.CA_FILE) : undefined;
const output = [];
const encoded = (value) => Buffer.from(value, "latin1").toString("base64");

function requests() {
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => {
    const [name, method, path, body, ...fields] = line.split("\t");
    return {
      name, method, path,
      body: body === "-" ? undefined : readFileSync(body),
      fields: fields.map((field) => [field.slice(0, field.indexOf("=")), field.slice(field.indexOf("=") + 1)]),
    };
  });
}

// Names and values in turn, as nghttp2 hands them over.
function write(kind, raw) {
  for (let i = 0; i < raw.length; i += 2) {
    if (!raw[i].startsWith(":")) output.push(`${kind} ${raw[i]} ${encoded(raw[i + 1])}`);
  }
}

function overHTTP2(session, { method, path, body, fields }) {
  return new Promise((resolve, reject) => {
    const headers = { ":method": method, ":path": path };
    for (const [name, value] of fields) headers[name] = name in headers ? [headers[name], value].flat() : value;
    if (body) headers["content-length"] = body.length;
    const stream = session.request(headers, { endStream: !body });
    stream.setTimeout(TIMEOUT, () => reject(new Error("no answer in time")));
    const chunks = [];
    stream.on("headers", (headers, flags, raw) => {
      output.push(`informational ${headers[":status"]}`);
      write("hint", raw);
    });
    stream.on("response", (headers, flags, raw) => {
      output.push(`version 2`, `status ${headers[":status"]}`);
      write("field", raw);
    });
    stream.on("trailers", (headers, flags, raw) => write("trailer", raw));
    stream.on("data", (chunk) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => resolve(Buffer.concat(chunks)));
    if (body) stream.end(body);
  });
}

async function byFetch({ method, path, body, fields }) {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  const response = await fetch(base + path, { method, body, headers, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT) });
  output.push(`status ${response.status}`);
  for (const [name, value] of response.headers) output.push(`field ${name} ${encoded(value)}`);
  return Buffer.from(await response.arrayBuffer());
}

function digest(session, path) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path });
    const hash = createHash("sha256");
    let size = 0;
    stream.setTimeout(TIMEOUT * 4, () => reject(new Error("no answer in time")));
    stream.on("data", (chunk) => { size += chunk.length; hash.update(chunk); });
    stream.on("error", reject);
    stream.on("close", () => resolve(`${path} ${size} ${hash.digest("hex")}`));
  });
}

const session = mode === "fetch" ? undefined : http2.connect(base, { ca });
session?.on("error", (error) => output.push(`error ${error.message}`));
// Node's own limit, until the server has said its own.
if (session) await new Promise((resolve) => { session.once("remoteSettings", resolve); session.once("close", resolve); });
if (mode === "many") {
  output.push(...await Promise.all(requests().map(({ path }) => digest(session, path))));
} else {
  for (const request of requests()) {
    output.push(`case ${request.name}`);
    try {
      const body = mode === "http2" ? await overHTTP2(session, request) : await byFetch(request);
      output.push(`body ${body.toString("base64")}`);
    } catch (error) {
      output.push(`error ${error.cause?.message ?? error.message}`);
    }
  }
}
session?.close();
process.stdout.write(output.join("\n") + "\n");
