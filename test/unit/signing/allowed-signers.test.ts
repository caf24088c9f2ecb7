import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import fc from 'fast-check';
import { parseAllowedSigners, type SignerVerdict, whoSigned } from '../../../src/signing/allowed-signers.ts';
import { checkSignature } from '../../../src/signing/sshsig.ts';
import { InputError } from '../../../src/util/errors.ts';
import { KeyFolder } from '../../support/ssh-keygen.ts';

const folder = new KeyFolder();
after(() => folder[Symbol.dispose]());

const NAMESPACE = 'odoo-backup';
const MESSAGE = 'message';
const [one, two] = [folder.newKey('-t', 'ed25519'), folder.newKey('-t', 'ecdsa')];
const rsa = folder.newKey('-t', 'rsa', '-b', '2048');
const signature = folder.sign(one, NAMESPACE, MESSAGE);
const key = checkSignature(signature, NAMESPACE, MESSAGE);

const [k1, k2] = [one.publicKey, two.publicKey];

function verdict(list: string, time = new Date('2026-06-15T12:00:00Z')): SignerVerdict | 'invalid' {
  try {
    return whoSigned(parseAllowedSigners(list, 'trusted-signers'), key, NAMESPACE, [time]);
  } catch (error) {
    assert(error instanceof InputError, String(error));
    return 'invalid';
  }
}

/** What ssh-keygen says of the principal that it is asked for, at noon of 15 June 2026. */
const keygenSays = (list: string, principal: string): boolean =>
  folder.verifies(
    { allowed: list, principal },
    { signature, namespace: NAMESPACE, message: MESSAGE },
    '-O',
    'verify-time=20260615120000Z',
  );

suite('lists that ssh-keygen takes as well', () => {
  const cases: [what: string, list: string, allowed: boolean][] = [
    ['a line', `ci ${k1}`, true],
    ['with a comment behind the key', `ci ${k1} of the team`, true],
    ['another key', `ci ${k2}`, false],
    ['the second line', `x ${k2}\nci ${k1}`, true],
    ['comments and empty lines', `# us\n\n  ci ${k1}\n`, true],
    ['tabs', `ci\t${k1.replace(' ', '\t')}`, true],
    ['several names', `ci,cd ${k1}`, true],
    ['patterns', `*ci,!no ${k1}`, true],
    ['its namespace', `ci namespaces="${NAMESPACE}" ${k1}`, true],
    ['one of its namespaces', `ci namespaces="git,${NAMESPACE}" ${k1}`, true],
    ['a pattern of namespaces', `ci namespaces="odoo-*" ${k1}`, true],
    ['a namespace that is ruled out', `ci namespaces="*,!${NAMESPACE}" ${k1}`, false],
    ['another namespace', `ci namespaces="git" ${k1}`, false],
    ['another namespace first', `ci namespaces="git" ${k1}\nci ${k1}`, true],
    ['an option in capitals', `ci NAMESPACES="git" ${k1}`, false],
    ['valid', `ci valid-after="20260101",valid-before="20270101" ${k1}`, true],
    ['valid from that minute on', `ci valid-after="202606151200Z" ${k1}`, true],
    ['not yet valid', `ci valid-after="20260615120001Z" ${k1}`, false],
    ['valid until that second', `ci valid-before="20260615120000Z" ${k1}`, true],
    ['expired', `ci valid-before="202606151159Z" ${k1}`, false],
    [
      'all options',
      `ci namespaces="a,odoo-backup",valid-after="20260101Z",valid-before="20270101Z" ${k1}`,
      true,
    ],
    ['an option with a space in its value', `ci namespaces="a b,odoo-backup" ${k1}`, true],
  ];
  for (const [what, list, allowed] of cases) {
    test(what, () => {
      assert.equal(keygenSays(list, 'ci'), allowed, 'ssh-keygen');
      const found = verdict(list);
      assert(found !== 'invalid');
      assert.equal(found.kind === 'allowed', allowed);
      if (found.kind === 'refused' || list.includes('valid-')) return; // the program asks for today there
      assert.equal(found.principals.split(',')[0], folder.principals(list, signature));
    });
  }

  test('lists put together at random: both say the same, unless the list is refused as a whole', () => {
    const word = fc.constantFrom(
      ...[
        'ci',
        'x',
        '"ci"',
        'ci,x',
        '!ci,*',
        'namespaces="odoo-backup"',
        'namespaces="x"',
        'valid-before="2020"',
      ],
      ...['valid-before="20270101Z"', 'valid-after="20260615130000Z"', 'namespaces="odoo\\"x"', '#', k1, k2],
      ...[k1.slice(0, 40), k1.slice(0, -1), 'cert-authority', 'a,b', ',', '"'],
    );
    const line = fc
      .tuple(
        fc.constantFrom('ci', 'c*', 'x', '"ci"'),
        fc.array(word, { maxLength: 2 }),
        fc.constantFrom(k1, k1, k2),
      )
      .map(([names, words, last]) => [names, ...words, last].join(' '));
    const list = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => lines.join('\n'));
    let compared = 0;
    fc.assert(
      fc.property(list, (text) => {
        const found = verdict(text);
        // What is asked here: whether the signature is anybody's. The program is asked for each name.
        if (found === 'invalid') return;
        compared += 1;
        const theirs = ['ci', 'x', 'cx'].some((principal) => keygenSays(text, principal));
        assert.equal(found.kind === 'allowed', theirs, text);
      }),
      { numRuns: 150 },
    );
    assert(compared > 20, `only ${compared} lists were compared`);
  });

  test('names in quotation marks', () => {
    const list = `"ci machine" ${k1}`;
    assert(keygenSays(list, 'ci machine'));
    assert.deepEqual(verdict(list), { kind: 'allowed', principals: 'ci machine' });
  });

  test('a signature was made at one time and stored at another: the line counts for both, or not', () => {
    const list = parseAllowedSigners(`ci valid-before="20260701Z" ${k1}`, 'trusted-signers');
    const [june, august] = [new Date('2026-06-15T00:00:00Z'), new Date('2026-08-15T00:00:00Z')];
    assert.equal(whoSigned(list, key, NAMESPACE, [june]).kind, 'allowed');
    assert.deepEqual(whoSigned(list, key, NAMESPACE, [june, august]), {
      kind: 'refused',
      why: 'was not valid any more',
    });
  });
});

suite('lists that are refused as a whole', () => {
  const cases: [what: string, list: string, message: RegExp][] = [
    ['none', '', /names no signer/],
    ['comments alone', '# nobody\n', /names no signer/],
    ['a cut key', `x ${k2}\nci ${k1.slice(0, -6)}`, /line 2: its key is (missing, damaged or cut|of)/],
    [
      'a cut key, at a whole group of base64',
      `ci ${k1.slice(0, -4)}`,
      /line 1: its key cannot be used: it ends too early/,
    ],
    ['no key', 'ci ssh-ed25519', /line 1: its key is missing/],
    ['a name alone', 'ci', /line 1: expected names/],
    ['no name', k1, /line 1/],
    ['another type', `ci ${k1.replace('ssh-ed25519', 'ssh-rsa')}`, /its key is not of type ssh-rsa/],
    ['an unknown type', `ci ssh-new ${k1.split(' ')[1]}`, /its key is not of type ssh-new/],
    ['a private key', one.pem, /line 1/],
    ['an authority', `ci cert-authority ${k1}`, /cert-authority is not supported/],
    ['an unknown option', `ci verify-required ${k1}`, /its option verify-required is unknown/],
    ['an option without a value', `ci namespaces ${k1}`, /has no value in quotation marks/],
    ['an option twice', `ci namespaces="a",namespaces="b" ${k1}`, /is there twice/],
    ['a comma at the end', `ci namespaces="a", ${k1}`, /its options cannot be read/],
    ['a day that there is not', `ci valid-before="20260230" ${k1}`, /its valid-before is no time/],
    [
      'an end before its beginning',
      `ci valid-after="20270101",valid-before="20260101" ${k1}`,
      /is not after/,
    ],
    ['an open quotation mark', `ci namespaces="a ${k1}`, /expected options/],
    ['a control character', `ci\u202e ${k1}`, /it holds a control character/],
  ];
  for (const [what, list, message] of cases) {
    test(what, () => {
      assert.throws(
        () => parseAllowedSigners(list, 'trusted-signers'),
        (error: InputError) => {
          assert(error instanceof InputError);
          assert.match(error.message, /^trusted-signers/);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test('every line that is wrong is named', () => {
    assert.throws(() => parseAllowedSigners(`a\nb ${k1}\nc`, 'x'), /^InputError: x, line 1: .*\nx, line 3: /);
  });
});

test('a key of RSA of which another program wrote the public half', () => {
  const mark = folder.sign(rsa, NAMESPACE, MESSAGE);
  const list = parseAllowedSigners(`ci ${rsa.publicKey}`, 'x');
  assert.equal(whoSigned(list, checkSignature(mark, NAMESPACE, MESSAGE), NAMESPACE, []).kind, 'allowed');
});
