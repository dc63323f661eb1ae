// Starts the plain HTML shop, and nginx in front of it and of the service, until one of them ends or Ctrl-C.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PORT = process.env.PORT || "3000";
const SERVICE = new URL(process.env.LOYALTY_INTERNAL_URL || "http://127.0.0.1:8000").host;
const NGINX = process.env.NGINX || "nginx";
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(String(port)));
  });
});

const shopPort = await freePort();
const folder = mkdtempSync(join(tmpdir(), "nginx-base-path-"));
const values = { PORT, SERVICE, SHOP: `127.0.0.1:${shopPort}` };
const config = readFileSync(here("nginx.conf"), "utf-8").replace(/\$\{(\w+)\}/g, (_, name) => values[name]);
writeFileSync(join(folder, "nginx.conf"), config);

const own = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
const shop = spawn(process.execPath, [here("../vanilla/server.mjs")], {
  env: {
    ...own, PORT: shopPort, LOYALTY_URL: process.env.LOYALTY_URL || `http://localhost:${PORT}/loyalty`,
    LOYALTY_INTERNAL_URL: `http://${SERVICE}/loyalty`,
  },
  stdio: ["ignore", "ignore", "inherit"],
});
const nginx = spawn(NGINX, ["-p", folder, "-c", "nginx.conf", "-e", "stderr"], { env: own, stdio: "inherit" });
console.log(`The shop is at http://localhost:${PORT}, and the service below http://localhost:${PORT}/loyalty/`);

function end() {
  shop.kill();
  nginx.kill();
}
nginx.on("error", () => console.error("nginx is needed: apt-get install nginx-light, or NGINX=/path/to/it"));
for (const part of [shop, nginx]) part.on("close", end);
nginx.on("close", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, end);
