import { useLoyalty } from "@loyalty/client/react";
import { Form } from "react-router";

/** Our server ends what it holds; this page, the session that it may have at the service itself. */
export function SignOut() {
  const loyalty = useLoyalty();
  return (
    <Form method="post" action="/account/logout" onSubmit={() => void loyalty.signOut().catch(() => undefined)}>
      <button>Sign out</button>
    </Form>
  );
}
