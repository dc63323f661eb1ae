import { useJoin, useSession } from "@loyalty/client/react";
import { Navigate } from "react-router";
import { Page } from "../Page.tsx";

export function Join() {
  const { data } = useSession();
  const { policies, run, busy, error } = useJoin();
  if (data?.state === "enrolled") return <Navigate to="/rewards" replace />;
  return (
    <Page title="Join">
      {policies && (
        <p className="join">
          <button type="button" disabled={busy} onClick={() => void run()}>
            {policies.buttonText}
          </button>{" "}
          {/* The service has sanitised it. Nothing may stand between it and the button. */}
          <span dangerouslySetInnerHTML={{ __html: policies.sentenceHtml }} />
        </p>
      )}
      <p role="status">{error?.message}</p>
    </Page>
  );
}
