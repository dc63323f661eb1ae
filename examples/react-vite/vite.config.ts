import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { settings } from "./settings.ts";
import { shop } from "./shop.ts";

// One origin for the browser: the pages, and the loyalty service below /loyalty. In production your CDN or web server does
// the same.
const server = {
  port: settings.port,
  strictPort: true,
  proxy: {
    "/loyalty/": {
      target: settings.loyaltyUrl,
      changeOrigin: true,
      rewrite: (path: string) => path.replace(/^\/loyalty/, ""),
    },
  },
};

export default defineConfig({
  plugins: [react(), shop()],
  server,
  preview: server,
  // The public token is made to be in pages.
  define: {
    "import.meta.env.SHOPIFY_STOREFRONT_URL": JSON.stringify(settings.storefrontUrl),
    "import.meta.env.SHOPIFY_STOREFRONT_TOKEN": JSON.stringify(settings.storefrontToken),
  },
});
