// Starts the front end, and stops it without losing a request.
import { setTimeout as sleep } from "node:timers/promises";
import { log } from "./log.js";
import { createFrontend } from "./server.js";

const { PORT = "3000", BACKEND_URL = "http://localhost:8001", DRAIN_SECONDS = "5", APP_VERSION = "dev" } = process.env;

const frontend = createFrontend({ backend: BACKEND_URL, version: APP_VERSION });
frontend.server.listen(Number(PORT), () => log("info", "listening", { port: Number(PORT), version: APP_VERSION }));

async function stop(signal) {
  log("info", "stopping", { signal });
  // Until every proxy knows that this pod is leaving, requests still come: answer them, and ask clients to reconnect.
  frontend.drain();
  await sleep(Number(DRAIN_SECONDS) * 1000);
  frontend.server.close(() => {
    log("info", "stopped");
    process.exit(0);
  });
  frontend.server.closeIdleConnections();
}

for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, stop);
