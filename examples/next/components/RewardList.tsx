"use client";

import type { Reward } from "@loyalty/client";
import { useActionState, useEffect, useRef } from "react";
import { redeem } from "@/app/actions";
import { whyNot } from "@/lib/words";

export function RewardList({ rewards }: { rewards: (Reward & { key: string })[] }) {
  const [told, act, isBusy] = useActionState(redeem, "");
  const outcome = useRef<HTMLParagraphElement>(null);
  // The button that had the focus may be gone.
  useEffect(() => {
    if (told) outcome.current?.focus();
  }, [told]);
  return (
    <>
      <ul className="cards">
        {rewards.map((reward) => (
          <li key={reward.id}>
            <h2>{reward.name}</h2>
            <p>{reward.points} points</p>
            {whyNot(reward) ?? (
              // It asks without a script as well, and is closed again once this intent has come to its end.
              <details key={reward.key}>
                <summary>Redeem {reward.name}</summary>
                <form action={act}>
                  <input type="hidden" name="rewardId" value={reward.id} />
                  <input type="hidden" name="key" value={reward.key} />
                  <button type="submit" disabled={isBusy}>
                    Spend {reward.points} points
                  </button>
                </form>
              </details>
            )}
          </li>
        ))}
      </ul>
      <p role="status" ref={outcome} tabIndex={-1}>
        {isBusy ? "One moment. Do not redeem again." : told}
      </p>
    </>
  );
}
