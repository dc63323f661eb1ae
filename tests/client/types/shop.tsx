// A storefront's component with the hooks, shown by React in the browser and on the server.
import type { Loyalty, MemberAndParts } from "@loyalty/client";
import {
  LoyaltyProvider, useApplyCoupon, useCoupons, useEarn, useJoin, useLoyalty, useMember, useProgram, useRedeem, useRefer, useRewards,
  useSession,
} from "@loyalty/client/react";
import type { ReactElement } from "react";

export function App(props: { client: Loyalty; initial?: MemberAndParts }): ReactElement {
  return (
    <LoyaltyProvider client={props.client}>
      <Shop {...(props.initial && { initial: props.initial })} />
    </LoyaltyProvider>
  );
}

function Shop({ initial }: { initial?: MemberAndParts }): ReactElement {
  const member = useMember([], initial);
  const rewards = useRewards();
  const redeem = useRedeem();
  const ready = rewards.data?.find(({ canRedeem }) => canRedeem?.state === "ready");
  return (
    <main>
      <p id="balance">{member.data ? `${member.data.points.balance} points` : member.error?.code}</p>
      {ready && (
        <button type="button" disabled={redeem.busy} onClick={() => void redeem.run(ready.id)}>
          {ready.name}
        </button>
      )}
      <p id="outcome">{redeem.data?.coupon?.code ?? redeem.error?.message}</p>
    </main>
  );
}

export function Join(): ReactElement | null {
  const { policies, run, busy, error, done } = useJoin();
  if (!policies) return null;
  return (
    <p>
      <span id="version">{policies.version}</span>
      <button type="button" disabled={busy} onClick={() => void run()}>{policies.buttonText}</button>
      <span id="joined">{done ? "Welcome" : error?.code}</span>
    </p>
  );
}

export function Everything(): ReactElement {
  const loyalty = useLoyalty();
  const [apply, earn, refer] = [useApplyCoupon(), useEarn(), useRefer()];
  const state: string | undefined = useSession().data?.state;
  const codes = useCoupons().data?.coupons.map(({ code }) => code) ?? [];
  const tiers = useProgram().data?.tiers.length;
  const act = async (): Promise<string | undefined> => {
    await earn.run("a-rule");
    await refer.run("friend@example.com");
    return (await apply.run(codes[0] ?? "", "gid://shopify/Cart/1"))?.result;
  };
  return <a href={loyalty.signInUrl()} onClick={() => void act()}>{`${state} ${tiers}`}</a>;
}
