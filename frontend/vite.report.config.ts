import { defineConfig } from "vite";

// `genscope report --format html` puts this one script into a document that loads nothing.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../plugin/genscope/tensorboard/static",
    // The page itself was built there before.
    emptyOutDir: false,
    target: "es2022",
    modulePreload: false,
    rolldownOptions: {
      input: "src/report.ts",
      output: { format: "es", entryFileNames: "report.js", codeSplitting: false },
    },
  },
});
