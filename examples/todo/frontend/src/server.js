// Serves the page and hands /api to the back end.
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import http from "node:http";
import { extname } from "node:path";
import { sendJson } from "./json.js";
import { log } from "./log.js";
import { forward } from "./proxy.js";

const TYPES = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml" };
const SECURITY = {
  "content-security-policy": "default-src 'self'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/**
 * The front end, not listening yet.
 * `backend` is the address of the back end, `version` is what /health and the page show.
 */
export function createFrontend({ backend, version }) {
  const files = loadFiles(new URL("../public/", import.meta.url));
  let draining = false;

  const server = http.createServer((request, response) => {
    const path = request.url.split("?")[0];
    if (draining) response.setHeader("connection", "close");
    if (path === "/health") return sendJson(response, 200, { status: "ok", version });
    if (path === "/ready") return sendJson(response, draining ? 503 : 200, { status: draining ? "draining" : "ready" });

    logWhenDone(request, response, path);
    if (path.startsWith("/api/")) return forward(backend, request, response);
    if (request.method !== "GET" && request.method !== "HEAD") return sendJson(response, 405, { error: "method not allowed" });
    const file = files.get(path === "/" ? "/index.html" : path);
    if (!file) return sendJson(response, 404, { error: "not found" });
    response.writeHead(200, { ...SECURITY, ...file.headers });
    response.end(request.method === "HEAD" ? undefined : file.content);
  });
  return { server, drain: () => { draining = true; } };
}

// The page is four small files: they are held in memory, so no path from outside ever reaches the disk.
function loadFiles(folder) {
  return new Map(
    readdirSync(folder).map((name) => {
      const content = readFileSync(new URL(name, folder));
      const type = `${TYPES[extname(name)] ?? "application/octet-stream"}; charset=utf-8`;
      return [`/${name}`, { content, headers: { "content-type": type, "content-length": content.length, "cache-control": "no-cache" } }];
    }),
  );
}

function logWhenDone(request, response, path) {
  const start = process.hrtime.bigint();
  request.id = request.headers["x-request-id"] ?? randomUUID();
  response.on("close", () => {
    const milliseconds = Number((process.hrtime.bigint() - start) / 1_000_000n);
    const level = response.statusCode >= 500 ? "error" : "info";
    log(level, "request", { id: request.id, method: request.method, path, status: response.statusCode, milliseconds });
  });
}
