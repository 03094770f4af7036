import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { createFrontend } from "../src/server.js";

let frontend, backend, base;

const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));

before(async () => {
  backend = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => { body += chunk; });
    request.on("end", () => {
      response.writeHead(201, { "content-type": "application/json" });
      response.end(JSON.stringify({ method: request.method, url: request.url, body, id: request.headers["x-request-id"] }));
    });
  });
  frontend = createFrontend({ backend: `http://127.0.0.1:${await listen(backend)}`, version: "7" });
  base = `http://127.0.0.1:${await listen(frontend.server)}`;
});

after(() => {
  for (const server of [frontend.server, backend]) {
    server.close();
    server.closeAllConnections();
  }
});

test("serves the page with its type and a content security policy", async () => {
  const answer = await fetch(base);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(answer.headers.get("content-security-policy"), "default-src 'self'");
  assert.match(await answer.text(), /<title>To-dos<\/title>/);
});

test("knows no other files, and no way out of its folder", async () => {
  for (const path of ["/nothing", "/../package.json", "/%2e%2e/package.json"]) {
    assert.equal((await fetch(base + path)).status, 404, path);
  }
});

test("hands /api to the back end, body, query and request id included", async () => {
  const answer = await fetch(`${base}/api/todos?all=1`, { method: "POST", body: "{}", headers: { "x-request-id": "abc" } });
  assert.equal(answer.status, 201);
  assert.deepEqual(await answer.json(), { method: "POST", url: "/api/todos?all=1", body: "{}", id: "abc" });
});

test("answers 502 when the back end does not answer", async () => {
  const gone = http.createServer();
  const port = await listen(gone);
  await new Promise((done) => gone.close(done));
  const alone = createFrontend({ backend: `http://127.0.0.1:${port}`, version: "7" });
  const answer = await fetch(`http://127.0.0.1:${await listen(alone.server)}/api/todos`);
  alone.server.close();
  assert.equal(answer.status, 502);
  assert.deepEqual(await answer.json(), { error: "the to-do service does not answer" });
});

test("is healthy, and ready until it drains", async () => {
  assert.deepEqual(await (await fetch(`${base}/health`)).json(), { status: "ok", version: "7" });
  assert.equal((await fetch(`${base}/ready`)).status, 200);
  frontend.drain();
  const draining = await fetch(`${base}/ready`);
  assert.equal(draining.status, 503);
  assert.equal(draining.headers.get("connection"), "close");
});
