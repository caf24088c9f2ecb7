#!/usr/bin/env node
// What is run: dist/main.js is a copy of it. An older Node.js cannot even read the program, so this file is written in
// what Node.js has understood since version 12, whether it takes the file for a module or for CommonJS.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `error: odoo-backup needs Node.js 24 or newer, and this is ${process.versions.node}. On GitLab, set the input image to node:24.`,
  );
  process.exitCode = 1;
} else {
  keepCompiled();
  import('./program/main.mjs').then((program) => program.start());
}

// To compile the program is half of its start: what Node.js has compiled is kept for the next one. Not in a CI, where
// mostly there is no next one, and where other jobs may write to the same home folder; and only where the
// folders are this account's own, for what is kept there is run.
function keepCompiled() {
  const { CI, GITHUB_ACTIONS, GITLAB_CI } = process.env;
  if (CI || GITHUB_ACTIONS || GITLAB_CI) return;
  try {
    const home = process.getBuiltinModule('node:os').homedir();
    const { statSync } = process.getBuiltinModule('node:fs');
    const isOwn = (folder) => {
      const found = statSync(folder, { throwIfNoEntry: false });
      if (!found) return folder !== home;
      return found.uid === process.getuid() && (found.mode & 0o022) === 0;
    };
    const { enableCompileCache } = process.getBuiltinModule('node:module');
    const kept = `${home}/.cache/odoo-backup`;
    if ([home, `${home}/.cache`, kept].every(isOwn)) enableCompileCache(kept);
  } catch {
    // There is no home folder: nothing is kept.
  }
}
