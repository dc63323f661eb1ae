import { LoyaltyProvider } from "@loyalty/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { BrowserRouter } from "react-router";
import { App } from "./App.tsx";
import { CartProvider } from "./CartProvider.tsx";
import { loyalty } from "./loyalty.ts";
import "./style.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <LoyaltyProvider client={loyalty}>
      <CartProvider>
        <BrowserRouter>
          <App />
        </BrowserRouter>
      </CartProvider>
    </LoyaltyProvider>
  </StrictMode>,
);
