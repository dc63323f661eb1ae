import { ReferForm } from "@/components/ReferForm";
import { currentMember } from "@/lib/loyalty";

export const metadata = { title: "Refer a friend" };

export default async function Refer() {
  const link = (await currentMember())?.referralUrl;
  return (
    <>
      <h1>Refer a friend</h1>
      {link && (
        <p>
          Your link: <a href={link}>{link}</a>
        </p>
      )}
      <ReferForm />
    </>
  );
}
