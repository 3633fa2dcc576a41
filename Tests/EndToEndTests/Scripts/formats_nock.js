// The client of formats_languages.py that records with nock. It reads the steps from its standard input and writes what it saw.
//
// Usage: node formats_nock.js record|play|plain URL FILE

const fs = require("fs");
const http = require("http");

const [mode, base, file] = process.argv.slice(2);
const steps = JSON.parse(fs.readFileSync(0));

function ask(step) {
  return new Promise((resolve, reject) => {
    const body = step.body === null ? undefined : Buffer.from(step.body, "base64");
    const headers = { ...step.fields, ...(body ? { "Content-Length": body.length } : {}) };
    const request = http.request(base + step.target, { method: step.method, headers, agent: false }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const fields = [];
        for (let i = 0; i < response.rawHeaders.length; i += 2) {
          for (const value of [response.rawHeaders[i + 1]].flat()) fields.push([response.rawHeaders[i], String(value)]);
        }
        resolve({ status: response.statusCode, fields, body: Buffer.concat(chunks).toString("base64") });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function main() {
  let nock;
  if (mode !== "plain") nock = require("nock");
  if (mode === "record") nock.recorder.rec({ output_objects: true, dont_print: true, enable_reqheaders_recording: true });
  if (mode === "play") {
    nock.disableNetConnect();
    nock.define(nock.loadDefs(file));
  }
  const answers = [];
  for (const step of steps) answers.push(await ask(step));
  if (mode === "record") fs.writeFileSync(file, JSON.stringify(nock.recorder.play(), null, 2));
  if (mode === "play" && nock.pendingMocks().length) throw new Error("not played: " + nock.pendingMocks());
  process.stdout.write(JSON.stringify(answers));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
