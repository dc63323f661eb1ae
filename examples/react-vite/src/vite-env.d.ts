interface ImportMetaEnv {
  readonly SHOPIFY_STOREFRONT_URL: string;
  readonly SHOPIFY_STOREFRONT_TOKEN: string;
}
