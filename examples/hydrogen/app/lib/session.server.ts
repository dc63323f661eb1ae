// The storefront's own session: an http-only cookie that holds a signed id; the rest stays on this server.
import { randomBytes } from "node:crypto";
import { createMemorySessionStorage, type Session } from "react-router";

interface SessionData {
  /** Who is signed in at the shop. */
  persona: string;
  /** The handle that the loyalty client keeps for them. */
  loyalty: string;
  /** The key of each redemption that has no final answer yet, by its reward. */
  intents: Record<string, string>;
}

// In one process's memory. Where you run several, use `createSessionStorage` with a store that they share.
const storage = createMemorySessionStorage<SessionData>({
  cookie: {
    name: "session",
    httpOnly: true,
    path: "/",
    sameSite: "lax",
    secrets: [process.env.SESSION_SECRET ?? randomBytes(32).toString("hex")],
    secure: process.env.SESSION_SECURE === "true",
  },
});

export class AppSession {
  private constructor(private session: Session<SessionData>, private isPending = false) {}

  static async of(request: Request): Promise<AppSession> {
    return new AppSession(await storage.getSession(request.headers.get("Cookie")));
  }

  get<Name extends keyof SessionData>(name: Name): SessionData[Name] | undefined {
    return this.session.get(name);
  }

  set<Name extends keyof SessionData>(name: Name, value: SessionData[Name] | null): void {
    this.isPending = true;
    if (value === null) this.session.unset(name);
    else this.session.set(name, value);
  }

  /** Somebody signs in, or out: nothing of before is left, nor the id. */
  async renew(): Promise<void> {
    await storage.destroySession(this.session);
    this.session = await storage.getSession();
    this.isPending = true;
  }

  /** The answer, with the cookie if anything was changed. */
  async commitTo(response: Response): Promise<Response> {
    if (this.isPending) response.headers.append("Set-Cookie", await storage.commitSession(this.session));
    return response;
  }
}
