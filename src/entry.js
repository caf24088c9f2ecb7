#!/usr/bin/env node
// What is run: dist/main.js is a copy of it. An older Node.js cannot even read the program, so this file is written in
// what Node.js has understood since version 12, whether it takes the file for a module or for CommonJS.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `error: odoo-backup needs Node.js 24 or newer, and this is ${process.versions.node}. On GitLab, set the input image to node:24.`,
  );
  process.exitCode = 1;
} else {
  import('./program/main.mjs').then((program) => program.start());
}
