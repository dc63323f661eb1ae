import { RewardList } from "@/components/RewardList";
import { currentCustomer, keyOf } from "@/lib/customer";
import { currentMember, loyalty } from "@/lib/loyalty";

export const metadata = { title: "Rewards" };

export default async function Rewards() {
  const customer = await currentCustomer();
  // Strangers see what is the same for everybody.
  const shown = customer ? (await currentMember())?.rewards?.data : (await (await loyalty()).program()).rewards;
  const rewards = shown?.map((reward) => ({ ...reward, key: customer ? keyOf(customer, reward.id) : "" }));
  return (
    <>
      <h1>Rewards</h1>
      {rewards ? <RewardList rewards={rewards} /> : <p role="alert">The rewards cannot be shown right now.</p>}
    </>
  );
}
