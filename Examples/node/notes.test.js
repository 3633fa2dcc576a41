// Tests with Node's test runner and fetch: each has a server, and a cassette, of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { withMockServer } from "mockserve";

const settings = { name: "notes", upstream: "http://127.0.0.1:8000" };

async function logIn(url, user, password) {
  const answer = await fetch(`${url}/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user, password }),
  });
  return { status: answer.status, cookie: answer.headers.get("set-cookie")?.split(";")[0], ...(await answer.json()) };
}

test("a user logs in", withMockServer(settings, async ({ url }) => {
  const { cookie } = await logIn(url, "ada", "enchantress-1843");
  const me = await fetch(`${url}/me`, { headers: { Cookie: cookie } });
  assert.deepEqual(await me.json(), { user: "ada" });
}));

test("a wrong password is refused", withMockServer(settings, async ({ url }) => {
  assert.equal((await logIn(url, "ada", "guess")).status, 401);
}));

test("a note is added and read", withMockServer(settings, async ({ url }) => {
  const { cookie, csrf_token } = await logIn(url, "ada", "enchantress-1843");
  const headers = { Cookie: cookie, "X-CSRF-Token": csrf_token, "Content-Type": "application/json" };
  const added = await fetch(`${url}/notes`, { method: "POST", headers, body: JSON.stringify({ text: "by Node" }) });
  const read = await fetch(added.headers.get("location"));
  assert.equal((await read.json()).text, "by Node");
}));

test("a busy service is asked again", withMockServer(settings, async (server) => {
  await server.fault("GET /visits: status 503 retry-after 1 on 1");
  const statuses = [];
  for (let attempt = 0; attempt < 2; attempt += 1) statuses.push((await fetch(`${server.url}/visits`)).status);
  assert.deepEqual(statuses, [503, 200]);
  assert.equal((await server.requests()).length, 2);
}));
