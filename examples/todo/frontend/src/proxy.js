// Hands a request to the back end and its answer back.
import http from "node:http";
import { sendJson } from "./json.js";
import { log } from "./log.js";

const TIMEOUT_MILLISECONDS = 10_000;
// These speak of one connection, not of the request.
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te", "trailer", "host"]);

/** Streams `request` to the same path of `backend`; without an answer the client gets 502. */
export function forward(backend, request, response) {
  const outgoing = http.request(new URL(request.url, backend), {
    method: request.method,
    headers: { ...endToEnd(request.headers), "x-request-id": request.id },
    // A connection of its own for each request: none is ever reused while the back end closes it.
    agent: false,
    timeout: TIMEOUT_MILLISECONDS,
  });
  outgoing.on("response", (answer) => {
    response.writeHead(answer.statusCode, endToEnd(answer.headers));
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MILLISECONDS} ms`)));
  outgoing.on("error", (error) => {
    if (response.destroyed) return;
    log("error", "the back end does not answer", { id: request.id, error: error.message });
    if (response.headersSent) response.destroy();
    else sendJson(response, 502, { error: "the to-do service does not answer" });
  });
  response.on("close", () => outgoing.destroy());
  request.pipe(outgoing);
}

function endToEnd(headers) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
