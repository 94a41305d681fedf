import { defineConfig } from "vitest/config";

// TensorBoard imports `index.js` and calls its `render()`; every other file is found relative to
// it, so the bundle works below any path prefix and without a network.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../plugin/genscope/tensorboard/static",
    emptyOutDir: true,
    target: "es2022",
    // What a page imports is asked for together with the page; every browser that TensorBoard
    // supports knows the links.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: "src/main.tsx",
      preserveEntrySignatures: "strict",
      output: {
        entryFileNames: "index.js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  server: {
    proxy: {
      "/data": process.env.TENSORBOARD ?? "http://localhost:6006",
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
  },
});
