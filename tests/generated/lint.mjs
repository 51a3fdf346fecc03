// Holds an OpenAPI document against the recommended rules of Redocly and of Spectral; prints what
// breaks one, warnings too, and exits with 1.
//
//     node lint.mjs document.json

import { readFile } from "node:fs/promises";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import spectral from "@stoplight/spectral-core";
import { oas } from "@stoplight/spectral-rulesets";

const file = process.argv[2];
const source = await readFile(file, "utf8");

// An institution has its own server: the document names the one that serves it, as `/`.
const RELATIVE_SERVER = { "no-server-example.com": "off" };
const redocly = await lintFromString({
  source,
  absoluteRef: file,
  config: await createConfig({ extends: ["recommended"], rules: RELATIVE_SERVER }),
});
for (const { ruleId, message, location } of redocly) {
  console.log(`redocly ${ruleId} ${location[0].pointer}: ${message}`);
}

const linter = new spectral.Spectral();
// Whoever runs the service is its contact; the document cannot know them.
linter.setRuleset({ extends: [[oas, "recommended"]], rules: { "info-contact": "off" } });
const found = await linter.run(JSON.parse(source));
for (const { code, message, path } of found) {
  console.log(`spectral ${code} /${path.join("/")}: ${message}`);
}

process.exitCode = redocly.length + found.length ? 1 : 0;
