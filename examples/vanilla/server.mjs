// The shop's server: its pages, who is signed in there, and tickets for them. Nothing but Node.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { nameBuyer, personaOf, signIn, signOut, ticketFor } from "./account.mjs";
import { LOYALTY_URL, PORT, STOREFRONT_TOKEN, STOREFRONT_URL } from "./settings.mjs";

const originOf = (url) => new URL(url).origin;
// Nothing runs but scripts of the shop and of the service, and no text becomes HTML but by the elements' own policy.
const POLICY = [
  "default-src 'none'",
  `script-src 'self' ${originOf(LOYALTY_URL)}`,
  `connect-src 'self' ${originOf(LOYALTY_URL)} ${originOf(STOREFRONT_URL)}`,
  "style-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types loyalty",
].join("; ");
const TYPES = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8" };
const FILES = new Set(["index.html", "shop.js", "storefront.js", "shop.css"]);
const CONFIG = `export const LOYALTY = ${JSON.stringify(LOYALTY_URL)};
export const STOREFRONT = ${JSON.stringify(STOREFRONT_URL)};
export const STOREFRONT_TOKEN = ${JSON.stringify(STOREFRONT_TOKEN)};
`;

async function bodyOf(request) {
  let text = "";
  for await (const part of request) {
    text += part;
    if (text.length > 10_000) throw new Error("too much");
  }
  return text;
}

function send(response, status, body = "", headers = {}) {
  const always = { "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" };
  response.writeHead(status, { ...always, ...headers }).end(body);
}

const json = (response, value) => send(response, 200, JSON.stringify(value), { "Content-Type": "application/json" });

const POSTS = {
  "/account/sign-in": async (request, response) => {
    const persona = new URLSearchParams(await bodyOf(request)).get("persona");
    send(response, 303, "", { "Set-Cookie": signIn(persona), Location: "/" });
  },
  "/account/sign-out": async (request, response) => {
    send(response, 303, "", { "Set-Cookie": signOut(request), Location: "/" });
  },
  "/account/cart": async (request, response) => {
    await nameBuyer(personaOf(request), JSON.parse(await bodyOf(request)).cartId);
    json(response, {});
  },
  // Only in answer to a request of our own page that carries our own session, see below.
  "/loyalty-ticket": async (request, response) => {
    const persona = personaOf(request);
    json(response, persona ? { ticket: await ticketFor(persona, request.headers.origin) } : {});
  },
};

async function get(path, request, response) {
  const name = path === "/" ? "index.html" : path.slice(1);
  if (path === "/account") return json(response, { persona: personaOf(request) });
  if (path === "/config.js") return send(response, 200, CONFIG, { "Content-Type": TYPES.js });
  if (!FILES.has(name)) return send(response, 404, "Not found");
  const content = await readFile(new URL(`public/${name}`, import.meta.url));
  return send(response, 200, content, { "Content-Type": TYPES[name.split(".").pop()] });
}

/** Whether a page of this very shop asks; browsers say so of every POST. */
const isOurs = ({ headers: { origin, host } }) => URL.canParse(origin ?? "") && new URL(origin).host === host;

async function answer(request, response) {
  const path = new URL(request.url, "http://shop").pathname;
  if (request.method === "GET") return get(path, request, response);
  if (request.method !== "POST" || !POSTS[path]) return send(response, 404, "Not found");
  return isOurs(request) ? POSTS[path](request, response) : send(response, 403, "Only pages of this shop may ask.");
}

createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error.message);
    if (!response.headersSent) send(response, 502, "The shop cannot answer right now.");
  });
}).listen(PORT, "127.0.0.1", () => console.log(`The shop is at http://localhost:${PORT}`));
