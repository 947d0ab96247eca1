import js from "@eslint/js";
import globals from "globals";

const RULES = {
  ...js.configs.recommended.rules,
  // `== null` matches both undefined and null.
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-implicit-globals": "error",
  "no-var": "error",
  "prefer-const": "error",
};

export default [
  {
    files: ["static/js/**/*.js"],
    languageOptions: { globals: { ...globals.browser, htmx: "readonly" } },
    rules: RULES,
  },
  {
    files: ["tests/javascript/**/*.js", "eslint.config.js"],
    languageOptions: { globals: globals.node },
    rules: RULES,
  },
];
