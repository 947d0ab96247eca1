// The modules of the pages by their names in the import map.

import { registerHooks } from "node:module";

const SCRIPTS = new URL("../../static/js/", import.meta.url);
// Modules that need a page or a worker.
const INSTEAD = {
  "base/toast": new URL("stand-ins/toast.js", import.meta.url).href,
  "upload/hasher": new URL("stand-ins/hasher.js", import.meta.url).href,
};

registerHooks({
  resolve(specifier, context, next) {
    const [, name] = specifier.match(/^clipsite\/(.+)$/) ?? [];
    return next(name ? (INSTEAD[name] ?? new URL(`${name}.js`, SCRIPTS).href) : specifier, context);
  },
});
