import { useRedeem, useRewards } from "@loyalty/client/react";
import { useEffect, useRef } from "react";
import { Page } from "../Page.tsx";
import { ofRedemption, whyNot } from "../words.ts";

export function Rewards() {
  const rewards = useRewards();
  const redeem = useRedeem();
  const outcome = useRef<HTMLParagraphElement>(null);
  // The button that had the focus may be gone.
  useEffect(() => {
    if (redeem.data || redeem.error) outcome.current?.focus();
  }, [redeem.data, redeem.error]);
  return (
    <Page title="Rewards">
      <ul className="cards">
        {rewards.data?.map((reward) => (
          <li key={reward.id}>
            <h2>{reward.name}</h2>
            <p>{reward.points} points</p>
            {whyNot(reward) ?? (
              // Closed again once something has come of it.
              <details key={redeem.data?.key}>
                <summary>Redeem {reward.name}</summary>
                <button type="button" disabled={redeem.busy} onClick={() => void redeem.run(reward.id)}>
                  Spend {reward.points} points
                </button>
              </details>
            )}
          </li>
        ))}
      </ul>
      {rewards.error && <p role="alert">The rewards cannot be shown right now.</p>}
      <p role="status" ref={outcome} tabIndex={-1}>
        {redeem.busy && "One moment. Do not redeem again."}
        {redeem.data && ofRedemption(redeem.data)}
        {redeem.error?.message}
      </p>
    </Page>
  );
}
