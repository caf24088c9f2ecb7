import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attachmentFileName } from '../../../src/fetch/names.ts';
import { isPrintable } from '../../../src/util/controls.ts';

const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';

test('an attachment is written under its SHA-1 and what is plain of its name', () => {
  const cases: [name: string, expected: string][] = [
    ['invoice.pdf', '-invoice.pdf'],
    ['Facture n°42 (été).pdf', '-Facture n_42 _été_.pdf'],
    ['../../etc/passwd', '-etc_passwd'],
    ['..\\..\\x.exe', '-x.exe'],
    ['/root/.ssh/authorized_keys', '-root_.ssh_authorized_keys'],
    ['.bashrc', '-bashrc'],
    ['-rf', '-rf'],
    ['a\0b\nc\x1b[31m', '-a_b_c_31m'],
    ['invoice\u202efdp.exe', '-invoice_fdp.exe'],
    ['CON', '-CON'],
    ['x. . ', '-x'],
    ['', ''],
    ['...', ''],
    ['\ud800', '_'.replace('_', '')],
    ['$(touch x)`id`', '-touch x_id_'],
    ['発票.pdf', '-発票.pdf'],
  ];
  for (const [name, expected] of cases) assert.equal(attachmentFileName(SHA1, name), SHA1 + expected, name);
});

test('a long name is cut, and keeps its ending', () => {
  assert.equal(attachmentFileName(SHA1, `${'a'.repeat(300)}.pdf`), `${SHA1}-${'a'.repeat(146)}.pdf`);
  const name = attachmentFileName(SHA1, `${'é'.repeat(300)}.${'b'.repeat(300)}`);
  assert.equal(name, `${SHA1}-${'é'.repeat(75)}`);
});

test('whatever the name, the file is one file of the folder, on every file system', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 400 });
  fc.assert(
    fc.property(anything, (name) => {
      const file = attachmentFileName(SHA1, name);
      assert.ok(file.startsWith(SHA1) && isPrintable(file));
      assert.ok(Buffer.byteLength(file) <= 200);
      assert.doesNotMatch(file, /[/\\:*?"<>|\0]|\.\.|[. ]$/);
    }),
    { numRuns: 2000 },
  );
});
