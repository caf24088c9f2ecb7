import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What test files need that takes seconds to start. */
export interface Needs {
  /** An Odoo host. */
  readonly sandbox: boolean;
  readonly s3: boolean;
}

const imports = /^(?:import|export)\s(?!type\b)[^;]*?\sfrom\s+'(\.[^']+)'/gm;

/** Reads it out of the files, and out of what they import of test/: who asks the sandbox for its S3 server needs it. */
export function needsOf(files: readonly string[]): Needs {
  const texts = new Map<string, string>();
  const read = (path: string): void => {
    if (texts.has(path)) return;
    const text = readFileSync(path, 'utf8');
    texts.set(path, text);
    for (const [, to = ''] of text.matchAll(imports)) {
      const imported = join(dirname(path), to);
      if (/\btest\b/.test(imported)) read(imported);
    }
  };
  for (const file of files) read(file);
  const of = [...texts].flatMap(([path, text]) => (path.endsWith('/test/support/sandbox.ts') ? [] : text));
  return {
    sandbox: of.some((text) => /\b(?:use|startOwn)Sandbox\(/.test(text)),
    s3: of.some((text) => /\b(?:(?:sandbox|useSandbox\(\))\.s3|startOwnSandbox)\b/.test(text)),
  };
}
