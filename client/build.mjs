// Makes dist/ of src/ and of the OpenAPI document: ES modules, and what TypeScript has to know of them.
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { build, transform } from "esbuild";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = process.argv[2] ?? "../docs/openapi.json";
const ENTRIES = { client: "src/index.ts", server: "src/server.ts", hooks: "src/hooks.ts", elements: "src/elements.ts" };
const { name, version } = JSON.parse(readFileSync("package.json", "utf-8"));
const { components, ...document } = JSON.parse(readFileSync(DOCUMENT, "utf-8"));

rmSync("dist", { recursive: true, force: true });
const schemas = await openapiTS({ ...document, paths: {}, components: { schemas: components.schemas } });
writeFileSync("src/openapi.ts", astToString(schemas));
const types = ["--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", "dist/types"];
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "--project", ".", ...types], { stdio: "inherit" });

// The other modules use the client itself, and not a copy of it.
const client = {
  name: "client",
  setup: (it) => it.onResolve({ filter: /^@loyalty\/client$/ }, () => ({ path: "./client.js", external: true })),
};
const styles = {
  name: "styles",
  setup: (it) => it.onLoad({ filter: /\.css$/ }, async ({ path }) => {
    const { code } = await transform(readFileSync(path, "utf-8"), { loader: "css", minify: true });
    return { contents: code.trim(), loader: "text" };
  }),
};
await build({
  entryPoints: ENTRIES, outdir: "dist", bundle: true, minify: true, format: "esm", target: "es2022", external: ["react"],
  banner: { js: `/*! ${name} ${version} */` }, plugins: [client, styles],
});

// The client's in one file, for whoever loads the module from the service.
const parts = ["openapi", "types", "errors", "options", "client"].map((part) => readFileSync(`dist/types/${part}.d.ts`, "utf-8"));
const one = parts.join("").replace(/^import [^;]*;\n/gm, "");
writeFileSync("dist/client.d.ts", `// ${name} ${version}\n${one}`);
for (const entry of ["server", "hooks", "elements"]) copyFileSync(`dist/types/${entry}.d.ts`, `dist/${entry}.d.ts`);
renameSync("dist/types/elements", "dist/elements");
rmSync("dist/types", { recursive: true });
