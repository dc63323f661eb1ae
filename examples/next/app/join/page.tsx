import { redirect } from "next/navigation";
import { JoinForm } from "@/components/JoinForm";
import { currentMember, loyalty } from "@/lib/loyalty";

export const metadata = { title: "Join" };

export default async function Join() {
  const member = await currentMember();
  if (member?.state !== "pending") redirect(member ? "/rewards" : "/sign-in");
  return (
    <>
      <h1>Join</h1>
      <JoinForm policies={await (await loyalty()).policies()} />
    </>
  );
}
