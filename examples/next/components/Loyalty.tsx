"use client";

import { createLoyalty, type MemberAndParts, type Token } from "@loyalty/client";
import { LoyaltyProvider, useLoyalty, useMember } from "@loyalty/client/react";
import { useActionState, useState, type ReactNode } from "react";
import { signOut } from "@/app/actions";

async function getToken(): Promise<Token | null> {
  const reply = await fetch("/loyalty-ticket", { method: "POST" });
  return reply.ok ? ((await reply.json()) as Token | null) : null;
}

/** The page's own client, for what it does without our server. */
export function Loyalty({ baseUrl, children }: { baseUrl: string; children: ReactNode }) {
  const [client] = useState(() => createLoyalty({ baseUrl, getToken, locale: "en" }));
  return <LoyaltyProvider client={client}>{children}</LoyaltyProvider>;
}

/** What our server has read is shown, and nothing is asked until something changes. */
export function Balance(initial: Pick<MemberAndParts, "state" | "points">) {
  const { data } = useMember([], initial);
  return <span role="status">{data && `${data.points.balance} points`}</span>;
}

/** Two sessions end: the browser's, and the one that our server acts with. */
export function SignOut() {
  const loyalty = useLoyalty();
  const [told, act, isBusy] = useActionState(async () => {
    try {
      await loyalty.signOut();
    } catch {
      return "This did not work. Try again.";
    }
    await signOut();
    return "";
  }, "");
  return (
    <form action={act}>
      <button type="submit" disabled={isBusy}>
        Sign out
      </button>
      {told && <span role="alert">{told}</span>}
    </form>
  );
}
